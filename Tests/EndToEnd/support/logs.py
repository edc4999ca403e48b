"""The files under LOG_DIR: those of the programs, which are JSON lines, and all the others."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
import uuid
from pathlib import Path

from support.stack import SERVER, Stack, wait_until

# Servers and scripts around the programs.
FOREIGN = ("nginx", "apache", "mariadb", "mysql", "redis", "keeper", "make", "openssl")


def files(stack: Stack) -> list[Path]:
    """All log files of a stack."""
    return sorted(path for path in Path(stack["LOG_DIR"]).rglob("*") if path.is_file())


@contextlib.contextmanager
def turning(stack: Stack, lock: int):
    """While the access log is turned (`fcntl.LOCK_EX`) there is no file of its name for a moment, and while files are
    read (`fcntl.LOCK_SH`) it stays: several processes run tests on one stack."""
    with (stack.directory / "access-log.lock").open("w") as file:
        fcntl.flock(file, lock)
        yield


def texts(stack: Stack) -> dict[Path, str]:
    """All log files of a stack, with what is in each."""
    with turning(stack, fcntl.LOCK_SH):
        return {path: path.read_bytes().decode(errors="replace") for path in files(stack)}


def settle(stack: Stack) -> None:
    """Has nginx write what it holds of its access log: the file is turned, as logrotate(8) does it, and is
    complete once no process has it open. Apache holds nothing, but writes a line after the answer."""
    if SERVER == "apache":
        time.sleep(0.5)
        return
    log = Path(stack["LOG_DIR"]) / "nginx-access.log"
    turned = log.with_name(f"{log.name}.{uuid.uuid4().hex[:12]}")
    nginx = stack.pid("NGINX")
    with turning(stack, fcntl.LOCK_EX):
        log.rename(turned)
        os.kill(nginx, signal.SIGUSR1)
        wait_until(
            lambda: not any(has_open(pid, turned) for pid in [nginx, *stack.children(nginx)])
        )


def has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open (proc(5)); one that is gone has none."""
    try:
        return any(
            os.path.realpath(found) == str(path) for found in Path(f"/proc/{pid}/fd").iterdir()
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def access_line(stack: Stack, request_id: str) -> dict:
    """The one line of a request; nginx writes that of a WebSocket once it has seen the socket's end, and Apache any
    line after its answer."""

    def found() -> list[dict]:
        lines = [line for line in logged(stack) if line["requestId"] == request_id]
        if not lines and SERVER == "nginx":
            settle(stack)
        return lines

    (line,) = wait_until(found, 60, 0.05, f"a line of {request_id}")
    return line


def logged(stack: Stack) -> list[dict]:
    """The complete lines of the access log."""
    with turning(stack, fcntl.LOCK_SH):
        found = sorted(Path(stack["LOG_DIR"]).glob(f"{SERVER}-access.log*"))
        return [json.loads(line) for path in found for line in complete_lines(path)]


def complete_lines(path: Path) -> list[str]:
    """Without one that is being written, which may end within a character."""
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1].decode().splitlines()


def program_files(stack: Stack) -> list[Path]:
    """The log files that our programs write."""
    return [path for path in files(stack) if not path.name.lower().startswith(FOREIGN)]


def program_lines(stack: Stack) -> list[dict]:
    """Every complete line of them, read strictly as one JSON object."""
    lines = []
    for path in program_files(stack):
        for line in complete_lines(path):
            try:
                entry = json.loads(line)
            except json.JSONDecodeError as error:
                raise AssertionError(f"{path.name}: no JSON: {line[:300]!r}") from error
            assert isinstance(entry, dict), (path.name, line)
            lines.append(entry)
    return lines
