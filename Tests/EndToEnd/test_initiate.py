"""POST /calls/initiate (contract §4; R1)."""

from __future__ import annotations

import uuid

import pytest

from support import expect
from support.stack import wait_until

criterion = pytest.mark.criterion
LIVE = ["initiating", "ringing", "connecting", "connected", "disconnecting"]


@criterion("R1.1", "R1.2")
@pytest.mark.parametrize("kind", ["audio", "video"])
def test_initiate(people, kind):
    """R1.2: a call record with status initiating, ids of the server's, both parties."""
    caller, callee = people.pair()
    call = caller.call(callee, kind)
    assert set(call) == expect.CALL_MEMBERS
    assert call["status"] == "initiating" and call["callType"] == kind
    assert (call["callerId"], call["callerName"], call["callerAvatar"]) == (
        caller.id,
        caller.full_name,
        caller.avatar,
    )
    assert (call["calleeId"], call["calleeName"], call["calleeAvatar"]) == (
        callee.id,
        callee.full_name,
        callee.avatar,
    )
    assert expect.recent(call["createdAt"])
    assert 1 <= len(call["channelId"].encode()) <= 63
    assert caller.details(call["callId"])["status"] == "initiating"


@criterion("R1.4")
def test_expires_exactly_one_timeout_later(people):
    """§7.1: expiresAt − createdAt is exactly the timeout, 60 s by default."""
    for _ in range(3):
        _, _, call = people.ringing()
        lasts = expect.milliseconds(call["expiresAt"]) - expect.milliseconds(call["createdAt"])
        assert lasts == 60_000


@criterion("R1.2")
def test_ids_are_unique_and_the_servers(people):
    """R1.2: every call has its own ids; those that a client sends are ignored."""
    seen = set()
    for _ in range(5):
        caller, callee = people.pair()
        body = {"calleeId": callee.id, "callType": "audio", "callId": "mine", "channelId": "mine"}
        call = expect.succeeded(caller.post("/calls/initiate", body), 201)
        seen |= {call["callId"], call["channelId"]}
    assert len(seen) == 10 and "mine" not in seen


@criterion("R1.1", "R12.2")
def test_unknown_callee(people):
    """R1.1: a callee who does not exist is 404, details.resource user."""
    error = expect.refused(people.person().initiate("nobody-at-all"), 404, "RESOURCE_NOT_FOUND")
    assert error["details"] == {"resource": "user"}


@criterion("R1.1")
@pytest.mark.parametrize(
    "forth, back, allowed",
    [
        ("ACCEPTED", "ACCEPTED", True),
        ("ACCEPTED", None, True),
        ("ACCEPTED", "PENDING", True),
        (None, None, False),
        (None, "ACCEPTED", False),
        ("PENDING", "ACCEPTED", False),
        ("REJECTED", "ACCEPTED", False),
        ("BLOCKED", "ACCEPTED", False),
        ("ACCEPTED", "BLOCKED", False),
        ("BLOCKED", "BLOCKED", False),
        ("PENDING", None, False),
        (None, "BLOCKED", False),
    ],
)
def test_contacts(people, forth, back, allowed):
    """R1.1: the callee must be an accepted contact of the caller, and neither has blocked."""
    caller, callee = people.person(), people.person()
    if forth:
        people.contact(caller, callee, forth)
    if back:
        people.contact(callee, caller, back)
    response = caller.initiate(callee)
    if allowed:
        expect.succeeded(response, 201)
    else:
        expect.refused(response, 403, "NOT_CONTACTS")
        assert caller.active() is None and callee.active() is None
        assert caller.history()["calls"] == []


@criterion("R12.3")
def test_self_call(people):
    person = people.person()
    people.contact(person, person)
    expect.invalid(person.initiate(person), calleeId="SELF_CALL")


@criterion("R12.3")
@pytest.mark.parametrize(
    "body, faults",
    [
        ({}, {"calleeId": "REQUIRED", "callType": "REQUIRED"}),
        ({"calleeId": "x"}, {"callType": "REQUIRED"}),
        ({"callType": "audio"}, {"calleeId": "REQUIRED"}),
        ({"calleeId": "", "callType": "audio"}, {"calleeId": None}),
        ({"calleeId": "x", "callType": ""}, {"callType": None}),
        ({"calleeId": "x", "callType": "fax"}, {"callType": "INVALID_CALL_TYPE"}),
        ({"calleeId": "x" * 65, "callType": "fax"}, {"calleeId": None, "callType": None}),
        ({"calleeId": None, "callType": None}, {"calleeId": None, "callType": None}),
    ],
    ids=str,
)
def test_validation(people, body, faults):
    """R12.3: every fault of a body at once."""
    expect.invalid(people.person().post("/calls/initiate", body), **faults)


