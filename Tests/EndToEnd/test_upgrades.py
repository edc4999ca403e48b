"""An upgrade while the service is in use: workers that are replaced, programs that are restarted over the sockets
that systemd holds (systemd/*.socket), and migrations. No request fails, no event is lost (design §1, §6; contract 6.4).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from support.continuity import in_use
from support.outages import stop_keepers
from support.programs import program, stack_environment
from support.stack import ROOT, Stack, clean_environment, wait_until
from support.variants import variant

pytestmark = [*variant("upgraded"), pytest.mark.timeout(600)]
criterion = pytest.mark.criterion

MIGRATION = """-- As a next version might have it.
ALTER TABLE calls ADD COLUMN upgrade_{number} VARCHAR(64) NULL, ADD INDEX upgrade_{number} (upgrade_{number});
"""
ROUTINE = """CREATE PROCEDURE upgrade_{number}() SQL SECURITY INVOKER BEGIN SELECT {number}; END
"""


class Units:
    """The two programs as systemd runs them: it listens, and hands each its socket."""

    def __init__(self, stack: Stack):
        self.stack = stack
        host, _, port = stack["SIGNALING_ADDRESS"].rpartition(":")
        path = stack["FASTCGI_SOCKET"]
        stop_keepers(stack)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        fastcgi = socket.socket(socket.AF_UNIX)
        fastcgi.bind(path)
        fastcgi.listen(4096)
        self.listeners = {
            "supervisor": fastcgi,
            "signaling": socket.create_server((host, int(port)), backlog=4096),
        }
        self.running: dict[str, subprocess.Popen] = {}

    def start(self, name: str) -> None:
        listener = self.listeners[name].fileno()
        settings = stack_environment(self.stack) | self.stack.given
        command = 'ulimit -n "$(ulimit -Hn)"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" 3<&"$1"'
        with (self.stack.directory / "logs" / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                ["bash", "-c", command, program(f"chattrix-{name}"), str(listener)],
                env=clean_environment() | settings,
                pass_fds=[listener],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def stop(self, name: str) -> None:
        self.running[name].terminate()
        assert self.running[name].wait(120) == 0

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def workers(self) -> list[int]:
        return self.stack.children(self.running["supervisor"].pid)

    def reload(self) -> None:
        """SIGHUP, and until every worker is another."""
        before = set(self.workers())
        self.running["supervisor"].send_signal(signal.SIGHUP)
        wait_until(lambda: not before & set(self.workers()), 90, message="other workers")

    def close(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(120)
        for listener in self.listeners.values():
            listener.close()


@pytest.fixture
def units(stack):
    running = Units(stack)
    try:
        for name in running.listeners:
            running.start(name)
        yield running
    finally:
        running.close()


def next_version(folder, number: int):
    """A folder with the migrations of a next version."""
    shutil.copytree(ROOT / "sql", folder, dirs_exist_ok=True)
    (folder / f"9{number:03}_upgrade.sql").write_text(MIGRATION.format(number=number))
    (folder / "routines" / f"upgrade_{number}.sql").write_text(ROUTINE.format(number=number))
    return folder


def migrate(stack: Stack, folder) -> None:
    """By the next version's `chattrix-ctl`."""
    subprocess.run(
        [program("chattrix-ctl"), "migrate", "--sql", str(folder)],
        env=clean_environment() | stack_environment(stack),
        check=True,
        capture_output=True,
        timeout=180,
    )


@criterion("R11.1", "R11.4", "C6.4")
@pytest.mark.parametrize(
    ("devices", "threads"),
    [(50, 4), pytest.param(1000, 8, marks=pytest.mark.slow)],
)
def test_an_upgrade_in_use(stack, people, units, tmp_path, devices, threads):
    """Every step of it; then what each device and each request saw."""
    started = time.monotonic()
    versions = [next_version(tmp_path / f"sql-{number}", number) for number in (1, 2)]
    # The second has what the first one had.
    next_version(versions[1], 1)
    with in_use(stack, people, devices, threads) as (phones, calls):
        units.reload()
        calls.go_on()
        assert not phones.codes, "a reload closed a WebSocket"

        migrate(stack, versions[0])  # by another host, which is upgraded first
        calls.go_on()

        units.restart("signaling")
        phones.await_closed(1)
        phones.await_connected()
        calls.go_on()

        units.restart("supervisor")
        calls.go_on()

        units.stop("supervisor")
        migrate(stack, versions[1])  # ExecStartPre= of chattrix-calls.service
        units.start("supervisor")
        units.restart("signaling")
        phones.await_closed(2)
        calls.go_on()
    print(
        f"{devices} devices, {sum(d.connections for d in phones.devices)} connections,"
        f" closed with {dict(phones.codes)}, {phones.events} events;"
        f" {calls.answered} requests, {len(calls.faults)} failed;"
        f" {time.monotonic() - started:.0f} s"
    )
    assert calls.faults == []
    assert phones.faults == []
    assert set(phones.codes) == {1001} and phones.codes[1001] == 2 * devices
