"""Calls whose devices all lose their connections again and again, at random (contract §6.4)."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect, snapshots
from support.clock import shift_call
from support.devices import Device, whole_replay
from support.people import People, Person
from support.sidecars import sidecar
from support.stack import PATIENCE, wait_until
from support.variants import free_port
from support.wire import DOORS, WAYS, Ended, Spent

criterion = pytest.mark.criterion
SECONDS = 3
OVER = {"ended", "missed", "rejected"}


class Wanderer(Device):
    """A device whose connections end after so many bytes, or after a while without any. What
    `answers` has for the type of an event is the command that it answers with."""

    doors = DOORS
    reasons: tuple[type[Exception], ...] = (Spent, TimeoutError)

    def __init__(self, person: Person, name: str, chance: random.Random, answers: dict[str, str]):
        super().__init__(person, name, door=chance.choice(self.doors), last="0")
        self.chance, self.answers = chance, answers
        self.connections = 0
        self.fence = ""
        # All devices of the call.
        self.company: list[Wanderer] = [self]

    def open(self, **options) -> None:
        allowance = self.chance.randrange(self.chance.choice([300, 1500, 5000]))
        super().open(allowance=allowance, **options)
        self.connections += 1
        # With more patience from time to time, so that it gets on where the machine is busy, too.
        patience = self.chance.uniform(0.001, 0.1) * (1 + self.connections / 20)
        self.wire.socket.settimeout(patience)

    def record(self, frame: dict) -> bool:
        is_new = super().record(frame)
        if is_new and frame["type"] in self.answers and not self.fence:
            self.say(self.answers[frame["type"]], frame["id"], callId=frame["data"]["callId"])
        return is_new

    def wander(self) -> None:
        """Comes and goes until all have seen the fence: that a call rings is told where the device that
        has its invitation comes back, if the server has died in between."""
        deadline = time.monotonic() + 100
        while not self.is_done:
            assert time.monotonic() < deadline, f"{self} stays at {self.last} of {self.person.id}"
            try:
                self.come_back()
                while not self.is_done:
                    self.step()
            except self.reasons:
                self.leave(self.chance.choice(WAYS))
                time.sleep(self.chance.uniform(0, 0.03))

    def leave(self, way: str) -> None:
        # An attempt to connect that came to nothing has left the connection before it.
        if self.wire is not None and self.wire not in self.broken:
            self.wire.socket.settimeout(PATIENCE)
            super().leave(way)

    @property
    def is_done(self) -> bool:
        return all(device.has_seen_the_fence for device in self.company)

    @property
    def has_seen_the_fence(self) -> bool:
        newest = self.events[-1]["data"]["callId"] if self.events else ""
        return self.fence != "" and newest == self.fence


class Survivor(Wanderer):
    """One whose server may die at any moment."""

    reasons = (Spent, Ended, OSError)

    def leave(self, way: str) -> None:
        if self.wire is not None:
            with contextlib.suppress(OSError):
                self.wire.cut("reset")


def one_call(people: People, chance: random.Random, kind_of_device: type[Wanderer]) -> int:
    """A call of a random kind; how many connections its devices had."""
    caller, callee = people.pair()
    kind = chance.choice(["talk", "talk", "command", "command", "reject", "cancel", "time out"])
    ends, accepts = {}, {}
    if kind == "command":
        ends, accepts = {"call_accepted": "call.end"}, {"call_invitation": "call.accept"}
    devices = [
        kind_of_device(caller, "desk", chance, ends),
        kind_of_device(callee, "phone", chance, accepts),
        kind_of_device(callee, "tablet", chance, {}),
    ]
    for device in devices:
        device.company = devices
    try:
        with ThreadPoolExecutor(len(devices)) as threads:
            wandering = [threads.submit(device.wander) for device in devices]
            call_id = caller.call(callee)["callId"]
            direct(people, kind, chance, (caller, callee), call_id)
            wait_until(lambda: caller.details(call_id)["status"] in OVER, 90)
            fence = callee.call(caller)["callId"]
            for device in devices:
                device.fence = fence
            for done in wandering:
                done.result()
        for device in devices:
            check(device, fence)
        for person in (caller, callee):
            # On a slow machine the fence, too, has rung out.
            entries = [entry["callId"] for entry in person.history()["calls"]]
            assert [entry for entry in entries if entry != fence] == [call_id]
        return sum(device.connections for device in devices)
    finally:
        for device in devices:
            device.close()


def direct(people: People, kind: str, chance: random.Random, parties, call_id: str) -> None:
    """What happens in the call over REST, with pauses between."""
    caller, callee = parties

    def pause() -> None:
        time.sleep(chance.uniform(0, 0.05))

    pause()
    if kind == "cancel":
        caller.end(call_id)
    elif kind == "reject":
        callee.reject(call_id, deviceId="phone")
    elif kind == "time out":
        shift_call(people.stack, call_id, 61)
    elif kind == "talk":
        callee.accept(call_id, deviceId="phone")
        expect.succeeded(callee.set_status(call_id, "connected"))
        for _ in range(chance.randrange(6)):
            pause()
            expect.succeeded(chance.choice(parties).report(call_id, "poor"))
        pause()
        chance.choice(parties).end(call_id)


def check(device: Wanderer, fence: str) -> None:
    events = device.take_all_before(fence)
    assert events == whole_replay(device, fence), device
    assert device.again == [], device
    for greeting in device.greetings:
        assert "resync" not in greeting
        assert snapshots.agrees(greeting, device.events), (str(device), greeting, device.events)


def many_calls(
    people: People, kind_of_device: type[Wanderer], is_enough: Callable[[], bool] = lambda: True
) -> None:
    """As many as there is time for, and are needed. CUT_SEED plays the same chances again."""
    seed = int(os.environ.get("CUT_SEED") or random.randrange(2**32))
    print(f"CUT_SEED={seed}")
    deadline = time.monotonic() + SECONDS

    def calls(number: int) -> list[int]:
        chance, counts = random.Random(seed + number), []
        while not counts or time.monotonic() < deadline or not is_enough():
            counts.append(one_call(people, chance, kind_of_device))
        return counts

    with ThreadPoolExecutor(4) as runs:
        counts = [count for done in runs.map(calls, range(4)) for count in done]
    print(f"{len(counts)} calls, {sum(counts)} connections")
    assert sum(counts) > 3 * len(counts), "hardly anything was cut"


@criterion("C6.4", "R11.1", "R11.2", "R11.3", "R11.4", "R11.5")
def test_random_cuts(people):
    """Many calls, and in each all devices are cut at random."""
    many_calls(people, Wanderer)


@criterion("C6.4", "R11.1", "R11.2", "R11.3", "R11.4", "R11.5")
def test_random_cuts_while_the_server_dies(people):
    """The same while the sidecar is killed, or told to end, and started anew again and again."""
    address = f"127.0.0.1:{free_port()}"
    over = threading.Event()
    lives = []

    class AtThisOne(Survivor):
        doors = [address]

    def live_and_die() -> None:
        while not over.is_set():
            with sidecar(people.stack, address, SIGNALING_CONNECTIONS_PER_USER="0") as server:
                lives.append(server.pid)
                over.wait(random.uniform(0.1, 0.6))
                if random.random() < 0.3:
                    server.terminate()
                    over.wait(random.uniform(0, 1))

    with ThreadPoolExecutor(1) as fate:
        dying = fate.submit(live_and_die)
        try:
            many_calls(people, AtThisOne, lambda: len(lives) > 3 or dying.done())
        finally:
            over.set()
        dying.result()
    assert len(lives) > 3
