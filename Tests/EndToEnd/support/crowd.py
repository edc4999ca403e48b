"""Thousands of signaling connections in one thread: the websockets library's own protocol, without
its I/O, over sockets that epoll watches. Straight to the sidecar, as nginx would come."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import resource
import select
import socket
import struct
import time

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from support import keys
from support.stack import Stack

# Handshakes that are under way at a time.
CONCURRENCY = 500


def capacity(wanted: int) -> int:
    """How many connections this process and the sidecar, under the same limit, can have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, hard - 1000)


@dataclasses.dataclass(eq=False)
class Member:
    """One connection, from its handshake to its end."""

    user: str
    socket: socket.socket
    protocol: ClientProtocol
    refused: int | None = None
    frames: list[dict] = dataclasses.field(default_factory=list)
    # When the Close frame came to this machine, on the monotonic clock; it may be read much later.
    closed_at: float | None = None
    # The stream ended.
    is_gone: bool = False

    @property
    def last_event_id(self) -> str:
        ids = [frame["id"] for frame in self.frames if "id" in frame]
        return ids[-1] if ids else self.frames[0]["data"]["lastEventId"]

    @property
    def silence(self) -> float:
        """Seconds since the newest bytes came (tcp(7): TCP_INFO, tcpi_last_data_recv)."""
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        (milliseconds,) = struct.unpack_from("I", info, 52)
        return milliseconds / 1000

    def send_pending(self) -> None:
        for data in self.protocol.data_to_send():
            with contextlib.suppress(OSError):
                if data:
                    self.socket.sendall(data)
                else:
                    self.socket.shutdown(socket.SHUT_WR)

    def receive(self) -> None:
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if data:
            self.protocol.receive_data(data)
        else:
            self.is_gone = True
            self.protocol.receive_eof()
        for event in self.protocol.events_received():
            if isinstance(event, Response) and event.status_code != 101:
                self.refused = event.status_code
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.frames.append(json.loads(event.data))
            elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                self.closed_at = time.monotonic() - self.silence
        self.send_pending()


class Crowd:
    """Connections, by descriptor."""

    def __init__(self, stack: Stack):
        self.stack = stack
        host, _, port = stack["SIGNALING_ADDRESS"].rpartition(":")
        self.address = (host, int(port))
        self.epoll = select.epoll()
        self.members: dict[int, Member] = {}

    def join(self, users: list[tuple[str, str | None]], timeout: float = 60) -> None:
        """Connects users, each perhaps with a lastEventId, until all are greeted; fails once so many seconds have
        gone by without a greeting, since how many a second there are is the machine's."""
        started, waiting = 0, set()
        last = time.monotonic()
        while started < len(users) or waiting:
            assert time.monotonic() < last + timeout, (
                f"{len(waiting)} of {started} were not greeted"
            )
            while started < len(users) and len(waiting) < CONCURRENCY:
                waiting.add(self.open(*users[started]))
                started += 1
            for member in self.step(1):
                assert not member.is_gone and member.refused is None, (member.user, member.refused)
                if member.frames:
                    waiting.discard(member)
                    last = time.monotonic()

    def open(self, user: str, last_event_id: str | None) -> Member:
        url = f"ws://{self.address[0]}:{self.address[1]}/ws"
        if last_event_id is not None:
            url += f"?lastEventId={last_event_id}"
        protocol = ClientProtocol(parse_uri(url))
        request = protocol.connect()
        token = keys.token(self.stack.constant("JWT_SECRET"), user)
        request.headers["Authorization"] = f"Bearer {token}"
        protocol.send_request(request)
        member = Member(user, socket.create_connection(self.address), protocol)
        self.members[member.socket.fileno()] = member
        self.epoll.register(member.socket, select.EPOLLIN)
        member.send_pending()
        return member

    def step(self, seconds: float) -> list[Member]:
        """Takes what has come, waiting so long at most; who got something."""
        touched = []
        for descriptor, _ in self.epoll.poll(seconds, 1024):
            member = self.members[descriptor]
            member.receive()
            touched.append(member)
            if member.is_gone:
                self.epoll.unregister(descriptor)
                del self.members[descriptor]
                member.socket.close()
        return touched

    def close(self) -> None:
        for member in self.members.values():
            member.socket.close()
        self.epoll.close()
