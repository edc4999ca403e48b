"""A log whose reader has stopped, or has gone: lines are lost then and counted, and nothing else (R12.4)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.request

import pytest
from websockets.sync.client import connect

from support.fastcgi import ask_workers
from support.programs import program, stack_environment
from support.stack import wait_until
from support.variants import free_port, variant

criterion = pytest.mark.criterion


@contextlib.contextmanager
def signaling(environment: dict[str, str], log: int):
    """A WebSocket server of the test's own that logs to this descriptor; its address and process."""
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [program("chattrix-signaling")],
        env={"PATH": os.environ["PATH"]} | environment | {"SIGNALING_ADDRESS": address},
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    try:
        yield address, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def ready(address: str) -> bool:
    """Whether the server answers."""
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/healthz") as reply:
        return reply.status == 200
    return False


@criterion("R12.4")
@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("is_closed", [False, True], ids=["stopped", "gone"])
def test_a_log_without_a_reader(people, kind, is_closed):
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = (end.detach() for end in socket.socketpair())
    person = people.person()
    if is_closed:
        os.close(reader)
    try:
        with signaling(stack_environment(people.stack), writer) as (address, process):
            os.close(writer)
            wait_until(lambda: ready(address))
            # Each a line of the log; far more than either holds.
            for _ in range(2000):
                with socket.create_connection(address.rsplit(":", 1), timeout=30) as refused:
                    refused.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert refused.recv(4096).startswith(b"HTTP/1.1 401 ")
            url = f"ws://{address}/ws?token={person.token}"
            with connect(url, proxy=None, open_timeout=30) as connection:
                assert json.loads(connection.recv(30))["type"] == "connected"
            assert process.poll() is None
        assert process.returncode == 0
    finally:
        if not is_closed:
            os.close(reader)


def full_pipe() -> tuple[int, int]:
    """The ends of a pipe that holds all it can; writing waits there, as it does at first."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n")
    os.set_blocking(writer, True)
    return reader, writer


def emptied(reader: int) -> list[dict]:
    """The lines that a pipe holds."""
    os.set_blocking(reader, False)
    text = b""
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(reader, 1 << 16):
            text += piece
    return [json.loads(line) for line in text.splitlines() if line]


def programs_of(supervisor: int, stack) -> dict[int, str]:
    """Its children, by the file name of their program."""
    found = {}
    for pid in stack.children(supervisor):
        with contextlib.suppress(OSError):
            found[pid] = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    return found


class TestSupervisor:
    """The supervisor and what it starts write to one pipe."""

    pytestmark = variant("webhooks")  # for chattrix-webhooks, too
    kinds = ["chattrix-webhooks", "chattrix-worker", "chattrix-worker"]

    @criterion("R12.4")
    def test_a_full_pipe(self, stack, tmp_path):
        """Workers and chattrix-webhooks start, answer, are replaced and end; what was lost is told of later."""
        reader, writer = full_pipe()
        path = str(tmp_path / "s")
        settings = {"WORKERS": "2", "LOG_LEVEL": "debug", "FASTCGI_SOCKET": f"unix:{path}"}
        process = subprocess.Popen(
            [program("chattrix-supervisor")],
            env={"PATH": os.environ["PATH"]} | stack_environment(stack) | settings,
            stdout=subprocess.DEVNULL,
            stderr=writer,
        )
        os.close(writer)
        try:
            self.answers(path)
            for _ in range(2):
                self.is_replaced(process, stack)
                self.answers(path)
            emptied(reader)
            self.is_replaced(process, stack)
            lines = emptied(reader)
            lost = [line for line in lines if line["event"] == "log_lines_lost"]
            assert "chattrix-supervisor" in {line["program"] for line in lost}, lines
            assert all(line["lines"] > 0 for line in lost)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            os.close(reader)
        assert code == 0

    def is_replaced(self, process: subprocess.Popen, stack) -> None:
        """SIGHUP: every child is a new one."""
        before = programs_of(process.pid, stack)
        process.send_signal(signal.SIGHUP)

        def replaced() -> bool:
            now = programs_of(process.pid, stack)
            return not now.keys() & before.keys() and sorted(now.values()) == self.kinds

        wait_until(replaced, 60, 0.05)

    def answers(self, path: str) -> None:
        def ready() -> bool:
            return '"status":"ready"' in ask_workers(path, "/readyz").communicate(timeout=60)[0]

        wait_until(ready, 60, 0.1)
