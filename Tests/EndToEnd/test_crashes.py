"""Kills under load, and then every rule of the database (design §2: one transaction a change)."""

from __future__ import annotations

import contextlib
import random
import time

import pytest

from support import invariants
from support.load import Load
from support.outages import halted, kill, stopped
from support.people import send
from support.stack import wait_until
from support.variants import variant

pytestmark = [*variant("fragile"), pytest.mark.timeout(240)]


@pytest.fixture
def quiet_and_sound(stack, whole_stack):
    """After the test nothing is in the midst of a change, and every rule holds."""
    yield
    # One statement at a time is no snapshot: a call may ring out between two of them.
    wait_until(lambda: not invariants.broken(stack), 60, 0.5, "every rule of the database")


def test_workers_killed_in_the_midst_of_transactions(people, stack, quiet_and_sound):
    """Twenty kills of workers under load: no call is half made or half ended."""
    chance = random.Random(7)
    with Load(people, threads=6) as load:
        for _ in range(20):
            # The one before may be on its way out still.
            with contextlib.suppress(ProcessLookupError):
                kill(chance.choice(wait_until(lambda: stack.workers(), 60)))
            asked = len(load.codes)
            wait_until(lambda a=asked: len(load.codes) > a + 10, 60)
    assert len(load.lost) <= 20 + 6, load.lost


def test_the_database_killed_in_the_midst_of_transactions(people, stack, quiet_and_sound):
    """A crash of MariaDB under load: what was answered is there, what was not is whole or gone."""
    with Load(people, threads=4) as load:
        with stopped(stack, "MYSQL"):
            asked = len(load.codes)
            wait_until(lambda: len(load.codes) > asked + 10, 60)
        back = len(load.codes)
        wait_until(lambda: 201 in load.codes[back:], 60, message="calls again")
    unknown = [text for text in load.lost if "gave 500" in text]
    assert unknown == [], "an absent database is 503, not 500"


def test_a_database_that_hangs_and_goes_on(people, stack, quiet_and_sound):
    """Requests that nobody waits for any more block nobody once the database answers again."""
    persons = [people.person() for _ in range(8)]
    with halted(stack.pid("MYSQL")):
        for person in persons:
            try:
                send(stack, "GET", "/calls/active", person.token, timeout=0.3)
            except OSError:
                pass
    started = time.monotonic()
    assert persons[0].active() is None
    # Each of them would be given up after 7 s, with four workers for eight.
    assert time.monotonic() - started < 10


def test_supervisor_and_sidecar_killed_under_load(people, stack, quiet_and_sound):
    """All of the programs at once, three times."""
    with Load(people, threads=4) as load:
        for _ in range(3):
            killed = {name: stack.kill(name) for name in ("SUPERVISOR", "SIGNALING")}
            for name, pid in killed.items():
                wait_until(lambda n=name, p=pid: stack.pid(n) != p, 60, 0.05)
            asked = len(load.codes)
            wait_until(lambda a=asked: 201 in load.codes[a:], 60, 0.05)
