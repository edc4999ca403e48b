"""Two users who call each other (contract §11.3)."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from support import expect
from support.clock import shift_call
from support.races import code_of, together
from support.variants import variant

pytestmark = variant("unlimited")
criterion = pytest.mark.criterion


def join(caller, callee, key: str | None = None, **others):
    return caller.initiate(callee, key=key, joinIncoming=True, **others)


def joined(response) -> dict:
    call = expect.succeeded(response)
    assert set(call) == expect.CALL_MEMBERS | {"joined"}
    assert (call["status"], call["joined"]) == ("connecting", True)
    return call


def busy(response) -> dict:
    details = expect.refused(response, 409, "USER_BUSY")["details"]
    assert (details.pop("party"), details.pop("status")) == ("caller", "busy")
    return details


@criterion("C11.3")
def test_the_incoming_call_is_named(people):
    """Only one that rings, only from this callee, beside `activeCallId`."""
    ann, bea = people.pair()
    cid = people.friend_of(bea)
    call_id = ann.call(bea)["callId"]
    shift_call(people.stack, call_id, -600)  # it rings until all of this has been asked
    named = {"activeCallId": call_id, "incomingCallId": call_id}
    assert busy(bea.initiate(ann)) == named
    assert busy(bea.initiate(ann, joinIncoming=False)) == named
    assert busy(bea.initiate(cid)) == {"activeCallId": call_id}
    assert busy(join(bea, cid)) == {"activeCallId": call_id}
    assert busy(join(ann, bea)) == {"activeCallId": call_id}
    device = bea.socket()
    device.take("call_invitation")
    people.wait_for_status(ann, call_id, "ringing")
    assert busy(bea.initiate(ann)) == named
    bea.accept(call_id)
    assert busy(bea.initiate(ann)) == {"activeCallId": call_id}
    assert busy(join(bea, ann)) == {"activeCallId": call_id}


@criterion("C11.3", "C7.6")
def test_joining_is_accepting(people):
    """The call as initiate tells it; its caller, and the user's other devices, are told."""
    ann, bea = people.pair()
    mine = ann.socket()
    phone, tablet = bea.socket(device="phone"), bea.socket(device="tablet")
    call = ann.call(bea, "audio")
    data = joined(join(bea, ann, deviceId="phone"))
    for name in expect.CALL_MEMBERS - {"status"}:
        assert data[name] == call[name], name
    accepted = mine.take("call_accepted")["data"]
    assert accepted == {
        "callId": call["callId"],
        "channelId": call["channelId"],
        "acceptedBy": bea.id,
    }
    elsewhere = tablet.take("call_answered_elsewhere")["data"]
    assert elsewhere == {"callId": call["callId"], "outcome": "accepted"}
    assert bea.accept(call["callId"], deviceId="phone")["status"] == "connecting"
    response = bea.post(f"/calls/{call['callId']}/accept", {"deviceId": "tablet"})
    expect.refused(response, 409, "CALL_ALREADY_ACCEPTED")
    for person in (ann, bea):
        active = person.active()
        assert (active["callId"], active["status"]) == (call["callId"], "connecting")
        body = {"channelId": call["channelId"]}
        expect.succeeded(person.post("/agora/token/generate", body))
    assert ann.end(call["callId"])["endReason"] == "hangup"
    assert bea.history()["calls"][0]["status"] == "completed"
    fence = people.friend_of(bea).call(bea)["callId"]
    assert [event["type"] for event in phone.until(fence)] == ["call_invitation", "call_ended"]


@criterion("C11.3")
def test_nothing_to_join(people):
    """A request that would join makes a call where none rings, or its time is up."""
    ann, bea = people.pair()
    call = expect.succeeded(join(ann, bea), 201)
    assert set(call) == expect.CALL_MEMBERS and call["status"] == "initiating"
    shift_call(people.stack, call["callId"], 61)
    other = expect.succeeded(join(bea, ann), 201)
    assert other["callerId"] == bea.id
    assert ann.details(call["callId"])["status"] == "missed"


@criterion("C11.3")
def test_who_may_join(people):
    """The rules of initiate come first: a user who could not call this callee joins nothing."""
    ann, bea = people.person(), people.person()
    people.contact(ann, bea)
    call_id = ann.call(bea)["callId"]
    expect.refused(join(bea, ann), 403, "NOT_CONTACTS")
    assert ann.details(call_id)["status"] == "initiating"
    assert bea.accept(call_id)["status"] == "connecting"


@criterion("C11.3", "R12.3")
@pytest.mark.parametrize("value", ["true", 1, 0, [], {}])
def test_join_incoming_is_a_boolean(people, value):
    ann, bea = people.pair()
    expect.invalid(
        ann.initiate(bea, joinIncoming=value, deviceId=""), joinIncoming=None, deviceId=None
    )
    assert ann.active() is None
    expect.succeeded(ann.initiate(bea, joinIncoming=None), 201)


