"""Replays that are cut, and those who ask for one with another id than they should (contract §6.4,
§7.8; R2.1, R11)."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect
from support.devices import Cut, Device
from support.handshakes import not_admitted
from support.wire import DOORS, PARTS, WAYS, Spent, Wire

criterion = pytest.mark.criterion
PLACES = ["before", *PARTS, "after"]


@pytest.fixture
def devices():
    """Devices that are closed in the end."""
    opened: list[Device] = []

    def made(person, name=None, cut=None, **options) -> Device:
        opened.append(Device(person, name, cut, **options))
        return opened[-1]

    yield made
    for device in opened:
        device.close()


def reporting(caller, call_id: str, count: int) -> None:
    for _ in range(count):
        expect.succeeded(caller.report(call_id, "bad"))


@criterion("C6.4", "R11.4")
@pytest.mark.parametrize("place", PLACES)
def test_a_replay_that_is_cut(people, devices, place):
    """Around every frame of a replay, while new events arrive: none is lost, none comes twice."""
    caller, callee, call = people.warned(3)
    witness = devices(callee, last="0")
    witness.connect()
    replays = [
        devices(callee, cut=Cut(frame, place, way), door=door, last="0")
        for frame in range(2, 8)
        for way, door in itertools.product(WAYS, DOORS)
    ]
    with ThreadPoolExecutor(1) as pool:
        more = pool.submit(reporting, caller, call["callId"], 30)
        for device in replays:
            device.connect()
            if place == "before":
                device.take(device.cut.frame - 2)
                device.break_off()
            device.take(6)
        more.result()
    caller.end(call["callId"])
    # The invitation, answered elsewhere, connected; 33 warnings; the end.
    witness.take(37)
    assert [int(event["id"]) for event in witness.events] == list(range(1, 38))
    for device in replays:
        device.take(37)
        assert device.events == witness.events, device
        assert device.again == [] and device.due is None, device


@criterion("C6.4", "R11.4")
@pytest.mark.parametrize("way", ["reset", "end", "close"])
def test_connections_that_live_for_so_many_bytes(people, devices, way):
    """Cut again and again, after any number of bytes, while new events arrive: the client gets on,
    event by event."""
    caller, callee, call = people.warned(5)
    witness = devices(callee, last="0")
    witness.connect()
    # Enough for the 101, `connected` and one event.
    least = sum(connection_bytes(people.stack, callee))
    wanderers = [devices(callee, last="0", door=door) for door in DOORS for _ in range(6)]
    with ThreadPoolExecutor(1) as pool:
        more = pool.submit(reporting, caller, call["callId"], 20)
        for number, device in enumerate(wanderers):
            live(device, 15 + number, way, itertools.cycle(range(least, least + 1200, 83)))
        more.result()
    caller.end(call["callId"])
    witness.take(29)
    for device in wanderers:
        live(device, 29, way, itertools.cycle(range(least, least + 400, 29)))
        assert device.events == witness.events
        assert device.again == []


def connection_bytes(stack, person) -> tuple[int, int, int]:
    """The length of a 101, and of `connected` and an invitation with their headers."""
    wire = Wire(stack, person.token, lastEventId="0")
    try:
        head = len(wire.head())
        (one, more), (two, rest) = wire.header(), (b"", 0)
        wire.exactly(more)
        two, rest = wire.header()
        return head, len(one) + more, len(two) + rest
    finally:
        wire.close()


def live(device: Device, events: int, way: str, allowances) -> None:
    """Connections that end after so many bytes each, until there are so many events."""
    while len(device.events) < events:
        try:
            device.come_back(allowance=next(allowances))
            device.take(events)
        except Spent:
            device.leave(way)


def test_two_resume_with_one_id(people, devices):
    """Both are sent the same, and what is new afterwards."""
    caller, callee, call = people.warned(4)
    pair = [devices(callee, last="2"), devices(callee, last="2")]
    for device in pair:
        device.connect()
    caller.end(call["callId"])
    for device in pair:
        device.take(6)
        assert [int(event["id"]) for event in device.events] == [3, 4, 5, 6, 7, 8]
    assert pair[0].events == pair[1].events


def test_resuming_twice_in_a_row(people, devices):
    """The second time behind what the first brought; or again behind the same."""
    caller, callee, call = people.warned(4)
    device = devices(callee, last="2")
    device.connect()
    device.take(2)
    device.leave("reset")
    device.come_back()
    device.take(5)
    device.leave("end")
    device.come_back()
    assert device.again == []
    caller.end(call["callId"])
    device.take(6)
    assert [int(event["id"]) for event in device.events] == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("way", WAYS)
def test_a_stale_id(people, devices, way):
    """An id older than what the client has seen: everything since comes again, as it was."""
    caller, callee, call = people.warned(4)
    device = devices(callee, last="0")
    device.connect()
    device.take(7)
    for stale in (6, 3, 0):
        device.leave(way)
        device.last, device.again = str(stale), []
        device.come_back()
        assert device.greetings[-1].get("resync") is None
        assert device.greetings[-1]["lastEventId"] == "7"
        while len(device.again) < 7 - stale:
            device.step()
        assert device.again == device.events[stale:]
    caller.end(call["callId"])
    device.take(8)
    assert device.events[-1]["type"] == "call_ended" and device.events[-1]["id"] == "8"


@pytest.mark.parametrize("ahead", ["8", "4711", str(2**63 - 1)])
def test_an_id_from_the_future(people, devices, ahead):
    """What the client believes is worth nothing: `resync`, the true lastEventId, and all that is
    new, although its ids are lower than the one that was given."""
    caller, callee, call = people.warned(4)
    device = devices(callee, last=ahead)
    device.connect()
    assert device.greetings[-1]["resync"] is True
    assert device.greetings[-1]["lastEventId"] == "7"
    assert device.greetings[-1]["activeCall"]["callId"] == call["callId"]
    caller.end(call["callId"])
    device.take(1)
    assert (device.events[0]["type"], device.events[0]["id"]) == ("call_ended", "8")


@pytest.mark.parametrize(
    "nonsense", ["", "abc", "-1", "+1", "1.0", "1e3", " 1", "0x10", "٣", "1\x00", str(2**63)]
)
def test_an_id_that_is_none(people, stack, nonsense):
    """A handshake whose lastEventId is no number that an id can be: 400, says the description."""
    person = people.person()
    query = {"lastEventId": nonsense}
    not_admitted(stack, 400, "VALIDATION_ERROR", token=person.token, query=query)


@criterion("C6.4", "R2.1", "R11.1")
@pytest.mark.parametrize("place", PLACES)
def test_an_invitation_again_that_is_cut(people, devices, place):
    """Who has not wholly received it is invited again, under its first id, while the call rings;
    who has is not. The caller hears once that it rings."""
    caller, callee = people.pair()
    mine, first = devices(caller, "mine"), devices(callee, "first")
    mine.connect()
    first.connect()
    call_id = caller.call(callee)["callId"]
    first.take(1)
    mine.take(1)
    late = [
        devices(callee, str(number), Cut(frame, place, way), door=door)
        for number, (frame, way, door) in enumerate(itertools.product((1, 2), WAYS, DOORS))
    ]
    for device in late:
        device.connect()
        if place == "before" and device.due is not None:
            device.break_off()
        device.take(1)
        assert device.events == first.events, device
        assert {greeting["activeCall"]["callId"] for greeting in device.greetings} == {call_id}
    callee.accept(call_id, deviceId="first")
    caller.end(call_id)
    fence = callee.call(caller)["callId"]
    for device in late:
        types = [event["type"] for event in device.take_all_before(fence)]
        assert types == ["call_invitation", "call_answered_elsewhere", "call_ended"], device
        assert device.again == [] and device.due is None, device
    types = [event["type"] for event in mine.take_all_before(fence)]
    assert types == ["call_ringing", "call_accepted"]


def test_what_follows_connected_before_the_invitation_has_come(people, devices):
    """A client that goes on behind `connected.lastEventId` is not invited again, but `activeCall`
    tells it what rings, and it hears how that ends."""
    caller, callee, call = people.ringing()
    device = devices(callee)
    device.connect()
    device.leave("reset")
    device.last = device.greetings[-1]["lastEventId"]
    device.come_back()
    active = device.greetings[-1]["activeCall"]
    assert (active["callId"], active["calleeId"]) == (call["callId"], callee.id)
    assert active["status"] in ("initiating", "ringing")
    caller.end(call["callId"])
    device.take(1)
    assert device.events[0]["type"] == "call_ended"


@criterion("C6.4", "R2.1")
@pytest.mark.parametrize("outcome", ["accepted", "rejected", "cancelled"])
def test_no_ringing_after_the_answer(people, devices, outcome):
    """A device that connects when the call does not ring any more is not invited; one that asks for
    everything is told of the invitation and of what came of it, and the caller of nothing."""
    caller, callee, call = people.ringing()
    mine = devices(caller)
    mine.connect()
    call_id = call["callId"]
    {
        "accepted": lambda: callee.accept(call_id, deviceId="phone"),
        "rejected": lambda: callee.reject(call_id, deviceId="phone"),
        "cancelled": lambda: caller.end(call_id),
    }[outcome]()
    fresh, curious = devices(callee, "tablet"), devices(callee, "desk", last="0")
    for device in (fresh, curious):
        device.connect()
        active = device.greetings[-1]["activeCall"]
        assert (active and active["status"]) == ("connecting" if outcome == "accepted" else None)
    if outcome == "accepted":
        caller.end(call_id)
    fence = callee.call(caller)["callId"]
    ended = ["call_ended"] if outcome == "accepted" else []
    assert [event["type"] for event in fresh.take_all_before(fence)] == ended
    told = "call_ended" if outcome == "cancelled" else "call_answered_elsewhere"
    types = [event["type"] for event in curious.take_all_before(fence)]
    assert types == ["call_invitation", told, *ended]
    types = [event["type"] for event in mine.take_all_before(fence)]
    assert "call_ringing" not in types
