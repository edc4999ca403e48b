"""What is done to a stack: each fault is drawn whole from the seed, done, and undone by the stack's own scripts.

Clock steps are not among them: a container may not set the clock, and MariaDB's would have to go with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable

import pymysql

from Chaos.processes import companions
from Chaos.records import Kind
from Chaos.stage import Stage
from support.cluster import Node
from support.stack import alive, wait_until

# How long a program hangs or stays away, and how long one in six times: longer than a transaction may be idle
# (5 s), than a program waits for an answer from the database, and than a cluster waits for a node (4 s).
SHORT_SECONDS, LONG_SECONDS = (0.2, 4.0), (5.5, 13.0)


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault, with everything that chance has a say in."""

    # A key of WAYS, one of its targets, and where.
    kind: Kind
    seconds: float
    # Which of several processes, from 0 to 1, and how many of them.
    which: float
    share: float

    @property
    def target(self) -> str:
        return self.kind.target

    def __str__(self) -> str:
        place = f" of {self.kind.host}" if self.kind.host else ""
        return f"{self.kind.way} {self.target}{place} ({self.seconds:.1f} s)"


WAYS = {
    "kill": [
        "worker",
        "supervisor",
        "signaling",
        "webhooks",
        "nginx",
        "nginx-worker",
        "mariadb",
        "redis",
        "node",
    ],
    "halt": [
        "worker",
        "supervisor",
        "signaling",
        "webhooks",
        "nginx-worker",
        "mariadb",
        "redis",
        "node",
        "quorum",
    ],
    "end": ["supervisor", "signaling", "mariadb", "redis", "node"],
    "reload": ["supervisor"],
    "refuse": ["mariadb", "redis", "node"],
    "cut": ["mariadb", "redis", "node"],
    "isolate": ["node"],
    "fill": ["disk"],
    "appoint": ["primary"],
}
# Of a cluster; never two at a time, so that it keeps its quorum but where that is the fault.
OF_NODES = ("node", "quorum", "disk", "primary")
# What several hosts share.
SHARED = ("mariadb", "redis", *OF_NODES)


class Deck:
    """Every kind of fault comes once before any comes again."""

    def __init__(self, seed: str, stage: Stage):
        self.random = random.Random(seed)
        self.kinds = [
            (way, target)
            for way, targets in WAYS.items()
            for target in targets
            if way not in stage.spared and target not in stage.spared
        ]
        self.hosts = list(stage.hosts)
        self.left: list[tuple[str, str]] = []

    def deal(self) -> list[Fault]:
        """The next fault; now and then two at the same time."""
        first = self.draw()
        if self.random.random() >= 0.25:
            return [first]
        second = self.draw()
        if first.target in OF_NODES and second.target in OF_NODES:
            self.left.append((second.kind.way, second.target))
            return [first]
        return [first, second]

    def draw(self) -> Fault:
        if not self.left:
            self.left = self.kinds.copy()
            self.random.shuffle(self.left)
        way, target = self.left.pop()
        is_long = self.random.random() < 1 / 6 or target == "quorum"
        seconds = self.random.uniform(*LONG_SECONDS if is_long else SHORT_SECONDS)
        host = "" if target in SHARED else self.random.choice(self.hosts)
        return Fault(Kind(way, target, host), seconds, self.random.random(), self.random.random())

    def pause(self) -> float:
        """Seconds in which nothing happens."""
        return self.random.uniform(0.3, 2.5)


def processes_of(stage: Stage, fault: Fault) -> list[int]:
    """The processes of a target as they are now."""
    stack = stage.host(fault.kind.host)
    match fault.target:
        case "worker":
            return stack.workers()
        case "webhooks":
            return companions(stack)
        case "nginx":
            # It starts no worker, in another's place, while they are counted; killed it is all the same.
            master = stack.pid("NGINX")
            os.kill(master, signal.SIGSTOP)
            return [master, *stack.children(master)]
        case "nginx-worker":
            return stack.children(stack.pid("NGINX"))
        case "mariadb":
            return [stack.pid("MYSQL")]
        case _:
            return [stack.pid(fault.target.upper())]


def nodes(stage: Stage, fault: Fault) -> list[Node]:
    """The cluster's nodes that it befalls, as roles are at this moment."""
    is_of_nodes = fault.target in ("node", "quorum", "primary")
    return stage.struck(fault.kind, fault.which) if is_of_nodes else []


def named(stage: Stage, fault: Fault) -> str:
    """A fault with the nodes that it is about to befall."""
    return " ".join([f"{fault}", *(node.name for node in nodes(stage, fault))])


