"""A command over a socket is the REST request of its name: the same rules, the same answers
(contract §6.3, §7.1, §7.6)."""

from __future__ import annotations

import re
import time

import pytest

from support import expect
from support.clock import shift_call

criterion = pytest.mark.criterion
COMMANDS = ["accept", "reject", "end"]
STATUSES = ["initiating", "connecting", "connected", "disconnecting", "ended", "rejected"]
ACCEPTED = {"connecting", "connected", "disconnecting", "ended"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def missed(people):
    """A call that rang out, as the sweeper leaves it."""
    caller, callee, call = people.ringing()
    shift_call(people.stack, call["callId"], 61)
    people.wait_for_status(caller, call["callId"], "missed")
    return caller, callee, call


def late(people):
    """A call whose time is up, and nobody has said so yet."""
    caller, callee, call = people.ringing()
    shift_call(people.stack, call["callId"], 61)
    return caller, callee, call


def in_general(status: int, body: dict, parties: tuple, most_seconds: float) -> tuple:
    """An answer without what differs from one call to the next: moments, and the duration of a call that was
    accepted, which is whole seconds of at most so many."""
    data = body.get("data")
    if data and 0 < (data.get("durationSeconds") or 0) <= most_seconds:
        data = data | {"durationSeconds": 0}
    text = MOMENT.sub("a moment", repr((data, body.get("error"))))
    for name, value in zip(("caller", "callee", "call", "channel"), parties, strict=True):
        text = text.replace(value, name)
    return status, body["success"], set(body), text


def names(caller, callee, call) -> tuple:
    return caller.id, callee.id, call["callId"], call["channelId"]


@criterion("C6.3", "R2.2", "R2.3", "R5.1", "R12.1")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("status", [*STATUSES, "missed", "late"])
@pytest.mark.parametrize("who", [0, 1], ids=["caller", "callee"])
def test_the_same_answer(people, who, status, command):
    """In every status, by either participant: the status code and the body that REST gives."""
    make = {"missed": missed, "late": late}.get(status, lambda p: p.in_status(status))
    began = time.monotonic()
    asked, commanded = make(people), make(people)
    response = asked[who].post(f"/calls/{asked[2]['callId']}/{command}", {})

    def talked() -> float:
        return 1 + time.monotonic() - began if status in ACCEPTED else 0

    rest = in_general(response.status_code, response.json(), names(*asked), talked())
    socket = commanded[who].socket()
    result = socket.command(f"call.{command}", callId=commanded[2]["callId"])
    assert in_general(result["status"], result["body"], names(*commanded), talked()) == rest
    statuses = [one[0].details(one[2]["callId"]) for one in (asked, commanded)]
    assert statuses[0]["status"] == statuses[1]["status"]
    assert statuses[0]["endReason"] == statuses[1]["endReason"]


@criterion("C6.3")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_answer_to_a_stranger(people, command):
    caller, callee, call = people.ringing()
    stranger = people.person()
    for call_id, status in ((call["callId"], 403), ("unknown", 404)):
        response = stranger.post(f"/calls/{call_id}/{command}", {})
        result = stranger.socket().command(f"call.{command}", callId=call_id)
        assert result["status"] == response.status_code == status
        assert result["body"]["error"] == response.json()["error"]


@criterion("C6.3", "R2.3", "R5.1")
@pytest.mark.parametrize("member", ["data", "payload"])
def test_payload_is_read_too(people, member):
    """For every command, its reason and its device included."""
    caller, callee = people.pair()
    phone, tablet = callee.socket(), callee.socket(device="tablet")
    for command, reason, status in [
        ("call.reject", "unavailable", "rejected"),
        ("call.reject", "BUSY", "rejected"),
        ("call.end", None, "rejected"),
    ]:
        call = caller.call(callee)
        told = {"callId": call["callId"], "deviceId": "tablet"}
        told |= {"reason": reason} if reason else {}
        result = phone.command(command, call["callId"], member=member, **told)
        assert result["status"] == 200 and result["body"]["data"]["status"] == status
        details = callee.details(call["callId"])
        assert details["endReason"] == (reason or "declined").lower()
    fence = people.friend_of(callee).call(callee)["callId"]
    # §7.6: neither to the socket that said it nor to those of the device that it named.
    for socket in (phone, tablet):
        assert {event["type"] for event in socket.until(fence)} == {"call_invitation"}


@criterion("C7.6")
def test_an_end_instead_of_a_rejection_is_told_elsewhere(people):
    """§7.1, §7.6: the callee's end of an unanswered call is a rejection to the other devices."""
    caller, callee = people.pair()
    phone, tablet = callee.socket(device="phone"), callee.socket(device="tablet")
    call = caller.call(callee)
    for socket in (phone, tablet):
        socket.take("call_invitation")
    callee.end(call["callId"], deviceId="phone")
    data = tablet.take("call_answered_elsewhere")["data"]
    assert data == {"callId": call["callId"], "outcome": "rejected"}
    fence = people.friend_of(callee).call(callee)["callId"]
    assert [event["type"] for event in phone.until(fence)] == ["call_invitation"]


@criterion("C6.2")
@pytest.mark.parametrize(
    "request_id", ["", "r-1", 'é 👩‍🚀 "\\\n', "x" * 256, 0, -7, 2**53, 2.5, None], ids=repr
)
def test_the_request_id_is_the_clients_own(people, request_id):
    """It comes back as it was, of the type that it had."""
    person = people.person()
    socket = person.socket()
    message = {"type": "call.end", "requestId": request_id, "data": {"callId": "unknown"}}
    socket.send(message)
    result = socket.take("command_result")["data"]
    assert result["requestId"] == request_id
    assert type(result["requestId"]) is type(request_id)
    assert result["status"] == 404


@criterion("C6.3")
def test_commands_are_carried_out_in_their_order(people):
    """Several at once on one connection: the results come in the order of the commands."""
    caller, callee, call = people.ringing()
    socket = callee.socket()
    call_id = call["callId"]
    kinds = ["call.accept", "call.reject", "call.accept", "call.end", "call.accept", "call.end"]
    for number, kind in enumerate(kinds):
        socket.send({"type": kind, "requestId": number, "data": {"callId": call_id}})
    results = [socket.take("command_result", requestId=n)["data"] for n in range(len(kinds))]
    assert [result["status"] for result in results] == [200, 409, 200, 200, 409, 200]
    order = [f["data"]["requestId"] for f in socket.frames if f["type"] == "command_result"]
    assert order == list(range(len(kinds)))


@criterion("C6.5")
def test_the_chat_app_says_it_in_upper_case(people):
    """§6.5, §1: what that app sends is read in any case, its reason included; the same protocol."""
    caller, callee = people.pair()
    mine, theirs = caller.socket(path="/chat"), callee.socket(path="/chat", device="phone")
    other = callee.socket(path="/chat", device="tablet")
    assert expect.recent(theirs.heartbeat()["serverTime"])
    call = caller.call(callee)
    theirs.take("call_invitation")
    mine.take("call_ringing")
    result = theirs.command("call.reject", callId=call["callId"], reason="UNAVAILABLE")
    assert result["status"] == 200 and result["body"]["data"]["status"] == "REJECTED"
    assert mine.take("call_rejected")["data"]["reason"] == "unavailable"
    assert other.take("call_answered_elsewhere")["data"]["outcome"] == "rejected"
    call = caller.call(callee)
    again = callee.socket(path="/chat")
    assert again.greeting["activeCall"]["status"] in ("INITIATING", "RINGING")
    assert again.take("call_invitation")["data"]["callType"] == "VIDEO"
    behind = callee.socket(path="/chat", last_event_id=int(again.greeting["lastEventId"]) - 1)
    assert behind.take("call_invitation") == again.events[0]
    theirs.take("call_invitation")
    caller.end(call["callId"])
    assert theirs.take("call_ended")["data"]["endReason"] == "cancelled"


@criterion("C6.2")
@pytest.mark.parametrize("status", [*STATUSES, "ringing", "missed", "late"])
def test_the_active_call_is_rests(people, status):
    """`connected.activeCall` is what GET /calls/active gives, member by member; null when over."""
    make = {"missed": missed, "late": late}.get(status, lambda p: p.in_status(status))
    caller, callee, _ = make(people)
    # The caller first: a connection of the callee would make the call ring.
    for person in (caller, callee):
        rest = person.active()
        assert person.socket().greeting["activeCall"] == rest
        assert (rest is None) is (status in ("ended", "rejected", "missed", "late"))
