"""A login's end on a socket (contract §10): told before, renewed in place, closed otherwise. JWTs that have run
out by their `exp` but not by the leeway make a minute of a few seconds."""

from __future__ import annotations

import time
import urllib.request
import uuid
from pathlib import Path

import pytest

from support import expect, keys
from support.handshakes import ticket
from support.outages import halted
from support.people import send
from support.sidecars import sidecar
from support.stack import wait_until
from support.variants import free_port
from support.wire import Ended, Wire

criterion = pytest.mark.criterion
LEEWAY = 30
EXPIRED = 4401


def login(person, seconds: int, **claims) -> tuple[str, str]:
    """A token that is good for so many seconds, less than one of them gone, and when it ends."""
    expiry = int(time.time()) + seconds - LEEWAY
    token = keys.token(person.stack["JWT_SECRET"], person.id, exp=expiry, **claims)
    return token, moment(expiry + LEEWAY)


def moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def ended(end: str) -> bool:
    return time.time() > expect.milliseconds(end) / 1000


def wait_for(end: str) -> None:
    """Until a login has ended, and the server had time to see it."""
    time.sleep(max(0, expect.milliseconds(end) / 1000 - time.time()) + 1)


def renewed(result: dict) -> str | None:
    assert result["status"] == 200, result
    assert result["body"]["success"] is True and result["body"]["requestId"]
    return result["body"]["data"]["authenticatedUntil"]


def refused(result: dict, status: int, code: str) -> dict:
    assert result["status"] == status, result
    assert result["body"]["success"] is False and result["body"]["error"]["code"] == code, result
    return result["body"]["error"]


@pytest.fixture
def own(stack):
    """Starts sidecars of the test's own: gives the process and its address."""
    running = []

    def start(**settings: str):
        address = f"127.0.0.1:{free_port()}"
        context = sidecar(stack, address, **settings)
        running.append(context)
        return context.__enter__(), address

    yield start
    for context in running:
        context.__exit__(None, None, None)


def connected(person, token: str, address: str, **options) -> tuple[Wire, dict]:
    wire = Wire(person.stack, token, door=address, **options)
    wire.accepted()
    frame = wire.frame()
    assert frame["type"] == "connected"
    return wire, frame["data"]


def close_code(wire: Wire) -> int | None:
    with pytest.raises(Ended) as end:
        while True:
            wire.frame()
    return end.value.close.code if end.value.close else None


@criterion("C10")
def test_told_a_minute_before(people):
    """`connected` says when; notice comes 60 s before, to this connection only, and is no event."""
    person = people.person()
    other = person.socket()
    token, end = login(person, 63)
    socket = person.socket(token=token)
    assert socket.greeting["authenticatedUntil"] == end
    assert len(socket.frames) == 1
    frame = socket.take("auth_expiring", 15)
    assert frame["data"] == {"authenticatedUntil": end} and "id" not in frame
    assert expect.milliseconds(frame["timestamp"]) >= expect.milliseconds(end) - 60_000
    bell = people.friend_of(person).call(person)
    other.until(bell["callId"])
    assert "auth_expiring" not in [frame["type"] for frame in other.frames]


@criterion("C10")
def test_not_renewed(people):
    """Less than a minute: told right behind `connected`, ahead of the invitation; closed at the end."""
    caller, callee, call = people.ringing()
    token, end = login(callee, 5)
    socket = callee.socket(token=token)
    assert socket.take("call_invitation")["data"]["callId"] == call["callId"]
    types = [frame["type"] for frame in socket.frames]
    assert types == ["connected", "auth_expiring", "call_invitation"]
    assert socket.closed(15) == EXPIRED
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
    token, first = login(callee, 6)
    socket = callee.socket(token=token, device="phone")
    again, second = login(callee, 3600)
    assert renewed(socket.command("auth", "mine", token=again)) == second
    wait_for(first)
    expect.succeeded(caller.report(call["callId"], "poor"))
    assert socket.take("call_quality_warning")
    assert socket.heartbeat()
    assert socket.command("call.end", callId=call["callId"])["status"] == 200
    # An earlier end counts as well, and is told of at once.
    short, third = login(callee, 4)
    assert renewed(socket.command("auth", "short", token=short)) == third
    assert socket.take("auth_expiring", authenticatedUntil=third)
    assert socket.closed(15) == EXPIRED
    assert ended(third)


