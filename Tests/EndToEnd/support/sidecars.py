"""A sidecar of a test's own beside that of the stack: over the same stores, free to be ended."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator

from support.programs import program, stack_environment
from support.stack import Stack, clean_environment, wait_until


@contextlib.contextmanager
def sidecar(stack: Stack, address: str, **settings: str) -> Iterator[subprocess.Popen]:
    """Runs one at `host:port` with these settings until the end, or until it is ended before."""
    environment = clean_environment() | stack_environment(stack)
    process = subprocess.Popen(
        [program("chattrix-signaling")],
        env=environment | {"SIGNALING_ADDRESS": address} | settings,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(address), message="a sidecar")
        yield process
    finally:
        process.kill()  # it holds nothing, and to end well would take it seconds
        process.wait()


def answers(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 1).close()
        return True
    except OSError:
        return False
