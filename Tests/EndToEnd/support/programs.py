"""The programs, run directly."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.stack import ROOT, Stack

PROGRAMS = [
    "chattrix-supervisor",
    "chattrix-worker",
    "chattrix-signaling",
    "chattrix-webhooks",
    "chattrix-ctl",
]


def program(name: str) -> str:
    """Where a program lies: in `CHATTRIX_BIN`, or where the release build puts it."""
    folder = Path(os.environ.get("CHATTRIX_BIN", ROOT / ".build" / "release"))
    return str(folder / name)


def stack_environment(stack: Stack) -> dict[str, str]:
    """The settings that a program needs to work beside a running stack."""
    names = ["MYSQL_SOCKET", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "REDIS_URL"]
    names += ["JWT_SECRET", "AGORA_APP_ID", "AGORA_APP_CERTIFICATE"]
    names += ["FASTCGI_SOCKET", "SIGNALING_ADDRESS"]
    sending = {
        name: value
        for name, value in stack.given.items()
        if name.startswith(("WEBHOOK_", "AGORA_CUSTOMER_", "AGORA_API_"))
    }
    return {name: stack[name] for name in names} | {"SQL_DIR": str(ROOT / "sql")} | sending


def run_ctl(stack: Stack, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command of `chattrix-ctl`, with a stack's settings and these."""
    return subprocess.run(
        [program("chattrix-ctl"), *arguments],
        env=os.environ | stack_environment(stack) | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def ctl(stack: Stack, *arguments: str, status: int = 0) -> str:
    """What a command of `chattrix-ctl` prints; it has to end with this status."""
    done = run_ctl(stack, *arguments)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout
