"""A short run of Tests/Chaos on a stack of its own: calls while everything is killed, and the proof.

`make chaos` is the long form. A failure says the seed: `make chaos CHAOS_SEED=… CHAOS_CALLS=200`.
"""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from Chaos.checks import answers
from Chaos.device import Device
from Chaos.records import Answer, Records
from Chaos.stage import Plan
from support.chaos import survives
from support.people import Person

pytestmark = pytest.mark.timeout(600)


def test_two_hundred_calls_under_faults():
    """Nothing that was committed is lost, doubled or late; nobody is in two calls; nothing is left over. And the
    proof finds what is broken on purpose afterwards."""
    survives(Plan(seed=11, calls=200, seconds=30, users=16))


def test_a_command_may_go_unanswered_where_its_device_leaves(people):
    """Nobody is at fault then."""
    answer = unanswered(
        people.person(), lambda device: device.leave(device.connection, polite=False)
    )
    records = Records()
    answers.allowed(answer, records)
    assert answer.status is None and not records.violations, answer


def test_a_command_is_answered_where_its_device_stays(people):
    """A socket that breaks with nothing broken is found."""
    answer = unanswered(people.person(), broken)
    records = Records()
    answers.allowed(answer, records)
    assert list(records.violations) == ["with nothing broken every request is answered"], answer


async def broken(device: Device) -> None:
    device.connection.transport.abort()


def unanswered(person: Person, end) -> Answer:
    """A command whose socket ends as soon as it is sent."""

    async def play() -> Answer:
        device = Device({"": person}, "phone", "a seed", Records())
        life = asyncio.create_task(device.live())
        while not device.has_begun:
            await asyncio.sleep(0.01)
        command = asyncio.create_task(device.command("end", str(uuid.uuid4())))
        await asyncio.sleep(0)
        await end(device)
        answer = await command
        device.is_wanted = False
        await life
        return answer

    # Not on this thread: a browser's test that ran before may have left its event loop running there.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asyncio.wait_for(play(), 60)).result()