@criterion("C10")
def test_tokens_that_renew_nothing(people):
    """401 for a bad one, 403 for another user's, byte for byte; the end stays what it was."""
    name = f"caf\u00e9-{uuid.uuid4().hex[:12]}"
    person = people.person(name)
    lookalike = people.person(name.replace("\u00e9", "e\u0301"))
    token, end = login(person, 7)
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
    assert socket.closed(15) == EXPIRED
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
    token, end = login(person, 8)
    text = expect.succeeded(send(stack, "POST", "/signaling/ticket", token, json={}))["ticket"]
    socket = person.socket(token=None, query={"ticket": text})
    assert socket.greeting["authenticatedUntil"] == end
    assert socket.take("auth_expiring")
    usual = person.socket(token=None, query={"ticket": ticket(person)})
    assert expect.milliseconds(usual.greeting["authenticatedUntil"]) > expect.milliseconds(end)
    old = uuid.uuid4().hex * 2
    stack.redis.setex(f"chattrix:ticket:{old}", 30, person.id)
    assert person.socket(token=None, query={"ticket": old}).greeting["authenticatedUntil"] is None
    assert socket.closed(15) == EXPIRED
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


@criterion("C10")
def test_after_the_end_a_suspended_server_refuses_commands(people, own):
    """A process that stood still at the end: 401 to what has come meanwhile, and then the close."""
    process, address = own()
    caller, callee, call = people.ringing()
    token, end = login(callee, 5)
    wire, _ = connected(callee, token, address)
    with halted(process.pid):
        wait_for(end)
        data = {"callId": call["callId"]}
        wire.send({"type": "call.accept", "requestId": "late", "data": data})
    frame = wire.frame()
    while frame["type"] != "command_result":
        frame = wire.frame()
    assert frame["data"]["requestId"] == "late"
    refused(frame["data"], 401, "AUTHENTICATION_FAILED")
    assert close_code(wire) == EXPIRED
    assert caller.details(call["callId"])["acceptedAt"] is None
    wire.close()


@criterion("C10")
def test_after_the_end_a_suspended_server_takes_a_renewal(people, own):
    """A renewal that has come before the close counts; what happened meanwhile comes behind it."""
    process, address = own()
    caller, callee, call = people.connected()
    token, end = login(callee, 5)
    wire, _ = connected(callee, token, address)
    assert wire.frame()["type"] == "auth_expiring"
    again, later = login(callee, 600)
    with halted(process.pid):
        wait_for(end)
        expect.succeeded(caller.report(call["callId"], "poor"))
        wire.send({"type": "auth", "requestId": 1, "data": {"token": again}})
        wire.send({"type": "call.end", "requestId": 2, "data": {"callId": call["callId"]}})
    frames = [wire.frame() for _ in range(3)]
    assert frames[0]["type"] == "command_result"
    assert renewed(frames[0]["data"]) == later
    assert {frame["type"] for frame in frames[1:]} == {"command_result", "call_quality_warning"}
    (ending,) = [frame for frame in frames[1:] if frame["type"] == "command_result"]
    assert ending["data"]["status"] == 200
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    assert "chattrix_signaling_renewals_total 1" in lines
    assert "chattrix_signaling_expirations_total 0" in lines
    wire.close()


@criterion("C10", "C6.5")
def test_chat_is_exempt(people):
    """The existing app cannot renew: `null`, no notice, no end, and its commands are carried out."""
    caller, callee, call = people.connected()
    token, end = login(callee, 4)
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
def test_chat_that_expires(people, own):
    """SIGNALING_CHAT_EXPIRES=1: as on /ws, in the dialect of /ws/chat."""
    _, address = own(SIGNALING_CHAT_EXPIRES="1")
    caller, callee, call = people.connected()
    token, end = login(callee, 5)
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


@criterion("C10")
def test_each_socket_renews_itself(people):
    """Thirty of one user: a renewal is for the connection that it came by."""
    person = people.person()
    token, end = login(person, 15)
    sockets = [person.socket(token=token) for _ in range(30)]
    again, later = login(person, 600)
    for socket in sockets[::2]:
        assert renewed(socket.command("auth", token=again)) == later
    for socket in sockets[1::2]:
        assert socket.closed(30) == EXPIRED
    assert ended(end)
    for socket in sockets[::2]:
        assert socket.heartbeat()


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
        logs = Path(people.stack["LOG_DIR"]).glob("*.log")
        return [line for path in logs for line in path.read_text(errors="replace").splitlines()]

    wait_until(
        lambda: any("login_renewed" in line and connection_id in line for line in lines()), 5
    )
    for token in (again, bad):
        signature = token.rpartition(".")[2]
        assert not [line for line in lines() if signature in line]
