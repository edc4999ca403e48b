"""Clients on one thread, over TLS through nginx: HTTP/1.1 requests, WebSockets, and Redis' hints
beside them. What arrives is stamped as soon as the kernel has it; no library stands in between."""

from __future__ import annotations

import functools
import json
import random
import select
import socket
import ssl
import time
from collections.abc import Callable

import jwt

from stack import Stack


class Loop:
    """epoll(7) over all clients of a measurement, and their timers."""

    def __init__(self):
        self.epoll = select.epoll()
        self.clients: dict[int, Client] = {}
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def add(self, client: Client) -> None:
        self.clients[client.socket.fileno()] = client
        self.epoll.register(client.socket.fileno(), select.EPOLLIN)

    def later(self, seconds: float, then: Callable[[], None]) -> None:
        self.timers.append((time.perf_counter() + seconds, then))

    def run(self, is_done: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.perf_counter() + seconds
        while not is_done():
            now = time.perf_counter()
            if now > deadline:
                raise TimeoutError(f"not done after {seconds} s")
            due = [timer for timer in self.timers if timer[0] <= now]
            self.timers = [timer for timer in self.timers if timer[0] > now]
            for _, then in due:
                then()
            wait = min((at for at, _ in self.timers), default=now + 0.25) - time.perf_counter()
            for descriptor, _ in self.epoll.poll(max(0, min(wait, 0.25))):
                self.clients[descriptor].readable()

    def close(self) -> None:
        for client in self.clients.values():
            client.socket.close()
        self.epoll.close()


class Client:
    """A socket whose bytes are collected; what they are is the subclass's business."""

    def __init__(self, loop: Loop, connected: socket.socket):
        self.socket = connected
        self.socket.setblocking(False)
        self.bytes = b""
        loop.add(self)

    def readable(self) -> None:
        while True:
            try:
                some = self.socket.recv(65536)
            except (ssl.SSLWantReadError, BlockingIOError):
                return
            if not some:
                raise ConnectionError("the server has closed a connection")
            self.bytes += some
            self.received(time.perf_counter())

    def send(self, data: bytes) -> None:
        if self.socket.send(data) != len(data):
            raise BlockingIOError("a socket is full")

    def received(self, at: float) -> None:
        raise NotImplementedError


def secure(stack: Stack) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", stack.port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context(stack.env["CA_FILE"]).wrap_socket(plain, server_hostname="localhost")


@functools.cache
def context(authority: str) -> ssl.SSLContext:
    """One for all: each would read the certificates again."""
    return ssl.create_default_context(cafile=authority)


def token(stack: Stack, user: str) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + 3600}, stack.env["JWT_SECRET"], "HS256")


def handshake(host: str, bearer: str) -> bytes:
    return (
        f"GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {bearer}\r\n\r\n"
    ).encode()


class Requests(Client):
    """One user's kept-alive connection to the API, one request at a time."""

    def __init__(self, loop: Loop, stack: Stack, user: str):
        super().__init__(loop, secure(stack))
        self.head = (
            f"Host: localhost:{stack.port}\r\nAuthorization: Bearer {token(stack, user)}\r\n"
        )
        self.then: Callable[[int, dict, float], None] | None = None

    def post(self, path: str, body: dict, then: Callable[[int, dict, float], None]) -> float:
        """:return: when the request left; `then` gets the status, the answer and when it came."""
        content = json.dumps(body)
        data = (
            f"POST /api/v1{path} HTTP/1.1\r\n{self.head}Content-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n{content}"
        ).encode()
        self.then = then
        left = time.perf_counter()
        self.send(data)
        return left

    def received(self, at: float) -> None:
        head, separator, rest = self.bytes.partition(b"\r\n\r\n")
        if not separator:
            return
        length = next(
            int(line[15:])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        if len(rest) < length:
            return
        self.bytes = rest[length:]
        then, self.then = self.then, None
        then(int(head[9:12]), json.loads(rest[:length]), at)


class WebSocket(Client):
    """One user's WebSocket; `heard` gets each event's type, its data and when it came."""

    def __init__(
        self, loop: Loop, stack: Stack, user: str, heard: Callable[[str, dict, float], None]
    ):
        connected = secure(stack)
        connected.sendall(handshake(f"localhost:{stack.port}", token(stack, user)))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connected.recv(4096)
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b" 101 " not in head:
            raise ConnectionError(head.decode())
        super().__init__(loop, connected)
        self.heard = heard
        self.bytes = rest
        self.is_open = False
        self.received(time.perf_counter())

    def received(self, at: float) -> None:
        while (frame := self.take()) is not None:
            opcode, payload = frame
            if opcode == 0x9:
                self.send(b"\x8a\x80\0\0\0\0")  # a ping's answer, masked with nothing
            elif opcode == 0x1:
                message = json.loads(payload)
                self.is_open = self.is_open or message["type"] == "connected"
                self.heard(message["type"], message["data"], at)

    def take(self) -> tuple[int, bytes] | None:
        """The next whole frame (RFC 6455, 5.2)."""
        if len(self.bytes) < 2:
            return None
        length, start = self.bytes[1], 2
        if length == 126:
            if len(self.bytes) < 4:
                return None
            length, start = int.from_bytes(self.bytes[2:4], "big"), 4
        if len(self.bytes) < start + length:
            return None
        frame = self.bytes[0] & 0x0F, self.bytes[start : start + length]
        self.bytes = self.bytes[start + length :]
        return frame


class HintsHeard(Client):
    """What the workers publish right after a commit, as any subscriber of Redis' gets it."""

    def __init__(self, loop: Loop, stack: Stack, heard: Callable[[str, float], None]):
        super().__init__(loop, socket.create_connection(("127.0.0.1", stack.port + 1)))
        self.heard = heard
        self.send(b"PSUBSCRIBE chattrix:user:*\r\n")

    def received(self, at: float) -> None:
        # Each message has its channel, which ends in the user's id, on a line of its own.
        *lines, self.bytes = self.bytes.split(b"\r\n")
        for line in lines:
            if line.startswith(b"chattrix:user:") and not line.endswith(b"*"):
                self.heard(line.decode().removeprefix("chattrix:user:"), at)


def pause(longest_seconds: float) -> float:
    """So that calls fall nowhere in particular between two polls."""
    return random.uniform(0, longest_seconds)