@criterion("R1.5")
@pytest.mark.parametrize(
    "status", ["initiating", "ringing", "connecting", "connected", "disconnecting"]
)
def test_a_busy_caller(people, status):
    """R1.5: who is in a call, in whatever live status, starts no other: 409, with its id."""
    caller, callee, call = people.in_status(status)
    for busy in (caller, callee):
        third = people.friend_of(busy)
        error = expect.refused(busy.initiate(third), 409, "USER_BUSY")
        assert error["details"] == {
            "party": "caller",
            "status": "busy",
            "activeCallId": call["callId"],
        }
        assert third.active() is None
        assert third.history()["calls"] == [], "a busy caller's attempt is not recorded (§7.2)"
    assert caller.details(call["callId"])["status"] == status


@criterion("R2.5")
@pytest.mark.parametrize("status", ["initiating", "connected", "disconnecting"])
@pytest.mark.parametrize("party", [0, 1], ids=["their caller", "their callee"])
def test_a_busy_callee(people, status, party):
    """R2.5: a call to somebody who is in a call is 409 busy, recorded as rejected."""
    parties = people.in_status(status)
    busy, call = parties[party], parties[2]
    caller = people.friend_of(busy)
    error = expect.refused(caller.initiate(busy, "audio"), 409, "USER_BUSY")
    assert error["details"] == {"party": "callee", "status": "busy"}
    assert call["callId"] not in str(error)
    assert caller.active() is None
    (entry,) = caller.history()["calls"]
    assert (entry["status"], entry["endReason"]) == ("rejected", "busy")
    assert (entry["direction"], entry["remoteUserId"]) == ("outgoing", busy.id)
    assert (entry["callType"], entry["durationSeconds"]) == ("audio", 0)
    theirs = [e for e in busy.history()["calls"] if e["callId"] == entry["callId"]]
    assert [(e["status"], e["direction"], e["endReason"]) for e in theirs] == [
        ("missed", "incoming", "busy")
    ]
    details = caller.details(entry["callId"])
    assert (details["status"], details["endReason"]) == ("rejected", "busy")
    assert busy.active()["callId"] == call["callId"]


@criterion("R1.5")
def test_both_are_busy(people):
    """The caller's own call comes first: nothing is recorded of the attempt."""
    (caller, _, call), (busy, _, _) = people.connecting(), people.connecting()
    people.befriend(caller, busy)
    again = people.stack.sql(
        "SELECT callee_id AS id FROM calls WHERE channel_id = %s", call["channelId"]
    )[0]["id"]
    for callee in (busy.id, again):
        error = expect.refused(caller.initiate(callee), 409, "USER_BUSY")
        assert error["details"]["party"] == "caller"
        assert error["details"]["activeCallId"] == call["callId"]
    assert caller.history()["calls"] == [] and busy.history()["calls"] == []


@criterion("R2.5", "R1.3")
def test_a_busy_callee_is_not_disturbed(people):
    """A busy callee's devices hear nothing of the call that found them busy."""
    caller, callee, call = people.connected()
    device = callee.socket()
    expect.refused(people.friend_of(callee).initiate(callee), 409, "USER_BUSY")
    caller.end(call["callId"])
    assert device.until(call["callId"]) == []
    device.take("call_ended", callId=call["callId"])
    assert device.types == ["call_ended"]


@criterion("R1.5")
def test_calling_back_while_it_rings(people):
    """The callee of a ringing call is busy too, for a call back as well."""
    caller, callee, call = people.ringing()
    error = expect.refused(callee.initiate(caller), 409, "USER_BUSY")
    assert error["details"]["activeCallId"] == call["callId"]


@criterion("R1.5")
def test_both_are_free_after_a_call(people):
    """After any end, both can call again at once."""
    caller, callee = people.pair()
    for finish in (
        lambda call: caller.end(call["callId"]),
        lambda call: callee.reject(call["callId"]),
        lambda call: (callee.accept(call["callId"]), callee.end(call["callId"])),
    ):
        finish(caller.call(callee))
        assert caller.active() is None and callee.active() is None
    assert callee.call(caller)["callerId"] == callee.id


@criterion("R1.2", "R1.3")
def test_ringing_once_the_invitation_has_reached_a_device(people):
    """§5: initiating → ringing when a device of the callee has the invitation."""
    caller, callee = people.pair()
    call = caller.call(callee)
    assert callee.details(call["callId"])["status"] == "initiating"
    device = callee.socket()
    device.take("call_invitation", callId=call["callId"])
    people.wait_for_status(caller, call["callId"], "ringing")
    assert caller.active()["status"] == "ringing"


