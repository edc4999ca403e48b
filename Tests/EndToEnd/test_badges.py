"""Missed calls that the user has not seen (contract §11.1)."""

from __future__ import annotations

import pytest

from support import expect
from support.clock import shift_call

criterion = pytest.mark.criterion


def unseen(person) -> int:
    data = expect.succeeded(person.get("/calls/history/unseen"))
    assert set(data) == {"missed"}
    return data["missed"]


def see(person, **body) -> None:
    assert expect.succeeded(person.post("/calls/history/seen", body)) == {"missed": 0}


def cancelled(caller, callee) -> str:
    call_id = caller.call(callee)["callId"]
    caller.end(call_id)
    return call_id


@criterion("C11.1")
def test_what_counts(people):
    """What the callee's history shows as missed and incoming; nothing of the caller's."""
    caller, callee = people.pair()
    assert unseen(callee) == 0
    cancelled(caller, callee)
    assert unseen(callee) == 1
    timeout = caller.call(callee)
    shift_call(people.stack, timeout["callId"], 61)
    people.wait_for_status(caller, timeout["callId"], "missed")
    assert unseen(callee) == 2
    # Busy, and the call that keeps the callee so.
    third = people.friend_of(callee)
    call_id = third.call(callee)["callId"]
    callee.accept(call_id)
    expect.refused(caller.initiate(callee), 409, "USER_BUSY")
    assert unseen(callee) == 3
    third.end(call_id)
    call_id = caller.call(callee)["callId"]
    callee.reject(call_id)
    assert (unseen(caller), unseen(callee), unseen(third)) == (0, 3, 0)
    history = callee.history(status="missed")["calls"]
    assert len([call for call in history if call["direction"] == "incoming"]) == 3


@criterion("C11.1")
def test_seen(people):
    """After a look nothing is unseen, what comes later is; deleting lowers by what is unseen."""
    caller, callee = people.pair()
    old = [cancelled(caller, callee) for _ in range(2)]
    see(callee)
    assert unseen(callee) == 0
    see(callee)
    new = cancelled(caller, callee)
    assert unseen(callee) == 1
    expect.succeeded(callee.delete(f"/calls/history/{old[0]}"))
    expect.succeeded(caller.delete(f"/calls/history/{new}"))
    assert unseen(callee) == 1
    expect.succeeded(callee.delete(f"/calls/history/{new}"))
    assert unseen(callee) == 0
    expect.refused(callee.delete(f"/calls/history/{new}"), 404, "RESOURCE_NOT_FOUND")
    assert unseen(callee) == 0
    assert callee.history()["pagination"]["total"] == 1


@criterion("C11.1", "C6.2")
def test_connected_tells_it(people):
    """`connected.unseenMissed`, whether or not the user is in a call, on both paths."""
    caller, callee = people.pair()
    assert callee.socket().greeting["unseenMissed"] == 0
    cancelled(caller, callee)
    assert callee.socket().greeting["unseenMissed"] == 1
    assert callee.socket(path="/chat").greeting["unseenMissed"] == 1
    third = people.friend_of(callee)
    call_id = third.call(callee)["callId"]
    greeting = callee.socket().greeting
    assert (greeting["unseenMissed"], greeting["activeCall"]["callId"]) == (1, call_id)
    third.end(call_id)
    assert callee.socket().greeting["unseenMissed"] == 2
    see(callee)
    assert callee.socket().greeting["unseenMissed"] == 0
    assert people.person().socket().greeting["unseenMissed"] == 0


@criterion("C11.1", "C7.6")
@pytest.mark.parametrize("way", ["REST", "socket"])
def test_the_other_sockets_are_told(people, way):
    """`history_seen` to all sockets of the user but those of the device that looked, once."""
    caller, callee = people.pair()
    cancelled(caller, callee)
    phone, same = callee.socket(device="phone"), callee.socket(device="phone")
    others = [callee.socket(device="tablet"), callee.socket(), callee.socket(path="/chat")]
    theirs = caller.socket()
    for _ in range(2):
        if way == "REST":
            see(callee, deviceId="phone")
        else:
            result = phone.command("history.seen")
            assert (result["status"], result["body"]["data"]) == (200, {"missed": 0})
    for socket in others:
        assert socket.take("history_seen")["data"] == {"missed": 0}
    fence = people.friend_of(callee).call(callee)["callId"]
    assert [[event["type"] for event in one.until(fence)] for one in others] == [
        ["history_seen"]
    ] * 3
    for socket in (phone, same):
        assert socket.until(fence) == []
    assert theirs.listen(0.2) == []


@criterion("C11.1", "C6.3", "C7.6")
def test_the_socket_that_says_it_is_spared(people):
    """A command spares its own connection where no device is named, and the one that it names."""
    caller, callee = people.pair()
    cancelled(caller, callee)
    mine, other = callee.socket(), callee.socket()
    assert mine.command("history.seen", member="payload")["status"] == 200
    other.take("history_seen")
    cancelled(caller, callee)
    tablet = callee.socket(device="tablet")
    assert mine.command("history.seen", "r-2", deviceId="tablet")["status"] == 200
    other.take("history_seen")
    fence = people.friend_of(callee).call(callee)["callId"]
    for socket in (mine, tablet):
        assert "history_seen" not in [event["type"] for event in socket.until(fence)]


@criterion("C11.1", "C6.4")
def test_it_is_replayed(people):
    """An event of the user like any other: with an id, in order, for 24 hours."""
    caller, callee = people.pair()
    cancelled(caller, callee)
    see(callee)
    behind = callee.socket(last_event_id=0)
    for kind in ("call_invitation", "call_ended", "history_seen"):
        behind.take(kind)
    assert behind.types == ["call_invitation", "call_ended", "history_seen"]
    assert [event["id"] for event in behind.events] == ["1", "2", "3"]


@criterion("C11.1", "R12.3")
def test_bad_requests(people):
    person = people.person()
    expect.invalid(person.post("/calls/history/seen", {"deviceId": ""}), deviceId=None)
    body = {"deviceId": "x" * 129, "userId": []}
    expect.invalid(person.post("/calls/history/seen", body), deviceId=None, userId=None)
    for path in ("/calls/history/unseen", "/calls/history/seen"):
        expect.refused(person.delete(path), 405, "METHOD_NOT_ALLOWED")
    result = person.socket().command("history.seen", deviceId="")
    assert (result["status"], result["body"]["error"]["code"]) == (400, "VALIDATION_ERROR")
