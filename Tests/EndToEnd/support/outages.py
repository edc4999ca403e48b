"""Killing, halting and stopping the parts of a stack, and seeing it whole again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import requests

from support.people import People, send
from support.programs import program
from support.stack import alive, wait_until
from support.variants import SETTINGS

POOL = int(SETTINGS["fragile"]["WORKERS"])


def healthy(stack) -> bool:
    try:
        ready = readiness(stack)
        return ready == (200, "ready") and len(stack.workers()) == POOL and signals(stack)
    except (OSError, requests.RequestException, KeyError, ValueError):
        return False


def readiness(stack) -> tuple[int, str | None]:
    response = send(stack, "GET", stack["OPS_URL"].rstrip("/") + "/readyz", timeout=5)
    try:
        body = response.json()
    except ValueError:
        return response.status_code, None
    return response.status_code, body.get("status")


def signals(stack) -> bool:
    """Whether the sidecar takes connections."""
    try:
        person = People(stack).person()
        socket = person.socket()
        socket.close()
        return True
    except Exception:
        return False


def at_leisure(seconds: float) -> float:
    """What takes so many seconds at most on a machine at leisure may take these here, where other work has the
    processors: by twenty times what it takes at this moment to start a program, which is some milliseconds there."""
    began = time.monotonic()
    subprocess.run([program("chattrix-ctl"), "--version"], check=True, stdout=subprocess.DEVNULL)
    return seconds + 20 * (time.monotonic() - began)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)


def descriptors(stack) -> dict[int, int]:
    """How many each worker has open: one with a request has more."""
    return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in stack.workers()}


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def stands_still(pid: int) -> bool:
    """Whether all threads of a process have stopped: a signal takes a moment to reach each."""
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if task.read_text().rpartition(")")[2].split()[0] not in "TZX":
                return False
    return True


@contextlib.contextmanager
def halted(pid: int):
    """A process that hangs (SIGSTOP), and goes on afterwards."""
    kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: stands_still(pid), interval=0.001, message=f"{pid} to stop")
        yield
    finally:
        kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def stopped(stack, program: str):
    """MariaDB or Redis away: killed, and started again afterwards."""
    pid = stack.kill(program)
    wait_until(lambda: not alive(pid))
    try:
        yield
    finally:
        name = {"MYSQL": "mariadb", "REDIS": "redis"}[program]
        starter = stack.directory / "bin" / f"start-{name}"
        done = subprocess.run([str(starter)], capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        stack.local = threading.local()


def stop_keepers(stack) -> None:
    """Ends what starts the stack's own programs again when they end, and with it the programs."""
    programs = [stack.pid("SUPERVISOR"), stack.pid("SIGNALING")]
    for name in ("supervisor", "signaling"):
        recorded = (stack.directory / "pids" / f"keeper-{name}.pid").read_text().split()
        with contextlib.suppress(ProcessLookupError):  # by a test before this one
            os.kill(int(recorded[0]), signal.SIGTERM)
    wait_until(lambda: not any(alive(pid) for pid in programs), 90, 0.05, "the keepers' end")
