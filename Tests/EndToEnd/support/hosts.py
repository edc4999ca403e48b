"""Two hosts over one database and one Redis, each in a network namespace (Tests/Stack/hosts.sh)."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from support.outages import halted, kill, parent
from support.people import Person
from support.sockets import Socket
from support.stack import ROOT, Stack, alive, clean_environment, wait_until
from support.variants import NO_LIMITS

SCRIPT = ROOT / "Tests" / "Stack" / "hosts.sh"
# Windows that both hosts share are shown by the limit of token/generate, which stays as it is.
SETTINGS = NO_LIMITS | {"RATE_LIMIT_TOKEN_GENERATE": "10", "WORKERS": "4"}


class Hosts:
    """The stacks a, b and data. They go with this process, however it ends."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="chattrix-hosts-"))
        try:
            obstacle = self.run("obstacle")
            if obstacle:
                pytest.skip(obstacle)
            self.run("up", str(os.getpid()))
            self.a, self.b, self.data = (
                Stack(self.directory / name) for name in ("a", "b", "data")
            )
        except BaseException:
            self.down()
            raise

    @property
    def both(self) -> tuple[Stack, Stack]:
        return self.a, self.b

    def other(self, host: Stack) -> Stack:
        return self.b if host is self.a else self.a

    def run(self, *arguments: str) -> str:
        """A command of hosts.sh; what it printed."""
        places = {"STACK_DIR": str(self.directory), "TMPDIR": str(self.directory)}
        done = subprocess.run(
            [str(SCRIPT), *arguments],
            env=clean_environment() | SETTINGS | places,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=400,
        )
        if done.returncode != 0:
            raise RuntimeError(f"hosts.sh {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    @contextlib.contextmanager
    def cut(self, host: Stack, *links: str) -> Iterator[None]:
        """A host without its link to its clients, to the data, or to both."""
        name = host.directory.name
        try:
            for link in links:
                self.run("cut", name, link)
            yield
        finally:
            for link in links:
                self.run("mend", name, link)

    def redis(self, *command: str) -> list[str]:
        """A command of redis-cli; the lines of its answer."""
        client = ["redis-cli", "-u", self.data["REDIS_URL"], "--no-auth-warning"]
        return self.run("enter", "data", *client, *command).split("\n")

    def count(self, rows: str, *arguments) -> int:
        """How many rows `SELECT … FROM` finds in the database that both share."""
        return self.data.sql(f"SELECT COUNT(*) AS n FROM {rows}", *arguments)[0]["n"]

    def serve(self) -> bool:
        """Whether both hosts answer requests and take connections."""
        return all(answers(host) and takes_connections(host) for host in self.both)

    def down(self) -> None:
        try:
            self.run("wipe")
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


def answers(host: Stack, patience: float = 15) -> bool:
    """Whether nginx, workers and database are there."""
    try:
        return nobody(host).get("/calls/active", timeout=patience).status_code == 200
    except requests.RequestException:
        return False


def takes_connections(host: Stack) -> bool:
    try:
        nobody(host).socket().close()
        return True
    except Exception:
        return False


def nobody(host: Stack) -> Person:
    """Somebody who has a login and nothing else."""
    return Person(host, "nobody", "Nobody", None)


def at(host: Stack, person: Person) -> Person:
    """The same user as a client of another host."""
    return dataclasses.replace(person, stack=host)


@contextlib.contextmanager
def without(host: Stack, program: str) -> Iterator[None]:
    """A host whose supervisor (with its workers) or sidecar has been killed and stays away."""
    with halted(parent(host.pid(program))):  # who would start it again at once
        workers = host.workers() if program == "SUPERVISOR" else []
        victims = [host.pid(program), *workers]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):  # workers go by themselves
                kill(pid)
        wait_until(lambda: not any(alive(pid) for pid in victims))
        yield


class Device:
    """A client as an app is one: it knows what it has seen, and says so when it comes back."""

    def __init__(self, person: Person, name: str | None = None):
        self.person = person
        self.options = {} if name is None else {"device": name}
        self.sockets: list[Socket] = []
        self.connect(person.stack, first=True)

    def connect(self, host: Stack, first: bool = False, patience: float = 60) -> Socket:
        """Connects, over and over until the host lets it in."""
        seen = {} if first else {"last_event_id": self.last}

        def connected():
            try:
                return at(host, self.person).socket(**self.options, **seen)
            except Exception:
                return None

        self.sockets.append(wait_until(connected, patience, 0.05, "a connection"))
        return self.socket

    @property
    def socket(self) -> Socket:
        return self.sockets[-1]

    def lost(self) -> None:
        """Waits until the server is gone, and reads what it had sent."""
        self.socket.closed()

    def await_event(self, kind: str, **members) -> None:
        """Waits for an event, unless it has come already."""
        fits = [frame for frame in self.events if frame["type"] == kind]
        if not any(members.items() <= frame["data"].items() for frame in fits):
            self.socket.take(kind, **members)

    @property
    def events(self) -> list[dict]:
        """What came, over all connections."""
        return [frame for socket in self.sockets for frame in socket.events]

    @property
    def last(self) -> int:
        """The newest event that was seen."""
        return max((int(frame["id"]) for frame in self.events), default=0)

    @property
    def types(self) -> list[str]:
        """The events' types in their order, each of which must have come once."""
        numbers = [int(frame["id"]) for frame in self.events]
        assert numbers == sorted(set(numbers)), numbers
        return [frame["type"] for frame in self.events]