def chosen(stage: Stage, fault: Fault, struck: list[Node]) -> list[int]:
    """Which processes it befalls: of several equal ones some or all."""
    if struck:
        return [node.process.pid for node in struck]
    found = processes_of(stage, fault)
    if fault.target not in ("worker", "nginx-worker") or not found:
        return found
    first = int(fault.which * len(found))
    number = max(1, round(fault.share * len(found)))
    return (found[first:] + found[:first])[:number]


def send_signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def befall(stage: Stage, fault: Fault) -> None:
    """Does it, waits, and undoes it."""
    {
        "kill": kill,
        "end": kill,
        "halt": halt,
        "reload": reload,
        "refuse": refuse,
        "cut": cut,
        "isolate": isolate,
        "fill": fill,
        "appoint": appoint,
    }[fault.kind.way](stage, fault)


def kill(stage: Stage, fault: Fault) -> None:
    """By KILL, or asked to by TERM. Servers stay away for a while; programs have their keeper or supervisor."""
    struck = nodes(stage, fault)
    pids = chosen(stage, fault, struck)
    number = signal.SIGKILL if fault.kind.way == "kill" else signal.SIGTERM
    send_signal(pids, number)
    has_ended = f"the end of {fault.target}"
    wait_until(lambda: not any(map(alive, pids)), stage.end_seconds, message=has_ended)
    if struck:
        time.sleep(fault.seconds)
        for node in struck:
            stage.miss(node)
            node.start()
    elif fault.target in ("nginx", "mariadb", "redis"):
        time.sleep(fault.seconds)
        stage.start(fault.target, fault.kind.host)


def halt(stage: Stage, fault: Fault) -> None:
    pids = chosen(stage, fault, nodes(stage, fault))
    send_signal(pids, signal.SIGSTOP)
    try:
        time.sleep(fault.seconds)
    finally:
        send_signal(pids, signal.SIGCONT)


def reload(stage: Stage, fault: Fault) -> None:
    """SIGHUP: new workers, one after the other."""
    stack = stage.host(fault.kind.host)
    before = set(stack.workers())
    send_signal(chosen(stage, fault, []), signal.SIGHUP)
    wait_until(lambda: not before & set(stack.workers()), 60, message="new workers")


def refuse(stage: Stage, fault: Fault) -> None:
    """Answers, and takes no writes (contract 7.14)."""
    if fault.target == "redis":
        redis = stage.host("").redis
        with contextlib.suppress(Exception):
            redis.execute_command("CONFIG", "SET", "maxmemory", "1")
            time.sleep(fault.seconds)
        with contextlib.suppress(Exception):
            redis.execute_command("CONFIG", "SET", "maxmemory", "256mb")
        return
    administrate = administrator(stage, fault)
    with contextlib.suppress(subprocess.CalledProcessError, pymysql.err.Error):
        administrate("SET GLOBAL read_only = 1")
        time.sleep(fault.seconds)
    # One that was killed meanwhile has forgotten it, or will.
    with contextlib.suppress(subprocess.CalledProcessError, pymysql.err.Error):
        administrate("SET GLOBAL read_only = 0")


def administrator(stage: Stage, fault: Fault) -> Callable[[str], object]:
    """Runs a statement as root, at the node that is meant where there are several."""
    struck = nodes(stage, fault)
    return struck[0].administrate if struck else stage.host("").administrate


def cut(stage: Stage, fault: Fault) -> None:
    """Every connection at once, while the server goes on."""
    stack, struck = stage.host(""), nodes(stage, fault)
    if fault.target == "redis":
        with contextlib.suppress(Exception):
            stack.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            stack.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        return
    with contextlib.suppress(subprocess.CalledProcessError, pymysql.err.Error):
        for node in struck:
            node.disconnect()
        if not struck:
            stack.administrate(f"KILL HARD USER '{stack.constant('MYSQL_USER')}'@'localhost'")


def isolate(stage: Stage, fault: Fault) -> None:
    """A node that reaches no other, while its clients reach it."""
    for node in nodes(stage, fault):
        with node.isolated():
            time.sleep(fault.seconds)


def appoint(stage: Stage, fault: Fault) -> None:
    """Another primary, by its administrator's choice."""
    for node in nodes(stage, fault):
        stage.cluster.appoint(node)


def fill(stage: Stage, fault: Fault) -> None:
    """The disk of MariaDB's data is full, or that of one node's."""
    ballast = stage.disk / "ballast"
    try:
        with ballast.open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        time.sleep(fault.seconds)
    finally:
        ballast.unlink(missing_ok=True)
