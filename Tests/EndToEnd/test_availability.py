"""Do not disturb (contract §11.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support import expect
from support.clock import shift
from support.stack import wait_until

criterion = pytest.mark.criterion
OFF = {"doNotDisturb": False, "until": None}


def ahead(**time) -> str:
    """A time from now on, in the contract's form."""
    moment = datetime.now(UTC) + timedelta(**time)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def state(person) -> dict:
    return expect.succeeded(person.get("/me/availability"))


def unavailable(response) -> None:
    error = expect.refused(response, 409, "USER_UNAVAILABLE")
    assert error["details"] == {"party": "callee"}


def unseen(person) -> int:
    return expect.succeeded(person.get("/calls/history/unseen"))["missed"]


@criterion("C11.2")
def test_the_state(people):
    """PUT answers with the new state, which is the whole one, and GET tells it."""
    person = people.person()
    assert state(person) == OFF
    until = ahead(hours=8)
    for body, expected in [
        ({"doNotDisturb": True}, {"doNotDisturb": True, "until": None}),
        ({"doNotDisturb": True, "until": until}, {"doNotDisturb": True, "until": until}),
        ({"doNotDisturb": True, "until": None}, {"doNotDisturb": True, "until": None}),
        ({"doNotDisturb": False, "until": None}, OFF),
        (
            {"doNotDisturb": True, "userId": person.id, "other": 1},
            {"doNotDisturb": True, "until": None},
        ),
        ({"doNotDisturb": False}, OFF),
    ]:
        response = person.send("PUT", "/me/availability", json=body)
        assert expect.succeeded(response) == expected
        assert state(person) == expected
    assert state(people.person()) == OFF


@criterion("C11.2")
def test_it_ends_by_itself(people):
    """At `until`, without anybody's doing."""
    caller, callee = people.pair()
    callee.quiet(until=ahead(hours=1))
    unavailable(caller.initiate(callee))
    shift(people.stack, "user_availability", "user_id = %s", (callee.id,), 3600)
    assert state(callee) == OFF
    caller.end(caller.call(callee)["callId"])
    callee.quiet(until=ahead(hours=1))
    unavailable(caller.initiate(callee))
    # Two seconds are left, or fewer.
    shift(people.stack, "user_availability", "user_id = %s", (callee.id,), 3598)
    wait_until(lambda: state(callee) == OFF)
    caller.call(callee)


@criterion("C11.2", "R12.3")
def test_times(people):
    """In the future, at most a year, and only with `doNotDisturb: true`."""
    person = people.person()
    for until in (ahead(minutes=1), ahead(days=364, hours=23), ahead(hours=1).rstrip("Z")):
        assert person.quiet(until=until)["doNotDisturb"] is True
    put = "/me/availability"
    for until in (
        ahead(seconds=-1),
        ahead(days=365, minutes=5),
        ahead(days=4000),
        "tonight",
        "",
        [],
    ):
        response = person.send("PUT", put, json={"doNotDisturb": True, "until": until})
        expect.invalid(response, until="INVALID_TIMESTAMP")
    response = person.send("PUT", put, json={"doNotDisturb": False, "until": ahead(hours=1)})
    expect.invalid(response, until="INVALID_TIMESTAMP")
    for body in ({}, {"doNotDisturb": None}, {"until": ahead(hours=1)}):
        expect.invalid(person.send("PUT", put, json=body), doNotDisturb="REQUIRED")
    response = person.send("PUT", put, json={"doNotDisturb": 1, "until": "x", "userId": []})
    expect.invalid(response, doNotDisturb="INVALID_TYPE", until=None, userId=None)
    assert person.quiet()["until"] is None


@criterion("C11.2")
def test_a_call_to_such_a_user(people):
    """Recorded as rejected with `unavailable`: rejected for the caller, missed for the callee, whose
    devices stay silent; the badge and the statistics count it."""
    caller, callee = people.pair()
    devices = [callee.socket(), callee.socket(path="/chat")]
    mine = caller.socket()
    callee.quiet()
    for number in (1, 2):
        unavailable(caller.initiate(callee, "audio"))
        assert unseen(callee) == number
    assert unseen(caller) == 0
    assert caller.active() is None and callee.active() is None
    for person, status, direction in (
        (caller, "rejected", "outgoing"),
        (callee, "missed", "incoming"),
    ):
        page = person.history()
        assert page["pagination"]["total"] == 2
        for entry in page["calls"]:
            assert (entry["status"], entry["direction"]) == (status, direction)
            assert entry["endReason"] == "unavailable"
        counts = person.statistics(period="day")["callsByStatus"]
        assert counts == {"completed": 0, "missed": 0, "rejected": 0, "failed": 0} | {status: 2}
        details = person.details(page["calls"][0]["callId"])
        assert (details["status"], details["endReason"]) == ("rejected", "unavailable")
        assert details["acceptedAt"] is None and details["durationSeconds"] == 0
    assert callee.socket().greeting["unseenMissed"] == 2
    fence = people.friend_of(callee)
    expect.succeeded(callee.initiate(fence), 201)
    for device in devices:
        assert device.listen(0.2) == []
    assert mine.listen(0.1) == []


@criterion("C11.2", "C7.2")
def test_a_rejection_as_unavailable_is_another_thing(people):
    """The callee who rejects with that reason has seen the call: rejected for both."""
    caller, callee = people.pair()
    callee.reject(caller.call(callee)["callId"], reason="unavailable")
    assert [p.history()["calls"][0]["status"] for p in (caller, callee)] == ["rejected"] * 2
    assert unseen(callee) == 0


@criterion("C11.2")
def test_order(people):
    """Whether there is such a callee and a contact; the caller's own call; this; the callee's call."""
    caller, callee = people.pair()
    callee.quiet()
    stranger = people.person()
    expect.refused(stranger.initiate(callee), 403, "NOT_CONTACTS")
    expect.refused(caller.initiate("nobody-at-all"), 404, "RESOURCE_NOT_FOUND")
    third = people.friend_of(callee)
    call_id = callee.call(third)["callId"]
    third.accept(call_id)
    unavailable(caller.initiate(callee))
    details = expect.refused(third.initiate(callee), 409, "USER_BUSY")["details"]
    assert (details["party"], details["activeCallId"]) == ("caller", call_id)
    callee.end(call_id)


@criterion("C11.2")
def test_the_user_may_call(people):
    """Others are called, and a call that rings already goes on."""
    caller, callee = people.pair()
    call_id = caller.call(callee)["callId"]
    callee.quiet()
    assert callee.accept(call_id)["status"] == "connecting"
    caller.end(call_id)
    call_id = callee.call(caller)["callId"]
    # A call back at that moment joins it.
    response = caller.initiate(callee, joinIncoming=True)
    assert expect.succeeded(response)["callId"] == call_id


@criterion("C11.2")
def test_keys(people):
    """A call that was made under a key is replayed; a refusal is not remembered."""
    caller, callee = people.pair()
    first = expect.succeeded(caller.initiate(callee, "audio", "k"), 201)
    callee.quiet()
    assert expect.succeeded(caller.initiate(callee, "audio", "k"))["callId"] == first["callId"]
    caller.end(first["callId"])
    unavailable(caller.initiate(callee, "audio", "l"))
    callee.quiet(False)
    expect.succeeded(caller.initiate(callee, "audio", "l"), 201)
