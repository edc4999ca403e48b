"""A stack of the run's own: its directory, on a small disk where there can be one, its receiver of webhooks, its users."""

from __future__ import annotations

import dataclasses
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from Chaos.records import Kind
from support.cluster import Node
from support.hosts import at
from support.people import People, Person
from support.receiver import Receiver, Request
from support.stack import Stack, alive, make, wait_until
from support.variants import NO_LIMITS, free_port

WORKERS = 4
RING_SECONDS = 4
MAXIMUM_SECONDS = 15
SETTINGS = NO_LIMITS | {
    "WORKERS": str(WORKERS),
    "CALL_TIMEOUT_SECONDS": str(RING_SECONDS),
    "MAX_CALL_DURATION_SECONDS": str(MAXIMUM_SECONDS),
}
# MariaDB's empty data, and then what a call leaves behind.
DISK_BYTES, DISK_BYTES_PER_CALL = 400_000_000, 60_000
# Everybody in a group may call everybody else in it: few enough to meet others who are busy.
GROUP = 4


# How a receiver says that it has not got a webhook.
REFUSALS = [(500, {}), "close", (503, {"Retry-After": "1"}), "half"]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run is asked for; the seed decides on everything else."""

    seed: int
    calls: int
    seconds: float
    users: int
    # Of the stack; None: one that is free.
    port: int | None = None
    # Two hosts over a cluster, galera or group, instead of one with a MariaDB of its own.
    cluster: str = ""


class Unwilling:
    """The receiver refuses one webhook in twenty when it comes for the first time."""

    def __init__(self, seed: int):
        self.random = random.Random(f"{seed}:receiver")
        self.seen: set[str] = set()

    def __call__(self, request: Request) -> bool:
        if not request.path.startswith("/webhooks") or request.id in self.seen:
            return False
        self.seen.add(request.id)
        return self.random.random() < 0.05


class Stage:
    """Up as long as the block lasts; the logs of a run that failed stay, in `kept`."""

    # Ways and targets of faults that are not here: those of a cluster.
    spared: tuple[str, ...] = ("node", "quorum", "primary")
    nodes: list[Node] = []
    # Until what was asked to end has ended.
    end_seconds = 40
    # Until everything is as before a fault; the supervisor waits for a worker that hangs, the keeper for a program.
    whole_seconds = 60

    def __init__(self, plan: Plan, kept: Path | None = None):
        self.kept = kept
        self.directory = Path(tempfile.mkdtemp(prefix="chattrix-chaos-"))
        self.disk = self.directory / "disk"
        self.has_disk = False
        # By name; where there is one, its name is empty.
        self.hosts: dict[str, Stack] = {}
        self.receiver = Receiver(self.directory, free_port())
        self.receiver.when(Unwilling(plan.seed), *REFUSALS * plan.calls)
        try:
            self.open(plan, SETTINGS | self.receiver.settings())
            self.people = self.populate(plan.users)
        except BaseException:
            self.down()
            raise

    def open(self, plan: Plan, settings: dict[str, str]) -> None:
        """Brings the hosts up."""
        settings = {"STACK_PORT": str(plan.port or free_port())} | settings
        make("up", self.directory / "stack", settings)
        self.hosts[""] = Stack(self.directory / "stack")
        self.take_small_disk(plan)

    def take_small_disk(self, plan: Plan) -> None:
        """What can be full, where that can be."""
        self.has_disk = self.mount(DISK_BYTES + plan.calls * DISK_BYTES_PER_CALL)
        if self.has_disk:
            self.move_data()
        else:
            self.spared += ("disk",)

    def host(self, name: str) -> Stack:
        """The host of that name; without one the first, which has what all share."""
        return self.hosts.get(name) or self.stack

    @property
    def stack(self) -> Stack:
        return next(iter(self.hosts.values()))

    def places(self, person: Person) -> dict[str, Person]:
        """The user as a client of each host."""
        return {name: at(host, person) for name, host in self.hosts.items()}

    def struck(self, kind: Kind, which: float) -> list[Node]:
        """The nodes that a fault befalls: one, or so many that the others have no quorum."""
        first = int(which * len(self.nodes))
        number = len(self.nodes) // 2 + 1 if kind.target == "quorum" else 1
        return (self.nodes[first:] + self.nodes[:first])[:number]

    def lacking(self) -> str:
        """What the database lacks besides what `/readyz` says; nothing where all is well."""
        return ""

    def miss(self, node: Node) -> None:
        """Waits until the cluster has noticed that a node is gone."""

    def ended(self) -> list[tuple[str, str]]:
        """Servers that are not there, each with its host."""
        programs = (("MYSQL", "mariadb"), ("REDIS", "redis"), ("NGINX", "nginx"))
        return [
            (server, name)
            for name, host in self.hosts.items()
            for program, server in programs
            if (pid := host.get(f"{program}_PID")) and not alive(int(pid))
        ]

    def may_end(self, server: str, kinds: tuple[Kind, ...]) -> bool:
        """Whether a server may end, or leave its cluster, after these faults. MariaDB may of a full disk: InnoDB aborts
        where a rollback finds no room ("Out of disk space in rollback"), and its service manager starts it again."""
        return server in ("mariadb", "node") and Kind("fill", "disk") in kinds

    def mount(self, size: int) -> bool:
        """A disk that can be full is a tmpfs, and that takes root."""
        self.disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.disk)]
        try:
            return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
        except OSError:
            return False

    def move_data(self) -> None:
        """MariaDB's data go to the small disk; nothing else does."""
        data = self.stack.directory / "mysql"
        pid = self.stack.kill("MYSQL", signal.SIGTERM)
        wait_until(lambda: not alive(pid), 60, message="the end of MariaDB")
        shutil.move(data, self.disk / "mysql")
        data.symlink_to(self.disk / "mysql")
        self.start("mariadb", "")

    def start(self, name: str, host: str) -> None:
        """By the stack's own script; what stands in the way may be another fault, which passes."""
        starter = self.host(host).directory / "bin" / f"start-{name}"
        for attempts_left in reversed(range(5)):
            done = subprocess.run([str(starter)], capture_output=True, text=True, timeout=120)
            if done.returncode == 0:
                return
            if attempts_left == 0:
                raise RuntimeError(f"start-{name}: {done.stdout}{done.stderr}")
            time.sleep(2)

    def populate(self, number: int) -> list[Person]:
        """Users in groups of contacts, named so that a report can be read."""
        people = People(self.stack)
        persons = [people.person(f"user-{index:03}") for index in range(number)]
        for person in persons:
            for friend in self.friends(persons, person):
                people.contact(person, friend)
        return persons

    @staticmethod
    def friends(persons: list[Person], person: Person) -> list[Person]:
        """The others of a user's group."""
        first = persons.index(person) // GROUP * GROUP
        return [other for other in persons[first : first + GROUP] if other is not person]

    @property
    def root(self) -> Path:
        """Everything of the stack lies below it."""
        return self.directory

    def logs(self) -> dict[str, Path]:
        """Folders and files by the names under which they are kept."""
        return {name: host.directory / "logs" for name, host in self.hosts.items()}

    def keep_logs(self) -> None:
        """Copies what the programs logged to where it outlives the stack."""
        for name, log in self.logs().items() if self.kept is not None else ():
            if log.is_dir():
                shutil.copytree(log, self.kept / name, dirs_exist_ok=True)
            else:
                shutil.copy2(log, self.kept / f"{name}.log")

    def close(self) -> None:
        """Brings the hosts down."""
        make("down", self.directory / "stack", {})

    def down(self) -> None:
        self.close()
        self.receiver.close()
        self.remove()

    def remove(self) -> None:
        for _ in range(50 if self.has_disk else 0):
            if subprocess.run(["umount", str(self.disk)], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        shutil.rmtree(self.directory, ignore_errors=True)
