"""A login's end on a socket (contract §10): told before, renewed in place, closed otherwise. JWTs that have run
out by their `exp` but not by the leeway make a minute of a few seconds."""

from __future__ import annotations

import time
import uuid

import pytest

from support import expect, keys
from support.handshakes import ticket
from support.logins import (
    EXPIRED,
    LASTS,
    close_code,
    connected,
    ended,
    login,
    refused,
    renewed,
    wait_for,
)
from support.logs import texts
from support.people import send
from support.stack import wait_until

criterion = pytest.mark.criterion


@criterion("C10")
def test_told_a_minute_before(people):
    """`connected` says when; notice comes 60 s before, to this connection only, and is no event."""
    person = people.person()
    other = person.socket()
    token, end = login(person, 63)
    socket = person.socket(token=token)
    assert socket.greeting["authenticatedUntil"] == end
    assert len(socket.frames) == 1
    frame = socket.take("auth_expiring")
    assert frame["data"] == {"authenticatedUntil": end} and "id" not in frame
    assert expect.milliseconds(frame["timestamp"]) >= expect.milliseconds(end) - 60_000
    bell = people.friend_of(person).call(person)
    other.until(bell["callId"])
    assert "auth_expiring" not in [frame["type"] for frame in other.frames]


@criterion("C10")
def test_not_renewed(people):
    """Less than a minute: told right behind `connected`, ahead of the invitation; closed at the end."""
    caller, callee, call = people.ringing()
    token, end = login(callee, LASTS)
    socket = callee.socket(token=token)
    assert socket.take("call_invitation")["data"]["callId"] == call["callId"]
    types = [frame["type"] for frame in socket.frames]
    assert types == ["connected", "auth_expiring", "call_invitation"]
    assert socket.closed() == EXPIRED
    assert ended(end)
    assert socket.connection.close_reason == "the login has ended"
    expect.refused(send(people.stack, "GET", "/calls/active", token), 401, "AUTHENTICATION_FAILED")
    # A new login resumes where this one stopped.
    caller.end(call["callId"])
    again = callee.socket(last_event_id=socket.events[-1]["id"])
    assert again.take("call_ended")


@criterion("C10")
def test_renewed_in_place(people):
    """It outlives its first end, with everything that belongs to it."""
    caller, callee, call = people.connected()
    token, first = login(callee, LASTS)
    socket = callee.socket(token=token, device="phone")
    again, second = login(callee, 3600)
    assert renewed(socket.command("auth", "mine", token=again)) == second
    wait_for(first)
    expect.succeeded(caller.report(call["callId"], "poor"))
    assert socket.take("call_quality_warning")
    assert socket.heartbeat()
    assert socket.command("call.end", callId=call["callId"])["status"] == 200
    # An earlier end counts as well, and is told of at once.
    short, third = login(callee, LASTS)
    assert renewed(socket.command("auth", "short", token=short)) == third
    assert socket.take("auth_expiring", authenticatedUntil=third)
    assert socket.closed() == EXPIRED
    assert ended(third)


@criterion("C10")
def test_tokens_that_renew_nothing(people):
    """401 for a bad one, 403 for another user's, byte for byte; the end stays what it was."""
    name = f"caf\u00e9-{uuid.uuid4().hex[:12]}"
    person = people.person(name)
    lookalike = people.person(name.replace("\u00e9", "e\u0301"))
    token, end = login(person, LASTS)
    socket = person.socket(token=token)
    good = person.token
    for number, (bad, status, code) in enumerate(
        [
            ("rubbish", 401, "AUTHENTICATION_FAILED"),
            (good[:-4] + "AAAA", 401, "AUTHENTICATION_FAILED"),
            (login(person, -1)[0], 401, "AUTHENTICATION_FAILED"),
            (login(person, 60, nbf=int(time.time()) + 600)[0], 401, "AUTHENTICATION_FAILED"),
            (keys.token("x" * 40, person.id), 401, "AUTHENTICATION_FAILED"),
            ("x" * 9000, 401, "AUTHENTICATION_FAILED"),
            (f"Bearer {good}", 401, "AUTHENTICATION_FAILED"),
            (people.person().token, 403, "UNAUTHORIZED_ACCESS"),
            (lookalike.token, 403, "UNAUTHORIZED_ACCESS"),
            (keys.token(people.stack["JWT_SECRET"], name.upper()), 403, "UNAUTHORIZED_ACCESS"),
        ]
    ):
        refused(socket.command("auth", number, token=bad), status, code)
    assert refused(
        socket.command("auth", "id", token=good, userId=lookalike.id), 403, "UNAUTHORIZED_ACCESS"
    )
    assert socket.heartbeat()
    assert socket.closed() == EXPIRED
    assert ended(end)


@criterion("C10", "R12.3")
def test_malformed_renewals(people):
    """As commands: 400 with the fault's field; what has no readable requestId is an `error`."""
    person = people.person()
    socket = person.socket()
    for number, (members, fields) in enumerate(
        [
            ({}, ["token"]),
            ({"data": None}, ["token"]),
            ({"data": {}, "payload": {"token": person.token}}, ["token"]),
            ({"data": {"token": None}}, ["token"]),
            ({"data": {"token": ""}}, ["token"]),
            ({"data": {"token": 12}}, ["token"]),
            ({"data": {"token": {"token": person.token}}}, ["token"]),
            ({"data": [person.token]}, ["data"]),
            ({"data": person.token}, ["data"]),
            ({"data": {"userId": []}}, ["token", "userId"]),
            ({"token": person.token}, ["token"]),
        ]
    ):
        socket.send({"type": "auth", "requestId": number} | members)
        result = socket.take("command_result", requestId=number)["data"]
        details = refused(result, 400, "VALIDATION_ERROR")["details"]
        assert sorted(fault["field"] for fault in details) == fields
    socket.send({"type": "auth", "requestId": [], "data": {"token": person.token}})
    assert socket.take("error")["data"]["details"][0]["field"] == "requestId"
    assert renewed(socket.command("AUTH", member="payload", token=person.token))


