"""Sockets that systemd holds (sd_listen_fds(3)): who connects while a program restarts is served
afterwards and not turned away (design §1)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from support.fastcgi import ask_workers
from support.outages import halted
from support.programs import program, stack_environment

criterion = pytest.mark.criterion


def join(address: str, token: str):
    """A signaling connection without nginx; the handshake may take a while."""
    return connect(f"ws://{address}/ws?token={token}", open_timeout=60, proxy=None, legacy=True)


@contextlib.contextmanager
def started(name: str, listener: socket.socket, environment: dict[str, str]):
    """A program that was handed `listener` as systemd hands one over: descriptor 3, LISTEN_PID."""
    command = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" 3<&"$1"'
    process = subprocess.Popen(
        ["bash", "-c", command, program(name), str(listener.fileno())],
        env={"PATH": os.environ["PATH"]} | environment,
        pass_fds=[listener.fileno()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@criterion("R11.1")
def test_handshakes_wait_while_the_sidecar_restarts(people):
    caller, callee = people.pair()
    settings = stack_environment(people.stack)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with started("chattrix-signaling", listener, settings):
            first = join(address, callee.token)
            assert json.loads(first.recv(30))["type"] == "connected"
        with contextlib.suppress(ConnectionClosed):
            first.recv(30)
        assert first.close_code == 1001
        # Nobody serves now.
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(join, address, callee.token)
            call = caller.call(callee)
            with started("chattrix-signaling", listener, settings):
                second = waiting.result(60)
                assert json.loads(second.recv(30))["type"] == "connected"
                invitation = json.loads(second.recv(30))
                assert invitation["type"] == "call_invitation"
                assert invitation["data"]["callId"] == call["callId"]
                second.close()


def test_requests_wait_while_the_supervisor_restarts(stack, tmp_path):
    path = str(tmp_path / "s")
    settings = stack_environment(stack) | {"WORKERS": "1"}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        with started("chattrix-supervisor", listener, settings):
            assert '"status":"ok"' in ask_workers(path, "/healthz").communicate(timeout=60)[0]
        with ask_workers(path, "/healthz") as waiting:
            with started("chattrix-supervisor", listener, settings):
                assert '"status":"ok"' in waiting.communicate(timeout=60)[0]


@pytest.mark.parametrize("name", ["chattrix-signaling", "chattrix-supervisor"])
def test_the_service_manager_is_told(stack, tmp_path, name):
    """sd_notify(3): ready, alive for as long as the event loop goes round, stopping."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        manager.bind(str(tmp_path / "notify"))
        settings = stack_environment(stack) | {
            "WORKERS": "1",
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "600000",
        }

        def told(message: str, seconds: float) -> bool:
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                manager.settimeout(left)
                with contextlib.suppress(TimeoutError):
                    if message in manager.recv(1000).decode().split("\n"):
                        return True
            return False

        def forget() -> None:
            """What has come."""
            manager.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    manager.recv(1000)

        with started(name, listener, settings) as process:
            assert told("READY=1", 60)
            for _ in range(3):
                assert told("WATCHDOG=1", 60)
            with halted(process.pid):
                forget()
                assert not told("WATCHDOG=1", 1.5)
            assert told("WATCHDOG=1", 60)
            process.send_signal(signal.SIGTERM)
            assert told("STOPPING=1", 60)


def test_what_is_no_listening_socket_is_refused(stack):
    """Better no start than one that nobody can reach."""
    with socket.socket() as pipe:
        for name in ("chattrix-signaling", "chattrix-supervisor"):
            with started(name, pipe, stack_environment(stack)) as process:
                assert process.wait(60) == 1
