"""What a WebSocket costs nginx, TLS and all: its own memory, apart from the sidecar's."""

from __future__ import annotations

import ssl
import socket
import time

import jwt

from processes import children, proportional_bytes, settle
from stack import Stack


def bytes_each(stack: Stack, users: list[str]) -> float:
    """Opens a connection for each of these users, through nginx.

    :return: by how much the workers' memory grew for each of them, in bytes."""
    workers = children(stack.pid("NGINX"))
    first = [connect(stack, user) for user in users[:100]]
    settle(*workers)
    before = sum(map(proportional_bytes, workers))
    crowd = [connect(stack, user) for user in users[100:]]
    settle(*workers)
    grown = sum(map(proportional_bytes, workers)) - before
    for connection in first + crowd:
        connection.close()
    return grown / len(crowd)


def connect(stack: Stack, user: str) -> ssl.SSLSocket:
    """A WebSocket that is open: the sidecar's `connected` has begun to come."""
    connection = context(stack).wrap_socket(
        socket.create_connection(("127.0.0.1", stack.port)), server_hostname="localhost"
    )
    connection.sendall(handshake(f"localhost:{stack.port}", token(stack, user)))
    received = b""
    while b"connected" not in received:
        some = connection.recv(4096)
        if not some:
            raise RuntimeError(f"nginx has closed a connection after {received!r}")
        received += some
    return connection


def token(stack: Stack, user: str) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + 3600}, stack.env["JWT_SECRET"], "HS256")


def handshake(host: str, token: str) -> bytes:
    return (
        f"GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


_contexts: dict[str, ssl.SSLContext] = {}


def context(stack: Stack) -> ssl.SSLContext:
    """One for all: each would read the certificates again."""
    path = stack.env["CA_FILE"]
    if path not in _contexts:
        _contexts[path] = ssl.create_default_context(cafile=path)
    return _contexts[path]
