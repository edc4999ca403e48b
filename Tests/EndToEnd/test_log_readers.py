"""A log whose reader has stopped, or has gone: lines are lost then, and nothing else (R12.4)."""

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

from support.programs import program, stack_environment
from support.stack import wait_until

criterion = pytest.mark.criterion


@contextlib.contextmanager
def signaling(environment: dict[str, str], log: int):
    """A WebSocket server of the test's own that logs to this descriptor; its address and process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
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
        process.wait(20)


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
                with socket.create_connection(address.rsplit(":", 1), timeout=5) as refused:
                    refused.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert refused.recv(4096).startswith(b"HTTP/1.1 401 ")
            url = f"ws://{address}/ws?token={person.token}"
            with connect(url, proxy=None, open_timeout=5) as connection:
                assert json.loads(connection.recv(5))["type"] == "connected"
            assert process.poll() is None
        assert process.returncode == 0
    finally:
        if not is_closed:
            os.close(reader)