def test_active(people):
    """GET /calls/active: the user's live call, for both, or null."""
    caller, callee = people.pair()
    assert caller.active() is None
    call = caller.call(callee)
    for person in (caller, callee):
        active = person.active()
        assert active["callId"] == call["callId"]
        assert active["channelId"] == call["channelId"]
        assert active["status"] == "initiating"
        assert (active["callerId"], active["calleeId"]) == (caller.id, callee.id)
        assert active["callType"] == call["callType"]
    callee.accept(call["callId"])
    assert caller.active()["status"] == "connecting"
    caller.end(call["callId"])
    wait_until(lambda: caller.active() is None and callee.active() is None)


def test_users_may_be_changed_between_calls(people):
    """Names are read when the call is made: `users` may be anybody's table."""
    caller, callee = people.pair()
    people.stack.sql("UPDATE users SET full_name = %s WHERE id = %s", "New Name", caller.id)
    assert caller.call(callee)["callerName"] == "New Name"


def test_idempotency_key(people):
    """The same key, the same call: 200, Idempotency-Replayed: true, and no second invitation."""
    caller, callee = people.pair()
    device = callee.socket()
    key = uuid.uuid4().hex
    first = caller.initiate(callee, "audio", key)
    call = expect.succeeded(first, 201)
    assert "Idempotency-Replayed" not in first.headers
    again = caller.initiate(callee, "AUDIO", key)
    assert expect.succeeded(again)["callId"] == call["callId"]
    assert again.headers["Idempotency-Replayed"] == "true"
    members = expect.CALL_MEMBERS - {"status"}
    replayed = again.json()["data"]
    assert {name: replayed[name] for name in members} == {name: call[name] for name in members}
    caller.end(call["callId"])
    over = caller.initiate(callee, "audio", key)
    assert expect.succeeded(over)["callId"] == call["callId"]
    device.take("call_ended", callId=call["callId"])
    assert device.types == ["call_invitation", "call_ended"]
    assert caller.active() is None


def test_idempotency_key_reused(people):
    """The same key with another callee or type: 409 IDEMPOTENCY_KEY_REUSED."""
    caller, callee = people.pair()
    other = people.friend_of(caller)
    key = "k 1"
    call = expect.succeeded(caller.initiate(callee, "audio", key), 201)
    expect.refused(caller.initiate(callee, "video", key), 409, "IDEMPOTENCY_KEY_REUSED")
    expect.refused(caller.initiate(other, "audio", key), 409, "IDEMPOTENCY_KEY_REUSED")
    assert other.active() is None
    assert caller.active()["callId"] == call["callId"]


def test_idempotency_keys_are_the_callers_own(people):
    """Two callers may use the same key."""
    (one, first), (two, second) = people.pair(), people.pair()
    calls = {
        expect.succeeded(caller.initiate(callee, "audio", "same"), 201)["callId"]
        for caller, callee in ((one, first), (two, second))
    }
    assert len(calls) == 2


def test_only_a_201_is_remembered(people):
    """A refusal leaves the key free."""
    caller, callee = people.person(), people.person()
    key = uuid.uuid4().hex
    expect.refused(caller.initiate(callee, "audio", key), 403, "NOT_CONTACTS")
    people.befriend(caller, callee)
    busy = people.friend_of(callee).call(callee)
    expect.refused(caller.initiate(callee, "audio", key), 409, "USER_BUSY")
    expect.invalid(caller.initiate(callee, "fax", key), callType=None)
    callee.reject(busy["callId"])
    expect.succeeded(caller.initiate(callee, "audio", key), 201)


@pytest.mark.parametrize("key, good", [("a" * 64, True), ("~!'\"{}", True), ("a" * 65, False)])
def test_idempotency_key_form(people, key, good):
    """1–64 printable ASCII."""
    caller, callee = people.pair()
    response = caller.initiate(callee, "audio", key)
    if good:
        expect.succeeded(response, 201)
    else:
        expect.refused(response, 400, "VALIDATION_ERROR")
        assert caller.active() is None


def test_idempotency_key_of_other_characters(people):
    caller, callee = people.pair()
    body = {"calleeId": callee.id, "callType": "audio"}
    for key in ("é".encode(), b"a\tb", b"\x7f"):
        response = caller.post("/calls/initiate", body, headers={"Idempotency-Key": key})
        expect.refused(response, 400, "VALIDATION_ERROR")
