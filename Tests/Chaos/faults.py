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

from Chaos.processes import companions
from Chaos.stage import Stage
from support.stack import Stack, alive, wait_until

# How long a program hangs or stays away, and how long one in six times: longer than a transaction may be idle
# (5 s), and than a program waits for an answer from the database.
SHORT_SECONDS, LONG_SECONDS = (0.2, 4.0), (5.5, 13.0)


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault, with everything that chance has a say in."""

    # A key of WAYS, and one of its targets.
    way: str
    target: str
    seconds: float
    # Which of several processes, from 0 to 1, and how many of them.
    which: float
    share: float

    def __str__(self) -> str:
        return f"{self.way} {self.target} ({self.seconds:.1f} s)"


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
    ],
    "halt": ["worker", "supervisor", "signaling", "webhooks", "nginx-worker", "mariadb", "redis"],
    "end": ["supervisor", "signaling", "mariadb", "redis"],
    "reload": ["supervisor"],
    "refuse": ["mariadb", "redis"],
    "cut": ["mariadb", "redis"],
    "fill": ["disk"],
}


class Deck:
    """Every kind of fault comes once before any comes again."""

    def __init__(self, seed: str, has_disk: bool):
        self.random = random.Random(seed)
        self.kinds = [
            (way, target)
            for way, targets in WAYS.items()
            for target in targets
            if target != "disk" or has_disk
        ]
        self.left: list[tuple[str, str]] = []

    def deal(self) -> list[Fault]:
        """The next fault; now and then two at the same time."""
        number = 1 + (self.random.random() < 0.25)
        return [self.draw() for _ in range(number)]

    def draw(self) -> Fault:
        if not self.left:
            self.left = self.kinds.copy()
            self.random.shuffle(self.left)
        way, target = self.left.pop()
        seconds = self.random.uniform(
            *LONG_SECONDS if self.random.random() < 1 / 6 else SHORT_SECONDS
        )
        return Fault(way, target, seconds, self.random.random(), self.random.random())

    def pause(self) -> float:
        """Seconds in which nothing happens."""
        return self.random.uniform(0.3, 2.5)


def processes_of(stack: Stack, target: str) -> list[int]:
    """The processes of a target as they are now."""
    match target:
        case "worker":
            return stack.workers()
        case "webhooks":
            return companions(stack)
        case "nginx":
            master = stack.pid("NGINX")
            return [master, *stack.children(master)]
        case "nginx-worker":
            return stack.children(stack.pid("NGINX"))
        case "mariadb":
            return [stack.pid("MYSQL")]
        case _:
            return [stack.pid(target.upper())]


def chosen(stack: Stack, fault: Fault) -> list[int]:
    """Which processes it befalls: of several equal ones some or all."""
    found = processes_of(stack, fault.target)
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
        "fill": fill,
    }[fault.way](stage, fault)


def kill(stage: Stage, fault: Fault) -> None:
    """By KILL, or asked to by TERM. Servers stay away for a while; programs have their keeper or supervisor."""
    pids = chosen(stage.stack, fault)
    number = signal.SIGKILL if fault.way == "kill" else signal.SIGTERM
    send_signal(pids, number)
    if fault.target in ("nginx", "mariadb", "redis"):
        wait_until(lambda: not any(map(alive, pids)), 30, message=f"the end of {fault.target}")
        time.sleep(fault.seconds)
        stage.start(fault.target)
    else:
        wait_until(lambda: not any(map(alive, pids)), 40, message=f"the end of {fault.target}")


def halt(stage: Stage, fault: Fault) -> None:
    pids = chosen(stage.stack, fault)
    send_signal(pids, signal.SIGSTOP)
    try:
        time.sleep(fault.seconds)
    finally:
        send_signal(pids, signal.SIGCONT)


def reload(stage: Stage, fault: Fault) -> None:
    """SIGHUP: new workers, one after the other."""
    before = set(stage.stack.workers())
    send_signal(chosen(stage.stack, fault), signal.SIGHUP)
    wait_until(lambda: not before & set(stage.stack.workers()), 60, message="new workers")


def refuse(stage: Stage, fault: Fault) -> None:
    """Answers, and takes no writes (contract 7.14)."""
    stack = stage.stack
    if fault.target == "mariadb":
        with contextlib.suppress(subprocess.CalledProcessError):
            stack.administrate("SET GLOBAL read_only = 1")
            time.sleep(fault.seconds)
        # One that was killed meanwhile has forgotten it, or will.
        with contextlib.suppress(subprocess.CalledProcessError):
            stack.administrate("SET GLOBAL read_only = 0")
        return
    with contextlib.suppress(OSError, ValueError, Exception):
        stack.redis.execute_command("CONFIG", "SET", "maxmemory", "1")
        time.sleep(fault.seconds)
    with contextlib.suppress(Exception):
        stack.redis.execute_command("CONFIG", "SET", "maxmemory", "256mb")


def cut(stage: Stage, fault: Fault) -> None:
    """Every connection at once, while the server goes on."""
    stack = stage.stack
    if fault.target == "redis":
        with contextlib.suppress(Exception):
            stack.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            stack.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        return
    with contextlib.suppress(subprocess.CalledProcessError):
        stack.administrate(f"KILL HARD USER {stack.constant('MYSQL_USER')}@localhost")


def fill(stage: Stage, fault: Fault) -> None:
    """The disk of MariaDB's data is full."""
    ballast = stage.disk / "ballast"
    try:
        with ballast.open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        time.sleep(fault.seconds)
    finally:
        ballast.unlink(missing_ok=True)
