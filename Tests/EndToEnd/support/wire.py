"""A WebSocket connection whose every byte is counted, so that it can be cut after any of them.

The handshake and the frames are those of `websockets` (its Sans-I/O half); the socket is ours and
is read no further than the frame at hand, in one thread. What breaks off here has broken off for
the program too: nginx, or the sidecar itself, sees a reset, an end of the stream or a Close frame.
"""

from __future__ import annotations

import json
import socket
import struct
import urllib.parse

from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.uri import parse_uri

from description import frames
from support import expect
from support.stack import Stack

# Ways to leave: a reset, the end of the stream without a word, RFC 6455's closing handshake; and no
# sign at all, as when a phone changes its network: the server goes on sending to nobody.
WAYS = ["reset", "end", "close", "silence"]
# How far into a frame: after its first byte, its header, half of it, all but its last byte.
PARTS = ["first byte", "header", "half", "last byte"]
# Where a client can knock: nginx, as in the field, or the sidecar itself (design §6); an address
# is that of a sidecar of a test's own.
DOORS = ["nginx", "sidecar"]
SECONDS = 30
NORMAL_CLOSE = Frame(Opcode.CLOSE, Close(1000, "").serialize())


class Spent(Exception):
    """All the bytes that this connection was to live for have come."""


class Ended(Exception):
    """The server ended the connection; `close` is its Close frame, or None."""

    def __init__(self, close: Close | None):
        super().__init__(str(close))
        self.close = close


class Wire:
    """One connection, from its request on. An empty token: the query has to do; `allowance`: how
    many bytes may come in all; `path`: below /ws."""

    def __init__(
        self,
        stack: Stack,
        token: str,
        *,
        door: str = "nginx",
        allowance: int | None = None,
        path: str = "",
        **query: str | None,
    ):
        self.url, self.socket = knock(stack, door)
        self.url += path
        given = urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})
        self.protocol = ClientProtocol(parse_uri(self.url + (f"?{given}" if given else "")))
        self.allowance = allowance
        request = self.protocol.connect()
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        self.protocol.send_request(request)
        self.flush()

    # What comes in.

    def exactly(self, count: int) -> bytes:
        """The next bytes; none beyond them is taken off the stream."""
        taken = b""
        while len(taken) < count:
            if self.allowance == 0:
                raise Spent
            left = count - len(taken)
            piece = self.socket.recv(left if self.allowance is None else min(left, self.allowance))
            if not piece:
                raise Ended(self.protocol.close_rcvd)
            if self.allowance is not None:
                self.allowance -= len(piece)
            taken += piece
        return taken

    def head(self, until: bytes = b"\r\n\r\n") -> bytes:
        """The response's head, or what comes of it up to some bytes."""
        taken = b""
        while not taken.endswith(until):
            taken += self.exactly(1)
        return taken

    def accepted(self) -> None:
        """Takes the 101, which `websockets` checks (RFC 6455 §4.1)."""
        head = self.head()
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.protocol.receive_data(head)
        self.protocol.events_received()
        assert self.protocol.handshake_exc is None, self.protocol.handshake_exc

    def header(self) -> tuple[bytes, int]:
        """A frame's header, and how many bytes follow it (RFC 6455 §5.2; nothing is masked)."""
        taken = self.exactly(2)
        length = taken[1] & 0x7F
        if length >= 126:
            taken += self.exactly(2 if length == 126 else 8)
            length = int.from_bytes(taken[2:], "big")
        return taken, length

    def frame(self) -> dict:
        """The next text frame, checked against the description; pings are answered."""
        while True:
            header, length = self.header()
            self.protocol.receive_data(header)
            self.protocol.receive_data(self.exactly(length))
            for event in self.protocol.events_received():
                if event.opcode is Opcode.TEXT:
                    frame = json.loads(event.data)
                    frames.check(self.url, frame)
                    expect.moment(frame["timestamp"])
                    return frame
            self.flush()
            if self.protocol.close_rcvd is not None:
                raise Ended(self.protocol.close_rcvd)

    def part(self, how: str, *, of_head: bool = False) -> None:
        """Takes a part of the next frame, or of the 101, and not a byte more."""
        if of_head:
            untils = {"header": b"\r\n", "half": b"Upgrade", "last byte": b"\r\n\r"}
            self.exactly(1) if how == "first byte" else self.head(untils[how])
        elif how == "first byte":
            self.exactly(1)
        else:
            _, length = self.header()
            self.exactly({"header": 0, "half": length // 2, "last byte": length - 1}[how])

    # What goes out.

    def flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.socket.sendall(data)

    def send(self, message: dict, *, share: float | None = None) -> None:
        """Sends a message, or only a share of its frame: one byte at least, one fewer at most."""
        data = Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True)
        if share is not None:
            data = data[: max(1, min(len(data) - 1, round(len(data) * share)))]
        self.socket.sendall(data)

    # How it ends.

    def cut(self, way: str) -> None:
        if way == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        elif way == "end":
            # A close(2) with unread bytes would be a reset.
            self.socket.shutdown(socket.SHUT_WR)
        elif way == "close":
            self.socket.sendall(NORMAL_CLOSE.serialize(mask=True))

    def rest(self) -> bytes:
        """All that still comes after a `cut` that lets the server end."""
        taken = b""
        while piece := self.socket.recv(65536):
            taken += piece
        return taken

    def close(self) -> None:
        self.socket.close()


def knock(stack: Stack, door: str) -> tuple[str, socket.socket]:
    """The address of signaling behind a door, and a connection to it."""
    if door == "nginx":
        url = urllib.parse.urlsplit(stack.ws_url)
        plain = dial(url.hostname, url.port)
        return stack.ws_url, stack.tls.wrap_socket(plain, server_hostname=url.hostname)
    address = stack.constant("SIGNALING_ADDRESS") if door == "sidecar" else door
    host, port = address.rsplit(":", 1)
    return f"ws://{address}/ws", dial(host, int(port))


def dial(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
