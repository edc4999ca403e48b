"""Connections cut at every point of whole calls (contract §6.4, §7.6, §7.8; R11, R2, R5).

A device whose connection broke comes back behind the last event that it wholly received, and in the
end it has been sent exactly what a device was sent whose connection never broke: every event once,
in order, with the same content; and the call and both histories are as they should be.

Where: before each frame, after its first byte, its header, half of it, all but its last byte, and
after it. How: by a reset, an end of the stream without a word, the closing handshake, and without a
sign, so that the server goes on sending to nobody.
"""

from __future__ import annotations

import http.client
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import snapshots
from support.clock import shift_call
from support.devices import Cut, Device, whole_replay
from support.scenes import ROLES, SCENARIOS, Scenario, Scene, frames, play
from support.sidecars import sidecar
from support.stack import wait_until
from support.variants import free_port
from support.wire import DOORS, PARTS, WAYS

criterion = pytest.mark.criterion
PLACES = ["before", *PARTS, "after"]
CUTS = [(place, way) for place in PLACES for way in WAYS]


@pytest.fixture(scope="module")
def runs():
    """For several calls at once."""
    with ThreadPoolExecutor(5) as executor:
        yield executor


def perform(people, scenario: Scenario, cuts: dict[str, list], doors: list[str], pool) -> None:
    """Plays a call with a device for each cut (None: never), then compares what they were sent."""
    caller, callee = people.pair()
    scene = Scene(
        people,
        {
            role: [
                Device(caller if role == "caller" else callee, role, cut, door=door)
                for cut, door in zip(cuts[role], doors * len(cuts[role]), strict=False)
            ]
            for role in ROLES
        },
    )
    try:
        play(scenario, scene, pool)
        check(scenario, scene)
    finally:
        for _, device in scene.everybody:
            device.close()


def check(scenario: Scenario, scene: Scene) -> None:
    """All were sent what a device is sent that was never cut, and the call is over as it should."""
    # Both are free to call, and the new call is the fence behind which nothing of this one comes.
    fence = scene.callee.call(scene.caller)["callId"]
    for role, device in scene.everybody:
        events = device.take_all_before(fence)
        assert [event["type"] for event in events] == [
            getattr(step, role) for step in scenario.steps if getattr(step, role)
        ], f"{role}: {device}"
        assert events == whole_replay(device, fence), f"{role}: {device}"
        assert device.again == [] and device.due is None, f"{role}: {device}"
        # Who comes back when all is over may find that it is (§7.1).
        fine = {200, 409} if device.cut and device.cut.late else {200}
        assert {result["status"] for result in device.results} <= fine, device.results
        for greeting in device.greetings:
            assert "resync" not in greeting
            assert snapshots.agrees(greeting, events), f"{role}: {device}: {greeting}, {events}"
    details = scene.caller.details(scene.call_id)
    assert (details["status"], details["endReason"]) == (scenario.status, scenario.reason)
    for person, expected in zip((scene.caller, scene.callee), scenario.histories, strict=True):
        # On a slow machine the fence, too, has rung out.
        (entry,) = [each for each in person.history()["calls"] if each["callId"] != fence]
        assert (entry["callId"], entry["status"]) == (scene.call_id, expected)
        assert entry["endReason"] == scenario.reason


# Every device of one role at once, each at a place of its own, beside one that is never cut.

ONE_ROLE = [
    pytest.param(name, role, frame, id=f"{name}-{role}-{frame}-{kind}")
    for name, scenario in SCENARIOS.items()
    for role in ROLES
    for frame, kind in enumerate(frames(scenario, role))
    # What comes before the call is the same in every scenario.
    if frame >= 2 or name == "answered"
]


@criterion("C6.4", "R11.1", "R11.2", "R11.3", "R11.4", "R11.5")
@pytest.mark.parametrize("name, role, frame", ONE_ROLE)
def test_many_devices(people, pool, name, role, frame):
    """Two dozen devices of a user are cut around one frame; some stay away for what follows."""
    cuts = {other: [None] for other in ROLES}
    cuts[role] += [
        Cut(frame, place, way, late=frame >= 2 and (row + column + frame) % 3 == 0)
        for row, place in enumerate(PLACES)
        for column, way in enumerate(WAYS)
    ]
    perform(people, SCENARIOS[name], cuts, ["nginx"], pool)


# The only device of each role, all of them cut in the same place: nobody is there meanwhile.

ALL_ROLES = [
    pytest.param(name, frame, id=f"{name}-{frame}")
    for name, scenario in SCENARIOS.items()
    for frame in range(2, max(len(frames(scenario, role)) for role in ROLES))
]


@criterion("C6.4", "R11.1", "R11.2", "R11.3", "R11.4", "R11.5")
@pytest.mark.parametrize("name, frame", ALL_ROLES)
def test_everybody_is_cut(people, pool, runs, name, frame):
    """Caller, callee and the callee's other device are cut around their n-th frames, if they get
    so many: at each place by a reset, and in one of the other ways."""
    scenario = SCENARIOS[name]

    def one(cut: Cut, door: str) -> None:
        cuts = {role: [cut if frame < len(frames(scenario, role)) else None] for role in ROLES}
        perform(people, scenario, cuts, [door], pool)

    calls = []
    for row, place in enumerate(PLACES):
        for column, way in enumerate(("reset", WAYS[1 + (row + frame) % 3])):
            door = DOORS[(row // 2 + column + frame) % 2]
            calls.append(runs.submit(one, Cut(frame, place, way), door))
    for call in calls:
        call.result()


def test_who_was_cut_is_forgotten(people):
    """Wherever it was cut, nothing of a connection stays behind in the sidecar."""
    address = f"127.0.0.1:{free_port()}"
    with sidecar(people.stack, address, SIGNALING_CONNECTIONS_PER_USER="0"):
        caller, callee, call = people.ringing()
        # It rings for as long as that many connections take.
        shift_call(people.stack, call["callId"], -3600)
        gone = [
            Device(person, None, Cut(frame, place, way, late=True), door=address)
            for frame in range(3)
            for place, way in CUTS
            for person in ((caller, callee) if frame < 2 else (callee,))
        ]
        for device in gone:
            device.connect()
            device.take(1)  # the invitation, where it has not left before
        assert all(device.is_away or device.due.where == "before" for device in gone)
        for device in gone:
            if device.due is not None:
                device.leave(device.due.way)
            device.close()
        wait_until(
            lambda: counts(address) == {"connections": 1, "users": 0}, 90, message="forgotten"
        )


def counts(address: str) -> dict[str, int]:
    """How many connections (the one that asks included) and users a sidecar has."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.findall(r"^chattrix_signaling_(connections|users) (\d+)$", text, re.M)
    return {name: int(value) for name, value in found}
