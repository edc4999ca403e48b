"""The files under LOG_DIR: those of the programs, which are JSON lines, and all the others."""

from __future__ import annotations

import json
from pathlib import Path

from support.stack import Stack

# Servers and scripts around the programs.
FOREIGN = ("nginx", "mariadb", "mysql", "redis", "keeper", "make", "openssl")


def files(stack: Stack) -> list[Path]:
    """All log files of a stack."""
    return sorted(path for path in Path(stack["LOG_DIR"]).rglob("*") if path.is_file())


def program_files(stack: Stack) -> list[Path]:
    """The log files that our programs write."""
    return [path for path in files(stack) if not path.name.lower().startswith(FOREIGN)]


def program_lines(stack: Stack) -> list[dict]:
    """Every complete line of them, read strictly as one JSON object."""
    lines = []
    for path in program_files(stack):
        text = path.read_bytes().decode()
        for line in text[: text.rfind("\n") + 1].splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError as error:
                raise AssertionError(f"{path.name}: no JSON: {line[:300]!r}") from error
            assert isinstance(entry, dict), (path.name, line)
            lines.append(entry)
    return lines
