"""A relay in front of MySQL that counts the commands of its clients and can hold up both directions, as a
database on another host does; and a worker of its own behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fastcgi

# Commands that get no answer (MySQL's protocol, "Command Phase").
COM_QUIT, COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE = 0x01, 0x18, 0x19
UNANSWERED = {COM_QUIT, COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE}


class Relay(threading.Thread):
    """From a Unix socket of its own to the server's.

    :ivar commands: round trips since the last `take`.
    """

    def __init__(self, path: str, server: str, delay_seconds: float = 0.0):
        super().__init__(daemon=True)
        self.path, self.server, self.delay = path, server, delay_seconds
        self.commands = 0
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.start()
        self.ready.wait(10)

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.listen())
        with contextlib.suppress(RuntimeError):
            self.loop.run_forever()
        # What is under way ends with the loop: a coroutine that is collected later would look for it in vain.
        under_way = asyncio.all_tasks(self.loop)
        for task in under_way:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))

    async def listen(self) -> None:
        await asyncio.start_unix_server(self.relay, self.path)
        self.ready.set()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)

    def take(self) -> int:
        count, self.commands = self.commands, 0
        return count

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self.server)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                self.forward(reader, server_writer, Commands(self)),
                self.forward(server_reader, writer, None),
            )

    async def forward(self, reader, writer, commands: Commands | None) -> None:
        """In order, each piece after the delay."""
        pieces: asyncio.Queue = asyncio.Queue()

        async def deliver() -> None:
            while (piece := await pieces.get()) is not None:
                due, data = piece
                await asyncio.sleep(max(0.0, due - self.loop.time()))
                writer.write(data)
                await writer.drain()
            writer.close()

        delivery = asyncio.ensure_future(deliver())
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                if commands:
                    commands.feed(data)
                pieces.put_nowait((self.loop.time() + self.delay, data))
        pieces.put_nowait(None)
        with contextlib.suppress(ConnectionError):
            await delivery


class Commands:
    """Finds the commands in what a client sends: packets with the sequence number 0."""

    def __init__(self, relay: Relay):
        self.relay, self.buffer = relay, bytearray()

    def feed(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 5:
            size = int.from_bytes(self.buffer[:3], "little")
            if len(self.buffer) < 4 + size:
                return
            if self.buffer[3] == 0 and self.buffer[4] not in UNANSWERED:
                self.relay.commands += 1
            del self.buffer[: 4 + size]


class Worker:
    """One worker, whose database is behind a relay."""

    def __init__(self, environment: dict[str, str], program: Path, delay_seconds: float = 0.0):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = f"{self.folder.name}/fastcgi.sock"
        self.relay = Relay(
            f"{self.folder.name}/mysql.sock", environment["MYSQL_SOCKET"], delay_seconds
        )
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        self.listener.listen(16)
        limits = """TOKEN_GENERATE TOKEN_REFRESH CALL_INITIATE CALL_HISTORY QUALITY TICKET OTHER""".split()
        settings = {f"RATE_LIMIT_{name}": "0" for name in limits}
        self.process = subprocess.Popen(
            [str(program)], stdin=self.listener, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **environment, **settings, "MYSQL_SOCKET": self.relay.path},
        )  # fmt: skip

    def ask(self, *request) -> tuple[int, bytes]:
        """:return: the status and the body."""
        answer = fastcgi.ask(self.socket, *request)
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), content

    def cost(self, *request) -> tuple[int, float, bytes]:
        """:return: round trips, milliseconds and the body of a request that succeeds."""
        self.relay.take()
        began = time.perf_counter()
        status, content = self.ask(*request)
        took = (time.perf_counter() - began) * 1000
        assert status in (200, 201), (request, status, content)
        return self.relay.take(), took, content

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.listener.close()
        self.relay.stop()
        self.folder.cleanup()
