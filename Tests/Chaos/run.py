"""A run: clients and faults until there have been enough calls, then quiet, then the proof."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from Chaos import ledger
from Chaos.checks import answers, calls, counts, events, nodes, webhooks
from Chaos.client import Client
from Chaos.conductor import Conductor
from Chaos.faults import Fault
from Chaos.galera import GaleraStage
from Chaos.group import GroupStage
from Chaos.processes import descriptors, family, strays
from Chaos.records import Outage, Records
from Chaos.stage import MAXIMUM_SECONDS, Plan, Stage

# Descriptors that a program may have more of than at the beginning: connections that are made when needed,
# and each of the 16 threads that send webhooks keeps one to the receiver.
SPARE_DESCRIPTORS = {"supervisor/chattrix-webhooks": 18, "mysql": 60, "redis": 30, "signaling": 24}
STALL_SECONDS = 0.3
# By what the plan says of the database.
STAGES: dict[str, type[Stage]] = {"": Stage, "galera": GaleraStage, "group": GroupStage}
QUIET_SECONDS = MAXIMUM_SECONDS + 60
# What a run has to have for its proof to say something, whatever the plan's seconds are; a busy machine takes longer.
LEAST_CALLS, LEAST_FAULTS, EXTRA_SECONDS = 60, 3, 120
# Until what is about to end has ended.
SETTLING_SECONDS = 30


@dataclasses.dataclass
class Run:
    """What a run was, for its report and for the test."""

    plan: Plan
    records: Records
    faults: list[Fault] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    made: int = 0
    has_disk: bool = False
    descriptors: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)


def run(
    plan: Plan,
    kept: Path | None = None,
    afterwards: Callable[[Stage, Run], None] = lambda stage, done: None,
) -> Run:
    """Brings a stack up and down for it; `afterwards` still has the stack."""
    stage = STAGES[plan.cluster](plan, kept)
    done = Run(plan, Records(), has_disk=stage.has_disk)
    try:
        with ThreadPoolExecutor(plan.users * 2 + 9) as pool:
            # Not on this thread: a browser's test that ran before may have left its event loop running there.
            pool.submit(asyncio.run, Play(stage, done, pool).play()).result()
        prove(stage, done.records)
        afterwards(stage, done)
    except Exception:
        done.records.violation("a run comes to its end", traceback.format_exc())
    finally:
        if done.records.violations:
            stage.keep_logs()
        stage.down()
    _, left = settled(lambda: ((), strays(stage.root, set())))
    if left:
        done.records.violation("nothing is left of a stack that is down", left)
    return done


class Play:
    """The clients, their devices and the conductor as tasks."""

    def __init__(self, stage: Stage, done: Run, pool: ThreadPoolExecutor):
        self.stage, self.done, self.records = stage, done, done.records
        self.plan = done.plan
        seed = self.plan.seed
        self.clients = [
            Client(
                stage.places(person),
                stage.friends(stage.people, person),
                f"{seed}:{person.id}",
                self.records,
                pool,
            )
            for person in stage.people
        ]
        self.devices = [device for client in self.clients for device in client.devices]
        self.conductor = Conductor(stage, self.records, f"{seed}:faults")

    async def play(self) -> None:
        before = await asyncio.to_thread(descriptors, self.stage)
        began = time.monotonic()
        watch = asyncio.create_task(self.watch())
        loops = [asyncio.create_task(device.live()) for device in self.devices]
        turns = [asyncio.create_task(client.live()) for client in self.clients]
        await asyncio.sleep(2)
        faults = asyncio.create_task(self.conductor.play())
        deadline = began + self.plan.seconds
        while self.calls_made() < self.plan.calls and self.goes_on(time.monotonic() - deadline):
            await asyncio.sleep(0.25)
            self.look_at(loops + turns)
        self.conductor.is_wanted = False
        await faults
        self.done.seconds, self.done.made = time.monotonic() - began, self.calls_made()
        self.done.faults = self.conductor.done
        await self.quieten(turns)
        await self.come_home(loops)
        watch.cancel()
        for client in self.clients:
            client.close()
        await asyncio.to_thread(self.look_for_leaks, before)

    async def watch(self) -> None:
        """Notes when the machine is too busy to wake this process in time."""
        while True:
            began = time.time()
            await asyncio.sleep(STALL_SECONDS / 2)
            if time.time() - began > STALL_SECONDS:
                self.records.stalls.append(Outage("the machine is busy", began, time.time()))

    def goes_on(self, late: float) -> bool:
        """Whether the run lasts, so many seconds after it was to be over."""
        is_enough = self.calls_made() >= LEAST_CALLS and len(self.conductor.done) >= LEAST_FAULTS
        return late < 0 or (late < EXTRA_SECONDS and not is_enough)

    def calls_made(self) -> int:
        return self.records.counts["calls"]

    def look_at(self, tasks: list[asyncio.Task]) -> None:
        """A fault of the run's own ends it."""
        for task in tasks:
            if task.done():
                task.result()

    async def quieten(self, turns: list[asyncio.Task]) -> None:
        """Every call comes to its end; nobody makes new ones."""
        for client in self.clients:
            client.is_busy, client.is_idle = False, False
        deadline = time.monotonic() + QUIET_SECONDS
        while not all(client.is_idle for client in self.clients):
            if time.monotonic() > deadline:
                busy = [c.person.id for c in self.clients if not c.is_idle]
                self.records.violation("every call ends", busy)
                break
            await asyncio.sleep(0.1)
            self.look_at(turns)
        for task in turns:
            task.cancel()
        await asyncio.gather(*turns, return_exceptions=True)

    async def come_home(self, loops: list[asyncio.Task]) -> None:
        """Every device comes back once more and gets what it has not had yet; then all leave."""
        for device in self.devices:
            device.is_restless = False
        rows = await asyncio.to_thread(ledger.outbox, self.stage.stack)
        deadline = time.monotonic() + 90
        while any(events.lacking(device, rows[device.person.id]) for device in self.devices):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
            self.look_at(loops)
        events.check(self.devices, rows, self.records)
        for device in self.devices:
            device.is_wanted = False
        await asyncio.wait(loops, timeout=30)

    def look_for_leaks(self, before: dict[str, int]) -> None:
        after, leaks, left = settled(lambda: self.leaks(before))
        self.done.descriptors = {
            role: (before.get(role, 0), count) for role, count in after.items()
        }
        for leak in leaks:
            self.records.violation("no descriptor leaks", leak)
        if left:
            self.records.violation("no process is orphaned", left)

    def leaks(self, before: dict[str, int]) -> tuple[dict[str, int], list[str], list[str]]:
        """The descriptors by role, where there are too many, and processes that belong to nothing."""
        after = descriptors(self.stage)
        leaks = [
            f"{role}: {before[role]}, then {count}"
            for role, count in after.items()
            if role in before and count > before[role] + SPARE_DESCRIPTORS.get(role, 0) + 4
        ]
        return after, leaks, strays(self.stage.root, set(family(self.stage)))


def settled(look: Callable[[], tuple]) -> tuple:
    """What there is once nothing but the first is left to say, or after a while."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while True:
        is_last = time.monotonic() > deadline
        found = look()
        if is_last or not any(found[1:]):
            return found
        time.sleep(0.5)


def prove(stage: Stage, records: Records) -> None:
    """From the database, the receiver and the clients' records."""
    for host in stage.hosts.values():
        # Connections from before the faults.
        host.local = threading.local()
    webhooks.wait(stage, records)
    book = ledger.Ledger(stage.stack)
    for check in (calls, answers, counts, webhooks, nodes):
        check.check(stage, book, records)
