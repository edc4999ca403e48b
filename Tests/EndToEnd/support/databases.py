"""Databases of a test's own on the stack's server, and `chattrix-ctl` on them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid

from support.programs import program, stack_environment
from support.stack import Stack


@contextlib.contextmanager
def own_database(stack: Stack):
    """An empty database with an account of its own, as settings."""
    name = f"own_{uuid.uuid4().hex[:12]}"
    account = f"'{name}'@localhost"
    stack.administrate(
        f"CREATE DATABASE {name} CHARACTER SET utf8mb4",
        f"CREATE USER {account} IDENTIFIED BY 'a password'",
        f"GRANT ALL ON {name}.* TO {account}",
    )
    try:
        yield {"MYSQL_DATABASE": name, "MYSQL_USER": name, "MYSQL_PASSWORD": "a password"}
    finally:
        stack.administrate(f"DROP DATABASE {name}", f"DROP USER {account}")


def start_migration(stack: Stack, settings: dict[str, str], *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [program("chattrix-ctl"), "migrate", *arguments],
        env=os.environ | stack_environment(stack) | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def migrate(stack: Stack, settings: dict[str, str], *arguments: str) -> str:
    """Until it succeeds, which it has to at once.

    :returns: what it said of its way, on standard error
    """
    running = start_migration(stack, settings, *arguments)
    output, said = running.communicate(timeout=120)
    assert running.returncode == 0, output + said
    return said
