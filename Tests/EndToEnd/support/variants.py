"""Stacks with other settings than the default's, and the mark that asks for one.

One pytest-xdist worker owns each: the tests of a variant form an xdist group.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import random
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from support import keys
from support.receiver import Receiver
from support.replica import Replica
from support.stack import Stack, make

NO_LIMITS = {
    "RATE_LIMIT_TOKEN_GENERATE": "0",
    "RATE_LIMIT_TOKEN_REFRESH": "0",
    "RATE_LIMIT_CALL_INITIATE": "0",
    "RATE_LIMIT_CALL_HISTORY": "0",
    "RATE_LIMIT_QUALITY": "0",
    "RATE_LIMIT_TICKET": "0",
    "RATE_LIMIT_OTHER": "0",
}

SETTINGS = {
    # Requests by the thousand that were generated from the description.
    "generated": NO_LIMITS,
    # Users who call again and again, and calls that ring for as long as usual.
    "unlimited": NO_LIMITS,
    # Calls that ring for three seconds: time-outs.
    "brisk": NO_LIMITS | {"CALL_TIMEOUT_SECONDS": "3", "JWT_ALGORITHMS": "HS256,HS512"},
    # What gets killed, and what has a table taken away.
    "fragile": NO_LIMITS | {"CALL_TIMEOUT_SECONDS": "12", "WORKERS": "4"},
    # Connections by the thousand.
    "crowded": NO_LIMITS | {"WORKERS": "2"},
    # Programs that are restarted while they are in use.
    "upgraded": NO_LIMITS | {"WORKERS": "4"},
    # A database whose tables a test empties and fills from another server's.
    "imported": NO_LIMITS | {"WORKERS": "2"},
    # Public keys that are replaced while it runs.
    "rotating": NO_LIMITS | {"WORKERS": "3"},
    # A balancer in front, a port in clear, and limits per address that a test can reach.
    "fronted": NO_LIMITS | {"STACK_BALANCER": "127.0.0.1", "STACK_LIMITS": "low"},
    # Webhooks and kicks go to a receiver of the tests'.
    "webhooks": NO_LIMITS
    | {"CALL_TIMEOUT_SECONDS": "12", "WORKERS": "4", "MAX_CALL_DURATION_SECONDS": "600"},
    # Apache httpd in nginx's place.
    "apache": NO_LIMITS | {"STACK_SERVER": "apache", "WORKERS": "2"},
    # A Redis with a replica that can take its place.
    "replicated": NO_LIMITS | {"WORKERS": "3"},
    # Agora's notifications, and an absence that a test can wait for.
    "noticed": NO_LIMITS
    | {"AGORA_WEBHOOK_SECRET": "agoras-secret", "AGORA_ABSENCE_SECONDS": "2", "WORKERS": "4"},
    # Everything that an installation may set.
    "configured": {
        "JWT_ALGORITHMS": "HS256,HS384,RS256,ES256",
        "JWT_ISSUER": "https://login.example",
        "JWT_AUDIENCE": "chattrix-calls",
        "ALLOWED_ORIGINS": "https://app.example,https://other.example:8444",
        "TOKEN_CHANNELS": "any",
        "AGORA_TOKEN_EXPIRATION_SECONDS": "1800",
        "CALL_TIMEOUT_SECONDS": "45",
        "MAX_CALL_DURATION_SECONDS": "90",
        "RATE_LIMIT_TOKEN_GENERATE": "3",
        "RATE_LIMIT_TOKEN_REFRESH": "4",
        "RATE_LIMIT_CALL_INITIATE": "2",
        "RATE_LIMIT_CALL_HISTORY": "6",
        "RATE_LIMIT_QUALITY": "7",
        "RATE_LIMIT_TICKET": "8",
        "RATE_LIMIT_OTHER": "120",
    },
}


def variant(name: str):
    """The marks of a test that needs the stack called `name`."""
    return [pytest.mark.variant(name), pytest.mark.xdist_group(name)]


def free_port() -> int:
    """The first of five neighbouring free ports, below those that the kernel gives out. They are this process's until
    it ends, also while nobody listens there."""
    while True:
        port = random.randrange(20_000, 32_000, 5)
        if port in given or not reserved(port):
            continue
        try:
            for offset in range(5):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        given.add(port)
        return port


given: set[int] = set()


def reserved(port: int) -> bool:
    """Whether no other process of this user has it: each locks a byte of a file, which is free again when the process
    has ended (fcntl(2), "record locks")."""
    try:
        fcntl.lockf(port_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@functools.cache
def port_locks() -> int:
    """The file; another descriptor of it must not be closed, which would end the locks."""
    path = Path(tempfile.gettempdir()) / f"chattrix-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


class Variant:
    """A stack that this worker brings up at its first use, and down at the end."""

    def __init__(self, name: str):
        self.name = name
        self.directory = Path(tempfile.mkdtemp(prefix=f"chattrix-{name}-"))
        settings = {"STACK_PORT": str(free_port())} | SETTINGS[name]
        if name == "fronted":
            settings["STACK_HTTP_PORT"] = str(int(settings["STACK_PORT"]) + 4)
        if name == "configured":
            settings |= self.key_files()
        if name == "rotating":
            settings |= self.key_file()
        if name == "webhooks":
            self.receiver = Receiver(self.directory, int(settings["STACK_PORT"]) + 4)
            settings |= self.receiver.settings()
        if name == "replicated":
            port = int(settings["STACK_PORT"])
            self.replica = Replica(self.directory, port + 4, port + 1)
            settings["REDIS_URL"] = self.replica.url
        try:
            make("up", self.directory / "stack", settings)
            self.stack = Stack(self.directory / "stack")
            self.stack.given |= settings
            self.stack.receiver = getattr(self, "receiver", None)
            self.stack.replica = getattr(self, "replica", None)
        except BaseException:
            self.down()
            raise

    def key_file(self) -> dict[str, str]:
        """A JWKS file of its own."""
        jwks = self.directory / "jwks.json"
        jwks.write_text(json.dumps(keys.key_set()))
        return {"JWT_JWKS_FILE": str(jwks)}

    def key_files(self) -> dict[str, str]:
        """Public keys for RS256 (a PEM file) and for RS256 and ES256 by `kid` (a JWKS file)."""
        pem = self.directory / "public.pem"
        pem.write_bytes(keys.public_pem(keys.PEM_KEY))
        jwks = self.directory / "jwks.json"
        jwks.write_text(json.dumps(keys.key_set()))
        return {"JWT_PUBLIC_KEY_FILE": str(pem), "JWT_JWKS_FILE": str(jwks)}

    def down(self) -> None:
        make("down", self.directory / "stack", {})
        for name in ("receiver", "replica"):
            if hasattr(self, name):
                getattr(self, name).close()
        shutil.rmtree(self.directory, ignore_errors=True)
