"""The WebSocket servers that are compared, and the load program that is let loose on them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stack import Stack, listens

BENCH = Path(__file__).parent
ROOT = BENCH.parent.parent
BUILT = ROOT / ".build" / "release"


@dataclass
class Server:
    name: str
    address: tuple[str, int]
    pid: int
    # What the load program has to know to open connections.
    options: list[str] = field(default_factory=list)

    def load(self, mode: str, *options: str) -> dict[str, float]:
        """One run of the load program, and what it printed."""
        done = subprocess.run(
            self.command(mode, *options), check=True, stdout=subprocess.PIPE, env=os.environ
        )
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def crowd(self, count: int) -> Iterator[None]:
        """Keeps so many connections open."""
        command = self.command("idle", "--connections", str(count))
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
        ) as process:
            try:
                if not process.stdout.readline():
                    raise RuntimeError(f"{count} connections to {self.name} could not be opened")
                yield
            finally:
                process.stdin.close()
                process.wait(timeout=60)

    def command(self, mode: str, *options: str) -> list[str]:
        host, port = self.address
        return [
            str(BUILT / "load"),
            mode,
            f"{host}:{port}",
            *self.options,
            "--server",
            str(self.pid),
            *options,
        ]


def sidecar(stack: Stack, users: Path, pid: int | None = None) -> Server:
    """The product: each connection another user's, its JWT verified, open once `connected` has come."""
    options = ["--path", "/ws", "--greeted", "--users", str(users)]
    return Server("sidecar", stack.signaling, pid or stack.pid("SIGNALING"), options)


def peers() -> dict[str, list[str]]:
    """How each server beside the sidecar is started, its port left to be appended; those whose sources
    were not named are not here."""
    known = {"echo-server": [str(BUILT / "echo-server")]}
    if os.environ.get("UWEBSOCKETS"):
        known["uWebSockets"] = [str(ROOT / ".build" / "bench" / "uwebsockets")]
    if os.environ.get("NODE_WS"):
        known["Node ws"] = ["node", str(BENCH / "Peers" / "node-ws.mjs")]
    return known


@contextlib.contextmanager
def peer(name: str, port: int) -> Iterator[Server]:
    address = f"127.0.0.1:{port}" if name == "echo-server" else str(port)
    process = subprocess.Popen([*peers()[name], address])
    try:
        deadline = time.monotonic() + 10
        while not listens(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not listen")
            time.sleep(0.05)
        yield Server(name, ("127.0.0.1", port), process.pid)
    finally:
        process.terminate()
        process.wait(timeout=15)