@criterion("C10", "C6.1")
def test_a_ticket_passes_the_end_on(people, stack):
    """That of the JWT that asked for it; one of the version before, which tells of none, still works."""
    person = people.person()
    token, end = login(person, LASTS)
    text = expect.succeeded(send(stack, "POST", "/signaling/ticket", token, json={}))["ticket"]
    socket = person.socket(token=None, query={"ticket": text})
    assert socket.greeting["authenticatedUntil"] == end
    assert socket.take("auth_expiring")
    usual = person.socket(token=None, query={"ticket": ticket(person)})
    assert expect.milliseconds(usual.greeting["authenticatedUntil"]) > expect.milliseconds(end)
    old = uuid.uuid4().hex * 2
    stack.redis.set(f"chattrix:ticket:{old}", person.id, ex=30)
    assert person.socket(token=None, query={"ticket": old}).greeting["authenticatedUntil"] is None
    assert socket.closed() == EXPIRED
    assert ended(end)
    assert usual.heartbeat()


@criterion("C10")
def test_a_token_that_never_ends(people):
    """An `exp` beyond all times that can be said is none."""
    person = people.person()
    token = keys.token(people.stack["JWT_SECRET"], person.id, exp=10**15)
    socket = person.socket(token=token)
    assert socket.greeting["authenticatedUntil"] is None
    again, end = login(person, 3600)
    assert renewed(socket.command("auth", token=again)) == end


@criterion("C10", "C6.5")
def test_chat_is_exempt(people):
    """The existing app cannot renew: `null`, no notice, no end, and its commands are carried out."""
    caller, callee, call = people.connected()
    token, end = login(callee, LASTS)
    socket = callee.socket(token=token, path="/chat")
    assert socket.greeting["authenticatedUntil"] is None
    wait_for(end)
    result = socket.command("call.end", callId=call["callId"])
    assert result["status"] == 200 and result["body"]["data"]["status"] == "ENDED"
    again, _ = login(callee, 600)
    assert renewed(socket.command("auth", token=again)) is None
    refused(socket.command("auth", token=caller.token), 403, "UNAUTHORIZED_ACCESS")
    assert [frame["type"] for frame in socket.frames if "id" not in frame] == [
        "connected",
        *["command_result"] * 3,
    ]


@criterion("C10", "C6.5")
def test_chat_that_expires(people, own_sidecar):
    """SIGNALING_CHAT_EXPIRES=1: as on /ws, in the dialect of /ws/chat."""
    _, address = own_sidecar(SIGNALING_CHAT_EXPIRES="1")
    caller, callee, call = people.connected()
    token, end = login(callee, LASTS)
    silent, greeting = connected(callee, token, address, path="/chat")
    assert greeting["authenticatedUntil"] == end
    assert silent.frame()["type"] == "auth_expiring"
    wire, _ = connected(callee, token, address, path="/chat")
    assert wire.frame()["type"] == "auth_expiring"
    again, later = login(callee, 600)
    wire.send({"type": "auth", "data": {"token": again}})
    assert renewed(wire.frame()["data"]) == later
    assert close_code(silent) == EXPIRED
    wait_for(end)
    wire.send({"type": "call.end", "data": {"callId": call["callId"]}})
    assert wire.frame()["data"]["body"]["data"]["status"] == "ENDED"
    silent.close()
    wire.close()


@criterion("C10", "R10.1")
def test_renewals_count_as_messages(people):
    """More than twenty in a second are answered with 429, and change nothing."""
    person = people.person()
    socket = person.socket()
    again, end = login(person, 600)
    for number in range(30):
        socket.send({"type": "auth", "requestId": number, "data": {"token": again}})
    results = [socket.take("command_result", requestId=number)["data"] for number in range(30)]
    statuses = [result["status"] for result in results]
    assert statuses[:20] == [200] * 20 and set(statuses) <= {200, 429}
    for result in results[20:]:
        if result["status"] == 429:
            refused(result, 429, "RATE_LIMIT_EXCEEDED")
        else:
            assert renewed(result) == end


def test_tokens_of_renewals_reach_no_log(people):
    """R9: neither the good one nor the bad; the renewal itself is there."""
    person = people.person()
    socket = person.socket()
    again, _ = login(person, 600)
    assert renewed(socket.command("auth", "good", token=again))
    bad = again[:-6] + uuid.uuid4().hex[:6]
    refused(socket.command("auth", "bad", token=bad), 401, "AUTHENTICATION_FAILED")
    connection_id = socket.greeting["connectionId"]

    def lines() -> list[str]:
        return [line for text in texts(people.stack).values() for line in text.splitlines()]

    wait_until(lambda: any("login_renewed" in line and connection_id in line for line in lines()))
    for token in (again, bad):
        signature = token.rpartition(".")[2]
        assert not [line for line in lines() if signature in line]
