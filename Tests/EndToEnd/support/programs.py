"""The programs, run directly."""

from __future__ import annotations

import os
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
