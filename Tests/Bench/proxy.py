"""What a WebSocket costs nginx, TLS and all: its own memory, apart from the sidecar's."""

from __future__ import annotations

from processes import children, proportional_bytes, settle
from stack import Stack
from wire import Loop, WebSocket


def bytes_each(stack: Stack, users: list[str]) -> float:
    """Opens a connection for each of these users, through nginx.

    :return: by how much the workers' memory grew for each of them, in bytes."""
    stack.fresh_nginx()
    workers = children(stack.pid("NGINX"))
    loop = Loop()
    try:
        # What the first connections touch, every later one shares.
        sockets = open_all(loop, stack, users[:100])
        settle(*workers)
        before = sum(map(proportional_bytes, workers))
        sockets += open_all(loop, stack, users[100:])
        settle(*workers)
        # A connection that had gone meanwhile would be an error here.
        loop.run(lambda: all(socket.is_open for socket in sockets))
        return (sum(map(proportional_bytes, workers)) - before) / (len(users) - 100)
    finally:
        loop.close()


def open_all(loop: Loop, stack: Stack, users: list[str]) -> list[WebSocket]:
    sockets = []
    for user in users:
        socket = WebSocket(loop, stack, user, lambda *_: None)
        sockets.append(socket)
        # Pings of the others are answered meanwhile.
        loop.run(lambda socket=socket: socket.is_open)
    return sockets