@criterion("C11.3")
def test_a_join_is_repeated_under_its_key(people):
    """As long as the user is in the call, and by the device that is; without a key it is busy."""
    ann, bea = people.pair()
    call_id = ann.call(bea)["callId"]
    key = uuid.uuid4().hex
    first = join(bea, ann, key, deviceId="phone")
    assert joined(first)["callId"] == call_id
    assert "Idempotency-Replayed" not in first.headers
    bea.set_status(call_id, "connected")
    again = join(bea, ann, key, deviceId="phone")
    assert again.json()["data"] == first.json()["data"]
    assert joined(again) and again.headers["Idempotency-Replayed"] == "true"
    assert busy(join(bea, ann, key, deviceId="tablet")) == {"activeCallId": call_id}
    assert busy(join(bea, ann, deviceId="phone")) == {"activeCallId": call_id}
    assert busy(bea.initiate(ann, key=key)) == {"activeCallId": call_id}
    ann.end(call_id)
    assert expect.succeeded(join(bea, ann, key, deviceId="phone"), 201)["callId"] != call_id


@criterion("C11.3")
def test_a_call_accepted_over_a_socket_is_joined_again(people):
    """`call.accept` and a join are the same accept, by the same device."""
    ann, bea = people.pair()
    call_id = ann.call(bea)["callId"]
    socket = bea.socket(device="phone")
    assert socket.command("call.accept", callId=call_id)["status"] == 200
    assert joined(join(bea, ann, "k", deviceId="phone"))["callId"] == call_id
    result = socket.command("call.accept", "r-2", callId=call_id)
    assert result["body"]["data"]["status"] == "connecting"


ROUNDS = [100, pytest.param(500, marks=pytest.mark.slow)]


@criterion("C11.3", "R1.5")
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("joins", [True, False], ids=["joining", "as ever"])
@pytest.mark.timeout(300)
def test_two_who_call_each_other(people, pool, rounds, joins):
    """One call and one caller, every time; both are in it, or each is told the other's call."""
    ann, bea = people.pair()
    winners = Counter()
    for _ in range(rounds):
        responses = together(
            pool,
            lambda: ann.initiate(bea, joinIncoming=joins),
            lambda: bea.initiate(ann, joinIncoming=joins),
        )
        codes = sorted(map(code_of, responses))
        assert codes == (["200", "201"] if joins else ["201", "USER_BUSY"])
        (made,) = [r.json()["data"] for r in responses if r.status_code == 201]
        (other,) = [r for r in responses if r.status_code != 201]
        call_id = made["callId"]
        if joins:
            assert joined(other)["callId"] == call_id
        else:
            assert busy(other) == {"activeCallId": call_id, "incomingCallId": call_id}
        assert (made["callerId"], made["calleeId"]) in ((ann.id, bea.id), (bea.id, ann.id))
        for person in (ann, bea):
            active = person.active()
            assert active["callId"] == call_id and active["callerId"] == made["callerId"]
            assert active["status"] == ("connecting" if joins else "initiating")
        winners[made["callerId"]] += 1
        ann.end(call_id)
    assert ann.statistics()["totalCalls"] == bea.statistics()["totalCalls"] == rounds


@criterion("C11.3", "R8.1")
def test_joining_against_cancelling(people, pool):
    """The call that is cancelled at that moment was joined, or the user's own was made: never a
    refusal."""
    ann, bea = people.pair()
    outcomes = Counter()
    for _ in range(60):
        call_id = ann.call(bea)["callId"]
        response, _ = together(pool, lambda: join(bea, ann), lambda c=call_id: ann.end(c))
        outcomes[code_of(response)] += 1
        details = ann.details(call_id)
        if response.status_code == 200:
            assert joined(response)["callId"] == call_id
            assert (details["status"], details["endReason"]) == ("ended", "hangup")
        else:
            assert details["endReason"] == "cancelled"
            bea.end(expect.succeeded(response, 201)["callId"])
    assert set(outcomes) <= {"200", "201"}, outcomes


@criterion("C11.3", "R8.1")
def test_joining_against_another_device(people, pool):
    """One device of the user has the call; the other is told that the user is in it."""
    ann, bea = people.pair()
    for _ in range(40):
        call_id = ann.call(bea)["callId"]
        response, accepted = together(
            pool,
            lambda: join(bea, ann, deviceId="phone"),
            lambda c=call_id: bea.post(f"/calls/{c}/accept", {"deviceId": "tablet"}),
        )
        codes = (code_of(response), code_of(accepted))
        assert codes in (("200", "CALL_ALREADY_ACCEPTED"), ("USER_BUSY", "200"))
        if codes[0] == "USER_BUSY":
            assert busy(response) == {"activeCallId": call_id}
        assert ann.end(call_id)["endReason"] == "hangup"
