"""Whole calls, step by step: who does what, and what each side is told of it (contract §6.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import Executor

from support import expect
from support.clock import shift_call
from support.devices import Device
from support.people import People

# The caller's device, the callee's that answers, and another one of the callee.
ROLES = ["caller", "phone", "tablet"]


@dataclasses.dataclass
class Scene:
    """A call between two users, and their devices, by role."""

    people: People
    devices: dict[str, list[Device]]
    call_id: str = ""

    @property
    def caller(self):
        return self.devices["caller"][0].person

    @property
    def callee(self):
        return self.devices["phone"][0].person

    @property
    def everybody(self) -> list[tuple[str, Device]]:
        return [(role, device) for role in ROLES for device in self.devices[role]]


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that happens: `act`, or a command of all devices of `speaker`, and the type of the
    event that each role is sent because of it."""

    name: str
    act: Callable[[Scene], object] | None = None
    speaker: str = ""
    caller: str = ""
    phone: str = ""
    tablet: str = ""

    def tells(self, role: str) -> str:
        """The frame that a role gets, or nothing."""
        return getattr(self, role) or ("command_result" if role == self.speaker else "")


@dataclasses.dataclass(frozen=True)
class Scenario:
    steps: list[Step]
    status: str
    reason: str
    histories: tuple[str, str]  # the caller's and the callee's


def begin(scene: Scene) -> None:
    scene.call_id = scene.caller.call(scene.callee)["callId"]


def status(person: str, value: str) -> Callable[[Scene], object]:
    def act(scene: Scene):
        response = getattr(scene, person).set_status(scene.call_id, value)
        return expect.succeeded(response)

    return act


def quality(person: str, value: str) -> Callable[[Scene], object]:
    return lambda scene: expect.succeeded(getattr(scene, person).report(scene.call_id, value))


def accept(scene: Scene) -> None:
    scene.callee.accept(scene.call_id, deviceId="phone")


INITIATE = Step(
    "initiate", begin, caller="call_ringing", phone="call_invitation", tablet="call_invitation"
)
ACCEPT = Step("accept", accept, caller="call_accepted", tablet="call_answered_elsewhere")

SCENARIOS = {
    "answered": Scenario(
        [
            INITIATE,
            ACCEPT,
            Step("connected", status("callee", "connected"), caller="call_status_updated"),
            Step(
                "the caller's network",
                quality("caller", "poor"),
                phone="call_quality_warning",
                tablet="call_quality_warning",
            ),
            Step("the callee's network", quality("callee", "bad"), caller="call_quality_warning"),
            Step(
                "disconnecting",
                status("caller", "disconnecting"),
                phone="call_status_updated",
                tablet="call_status_updated",
            ),
            Step("end", lambda scene: scene.callee.end(scene.call_id), caller="call_ended"),
        ],
        "ended",
        "hangup",
        ("completed", "completed"),
    ),
    "commanded": Scenario(
        [
            INITIATE,
            Step(
                "call.accept",
                speaker="phone",
                caller="call_accepted",
                tablet="call_answered_elsewhere",
            ),
            Step("call.end", speaker="caller", phone="call_ended", tablet="call_ended"),
        ],
        "ended",
        "hangup",
        ("completed", "completed"),
    ),
    "cancelled": Scenario(
        [
            INITIATE,
            Step(
                "cancel",
                lambda scene: scene.caller.end(scene.call_id),
                phone="call_ended",
                tablet="call_ended",
            ),
        ],
        "ended",
        "cancelled",
        ("missed", "missed"),
    ),
    "rejected": Scenario(
        [
            INITIATE,
            Step(
                "call.reject",
                speaker="phone",
                caller="call_rejected",
                tablet="call_answered_elsewhere",
            ),
        ],
        "rejected",
        "declined",
        ("rejected", "rejected"),
    ),
    "missed": Scenario(
        [
            INITIATE,
            Step(
                "timeout",
                lambda scene: shift_call(scene.people.stack, scene.call_id, 61),
                caller="call_timeout",
                phone="call_timeout",
                tablet="call_timeout",
            ),
        ],
        "missed",
        "timeout",
        ("missed", "missed"),
    ),
    "overlong": Scenario(
        [
            INITIATE,
            ACCEPT,
            Step(
                "maximum duration",
                lambda scene: shift_call(scene.people.stack, scene.call_id, 7201),
                caller="call_ended",
                phone="call_ended",
                tablet="call_ended",
            ),
        ],
        "ended",
        "max_duration",
        ("completed", "completed"),
    ),
}


def frames(scenario: Scenario, role: str) -> list[str]:
    """What a role's device is sent, from the 101 on."""
    return ["101", "connected", *filter(None, (step.tells(role) for step in scenario.steps))]


def play(scenario: Scenario, scene: Scene, pool: Executor) -> None:
    """Plays a call from beginning to end; devices break off and come back as they are to."""
    for _, device in scene.everybody:
        device.connect()
    for number, step in enumerate(scenario.steps):
        away = [device for _, device in scene.everybody if device.is_away]
        happen(step, f"request {number}", scene, pool)
        for role, device in scene.everybody:
            device.take(told(scenario, role, number + 1))
        for device in away:
            device.come_back()
    for role, device in scene.everybody:
        if device.is_away:
            device.come_back()
        device.take(told(scenario, role, len(scenario.steps)))


def happen(step: Step, request_id: str, scene: Scene, pool: Executor) -> None:
    """Makes a step. Who is to break off before what it brings does so, before the request or
    between the command and its result, and comes back in a race with what happens."""
    leaving = [d for role, d in scene.everybody if step.tells(role) and d.breaks_off("before")]
    for device in scene.devices.get(step.speaker, []):
        if not device.is_away:
            device.say(step.name, request_id, callId=scene.call_id)
    for device in leaving:
        device.leave(device.due.way)
    acting = pool.submit(step.act, scene) if step.act else None
    for device in leaving:
        if not device.cut.late:
            device.come_back()
    if acting is not None:
        acting.result()


def told(scenario: Scenario, role: str, steps: int) -> int:
    """How many events a role has been sent after so many steps."""
    return len([step for step in scenario.steps[:steps] if getattr(step, role)])
