"""Connecting, commands, replay and limits of the sockets (contract §6, §7.8)."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support import expect, keys
from support.people import send
from support.sockets import Socket
from support.stack import wait_until

criterion = pytest.mark.criterion


def not_admitted(stack, status: int, code: str, **options) -> None:
    """No upgrade: an HTTP error with the error body."""
    with pytest.raises(InvalidStatus) as refusal:
        Socket(stack, **options)
    response = refusal.value.response
    assert response.status_code == status, (response.status_code, response.body)
    assert response.headers["Content-Type"].startswith("application/json")
    body = json.loads(response.body)
    assert body["success"] is False and body["error"]["code"] == code, body
    assert body["error"]["message"] and body["requestId"]
    assert response.headers["X-Request-Id"] == body["requestId"]


def ticket(person) -> str:
    return expect.succeeded(person.post("/signaling/ticket", {}))["ticket"]


# Credentials (§6.1).


@criterion("R9.1")
@pytest.mark.parametrize("path", ["", "/chat"])
def test_four_ways_to_authenticate(people, path):
    """Header, ticket, subprotocol and query token; on both paths."""
    person = people.person()
    offered = ["chattrix.v1", f"bearer.{person.token}"]
    ways = {
        "header": {"token": person.token},
        "ticket": {"query": {"ticket": ticket(person)}},
        "subprotocol": {"subprotocols": offered},
        "query": {"query": {"token": person.token}},
    }
    for way, options in ways.items():
        socket = Socket(people.stack, path=path, **options)
        assert socket.greeting["userId"] == person.id, way
        selected = socket.connection.subprotocol
        assert selected == ("chattrix.v1" if way == "subprotocol" else None)


@criterion("R9.1", "R9.5")
def test_bad_credentials(people, stack):
    """Bad or absent credentials: 401 with the error body, no upgrade."""
    expired = keys.token(stack["JWT_SECRET"], "somebody", exp=int(time.time()) - 100)
    unsigned = keys.assembled({"alg": "none"}, keys.claims("somebody"), None)
    for bad in ("rubbish", expired, unsigned, ""):
        for options in [
            {"token": bad},
            {"query": {"token": bad}},
            {"query": {"ticket": bad}},
        ]:
            not_admitted(stack, 401, "AUTHENTICATION_FAILED", **options)
    for offered in (["chattrix.v1"], ["chattrix.v1", "bearer.rubbish"], ["another"]):
        not_admitted(stack, 401, "AUTHENTICATION_FAILED", subprotocols=offered)
    not_admitted(stack, 401, "AUTHENTICATION_FAILED")
    not_admitted(stack, 401, "AUTHENTICATION_FAILED", path="/chat")


def test_unknown_path(people, stack):
    """Only /ws and /ws/chat are paths of signaling."""
    not_admitted(stack, 404, "RESOURCE_NOT_FOUND", path="/other", token=people.person().token)


def test_ticket(people):
    """§6.1, §7.8: `data.ticket` with `expiresAt` 30 s ahead; single use."""
    person = people.person()
    data = expect.succeeded(person.post("/signaling/ticket", {}))
    ahead = expect.moment(data["expiresAt"]).timestamp() - time.time()
    assert 25 < ahead <= 31
    assert len(data["ticket"]) >= 22 and data["ticket"].isascii()
    query = {"ticket": data["ticket"]}
    assert Socket(people.stack, query=query).greeting["userId"] == person.id
    not_admitted(people.stack, 401, "AUTHENTICATION_FAILED", query=query)
    assert ticket(person) != ticket(person)


def test_ticket_runs_out_by_itself(people):
    """Redis forgets a ticket after 30 s: its key lives no longer."""
    text = ticket(people.person())
    lifetimes = [
        people.stack.redis.ttl(key)
        for key in people.stack.redis.scan_iter(match="*ticket*")
        if text in key.decode() or text in str(people.stack.redis.get(key))
    ]
    assert all(0 < seconds <= 30 for seconds in lifetimes), lifetimes


def test_a_ticket_opens_one_of_many_simultaneous_connections(people):
    """Single use also where ten come at the same moment."""
    query = {"ticket": ticket(people.person())}

    def attempt(_):
        try:
            Socket(people.stack, query=query)
            return 101
        except InvalidStatus as refusal:
            return refusal.response.status_code

    with ThreadPoolExecutor(10) as pool:
        results = sorted(pool.map(attempt, range(10)))
    assert results == [101] + [401] * 9


@criterion("R9.1")
def test_a_ticket_is_no_token_for_rest(people):
    text = ticket(people.person())
    response = send(people.stack, "GET", "/calls/active", text)
    expect.refused(response, 401, "AUTHENTICATION_FAILED")


def test_origin(people, stack):
    """§7.8: without ALLOWED_ORIGINS an Origin is accepted only when it is the host's own."""
    person = people.person()
    own = stack.api_url.removesuffix("/api/v1")
    assert person.socket(origin=own).greeting["userId"] == person.id
    assert person.socket().greeting["userId"] == person.id
    for foreign in ("https://evil.example", "null", own + ".evil.example", "https://localhost:1"):
        not_admitted(stack, 403, "ORIGIN_NOT_ALLOWED", token=person.token, origin=foreign)


# The greeting (§6.2).


def test_connected(people):
    """connectionId, userId, heartbeatSeconds, lastEventId, activeCall or null."""
    person = people.person()
    one, two = person.socket(), person.socket()
    for socket in (one, two):
        assert set(socket.greeting) - {"resync"} == {
            "connectionId",
            "userId",
            "heartbeatSeconds",
            "lastEventId",
            "activeCall",
        }
        assert socket.greeting["userId"] == person.id
        assert socket.greeting["heartbeatSeconds"] == 25
        assert socket.greeting["activeCall"] is None
        assert socket.greeting.get("resync") is not True
        assert socket.greeting["lastEventId"] == "0", "ids are strings on the wire, always"
        assert isinstance(socket.greeting["connectionId"], str)
    assert one.greeting["connectionId"] != two.greeting["connectionId"]


def test_connected_with_a_call(people):
    """`activeCall` is the user's live call, as GET /calls/active gives it."""
    caller, callee, call = people.connected()
    for person in (caller, callee):
        active = person.socket().greeting["activeCall"]
        assert active["callId"] == call["callId"]
        assert (active["status"], active["callType"]) == ("connected", "video")
        assert active["channelId"] == call["channelId"]


def test_connected_last_event_id(people):
    """§7.8: the newest event of the user at that moment; what is new has a higher id."""
    caller, callee, call = people.connected()
    for quality in ("poor", "bad"):
        expect.succeeded(caller.report(call["callId"], quality))
    socket = callee.socket()
    newest = int(socket.greeting["lastEventId"])
    assert newest >= 2
    expect.succeeded(caller.report(call["callId"], "poor"))
    assert int(socket.take("call_quality_warning")["id"]) == newest + 1
    assert len(socket.events) == 1


# From the client (§6.3).


def test_heartbeat(people):
    socket = people.person().socket()
    for _ in range(3):
        assert expect.recent(socket.heartbeat()["serverTime"])


def test_a_ping_is_answered(people):
    """RFC 6455 §5.5.2: a pong with the same payload, also for the longest."""
    socket = people.person().socket()
    for payload in (b"", b"x", b"y" * 125):
        assert socket.connection.ping(payload).wait(5)


def test_closing_handshake(people):
    """The server answers a close with the same code (RFC 6455 §5.5.1)."""
    socket = people.person().socket()
    socket.connection.close(1000)
    assert socket.connection.close_code == 1000


@criterion("R2.2", "R11.2")
@pytest.mark.parametrize("member", ["data", "payload"])
def test_accept_command(people, member):
    """The same rules and the same answer as REST; `payload` is read as `data` is."""
    caller, callee = people.pair()
    mine, theirs = caller.socket(), callee.socket()
    call = caller.call(callee)
    theirs.take("call_invitation")
    result = theirs.command("call.accept", "abc", member=member, callId=call["callId"])
    assert set(result) == {"requestId", "status", "body"}
    assert (result["requestId"], result["status"]) == ("abc", 200)
    assert result["body"]["success"] is True and result["body"]["requestId"]
    data = result["body"]["data"]
    assert set(data) == {"callId", "channelId", "status", "acceptedAt"}
    assert data["status"] == "connecting"
    mine.take("call_accepted", acceptedBy=callee.id)


@criterion("R2.3", "R11.3")
def test_reject_command(people):
    caller, callee = people.pair()
    mine, theirs = caller.socket(), callee.socket()
    call = caller.call(callee)
    result = theirs.command("call.reject", callId=call["callId"], reason="unavailable")
    assert result["status"] == 200
    assert result["body"]["data"]["status"] == "rejected"
    mine.take("call_rejected", reason="unavailable")


@criterion("R5.3", "R11.4")
def test_end_command(people):
    caller, callee, call = people.connected()
    mine, theirs = caller.socket(), callee.socket()
    result = mine.command("call.end", callId=call["callId"])
    assert result["status"] == 200
    assert result["body"]["data"]["endReason"] == "hangup"
    theirs.take("call_ended", endedBy=caller.id)


def test_a_result_is_for_its_connection_only(people):
    """`command_result` and `heartbeat.ack` go to the connection that asked."""
    caller, callee, call = people.connected()
    mine, other = caller.socket(), caller.socket()
    assert mine.heartbeat()
    assert mine.command("call.end", callId=call["callId"])["status"] == 200
    bell = people.friend_of(caller).call(caller)
    assert other.until(bell["callId"]) == []
    assert [frame["type"] for frame in other.frames] == ["connected", "call_invitation"]


def test_a_device_in_a_command(people):
    """§7.6: `deviceId` in a command names the device too, also where the socket named none."""
    caller, callee = people.pair()
    one, two = callee.socket(), callee.socket(device="phone")
    call = caller.call(callee)
    for socket in (one, two):
        socket.take("call_invitation")
    result = one.command("call.accept", callId=call["callId"], deviceId="phone")
    assert result["status"] == 200
    response = callee.post(f"/calls/{call['callId']}/accept", {"deviceId": "phone"})
    assert expect.succeeded(response)["status"] == "connecting"
    response = callee.post(f"/calls/{call['callId']}/accept", {"deviceId": "tablet"})
    expect.refused(response, 409, "CALL_ALREADY_ACCEPTED")
    caller.end(call["callId"])
    two.take("call_ended")
    assert two.types == ["call_invitation", "call_ended"]


def test_a_sockets_device_is_the_commands(people):
    """§7.6: what a socket accepts, its device has accepted."""
    caller, callee, call = people.ringing()
    phone = callee.socket(device="phone")
    assert phone.command("call.accept", callId=call["callId"])["status"] == 200
    for device, status in (("phone", 200), ("tablet", 409)):
        response = callee.post(f"/calls/{call['callId']}/accept", {"deviceId": device})
        assert response.status_code == status


def test_a_command_without_a_request_id(people):
    """`requestId` is the client's own, and optional."""
    _, callee, call = people.ringing()
    socket = callee.socket()
    socket.send({"type": "call.accept", "data": {"callId": call["callId"]}})
    result = socket.take("command_result")["data"]
    assert result["status"] == 200 and result.get("requestId") is None


@criterion("R12.1")
def test_commands_that_are_refused(people):
    """A command's errors are REST's: status and body."""
    caller, callee, call = people.ringing()
    mine, theirs = caller.socket(), callee.socket()
    stranger = people.person().socket()
    call_id = call["callId"]
    for socket, kind, data, status, code in [
        (mine, "call.accept", {"callId": call_id}, 403, "UNAUTHORIZED_ACCESS"),
        (mine, "call.reject", {"callId": call_id}, 403, "UNAUTHORIZED_ACCESS"),
        (stranger, "call.end", {"callId": call_id}, 403, "UNAUTHORIZED_ACCESS"),
        (theirs, "call.accept", {"callId": "unknown"}, 404, "RESOURCE_NOT_FOUND"),
        (theirs, "call.accept", {}, 400, "VALIDATION_ERROR"),
        (theirs, "call.accept", {"callId": 1.5}, 400, "VALIDATION_ERROR"),
        (theirs, "call.reject", {"callId": call_id, "reason": "x"}, 400, "VALIDATION_ERROR"),
    ]:
        result = socket.command(kind, f"{kind} {code}", **data)
        assert result["status"] == status, result
        assert result["body"]["success"] is False
        assert result["body"]["error"]["code"] == code
        assert result["body"]["error"]["message"] and result["body"]["requestId"]
    assert caller.active()["callId"] == call_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "12",
        '"heartbeat"',
        "{}",
        '{"type":null}',
        '{"type":1}',
        '{"type":"nothing.known"}',
        '{"type":"call.accept","data":[]}',
        '{"type":"call.accept","data":null}',
        '{"type":"call.accept"}',
        '{"type":"call.accept","requestId":{},"data":{"callId":"x"}}',
        '{"type":"call.accept","requestId":1,"data":{"callId":{}}}',
        '{"type":"heartbeat","data":"' + "x" * 5000 + '"}',
        "[" * 5000,
    ],
)
def test_odd_frames_harm_nobody(people, text):
    """Whatever one client sends, another's connection goes on, and so can a new one."""
    person, other = people.person(), people.person().socket()
    socket = person.socket()
    socket.send(text)
    assert other.heartbeat()
    assert person.socket().heartbeat()


# Reconnecting (§6.4).


def warned(people, count: int):
    """A call whose callee has been warned that many times."""
    caller, callee, call = people.connected()
    for _ in range(count):
        expect.succeeded(caller.report(call["callId"], "poor"))
    return caller, callee, call


def test_replay(people):
    """`lastEventId` replays in order all that was missed since, before anything new."""
    caller, callee, call = warned(people, 4)
    everything = callee.socket(last_event_id=0)
    warnings = [everything.take("call_quality_warning") for _ in range(4)]
    assert everything.types[0] == "call_invitation", "0 replays all that is kept"
    for missed in range(4):
        socket = callee.socket(last_event_id=warnings[missed]["id"])
        assert socket.greeting.get("resync") is not True
        rest = [socket.take("call_quality_warning") for _ in range(3 - missed)]
        assert rest == warnings[missed + 1 :]
    caller.end(call["callId"])
    ended = socket.take("call_ended")
    assert int(ended["id"]) > int(warnings[-1]["id"])
    assert socket.types == ["call_ended"]


def test_replay_while_events_arrive(people):
    """What happens during the replay comes after it, and nothing comes twice or not at all."""
    caller, callee, call = warned(people, 10)
    with ThreadPoolExecutor(2) as pool:
        more = pool.submit(
            lambda: [expect.succeeded(caller.report(call["callId"], "bad")) for _ in range(20)]
        )
        sockets = [callee.socket(last_event_id=0) for _ in range(5)]
        more.result()
    caller.end(call["callId"])
    for socket in sockets:
        socket.take("call_ended")
        numbers = [int(frame["id"]) for frame in socket.events]
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        # The invitation, answered elsewhere, connected, thirty warnings and the end.
        assert len(socket.types) == 34


def test_without_last_event_id_nothing_is_replayed(people):
    caller, callee, call = warned(people, 2)
    socket = callee.socket()
    caller.end(call["callId"])
    socket.take("call_ended")
    assert socket.types == ["call_ended"]


@criterion("R2.1", "R11.1")
def test_invited_again(people):
    """A call that still rings for the user is sent again, under its first id."""
    caller, callee = people.pair()
    first = callee.socket()
    call = caller.call(callee)
    invitation = first.take("call_invitation")
    first.close()
    again = callee.socket()
    assert again.take("call_invitation") == invitation
    assert again.greeting["activeCall"]["callId"] == call["callId"]
    callee.accept(call["callId"])
    later = callee.socket()
    caller.end(call["callId"])
    later.take("call_ended")
    assert later.types == ["call_ended"]


@criterion("R2.1", "R1.3")
def test_invited_when_coming_online(people):
    """A callee who connects while the call waits is invited."""
    caller, callee, call = people.ringing()
    mine = caller.socket()
    callee.socket().take("call_invitation", callId=call["callId"])
    mine.take("call_ringing", callId=call["callId"])


@criterion("R2.1")
def test_not_invited_again_with_a_last_event_id(people):
    """§6.4: who says what it has seen is sent what it has not, and nothing else."""
    caller, callee = people.pair()
    first = callee.socket()
    call = caller.call(callee)
    invitation = first.take("call_invitation")
    first.close()
    again = callee.socket(last_event_id=invitation["id"])
    behind = callee.socket(last_event_id=int(invitation["id"]) - 1)
    caller.end(call["callId"])
    again.take("call_ended")
    behind.take("call_ended")
    assert again.types == ["call_ended"]
    assert behind.types == ["call_invitation", "call_ended"]


@criterion("R1.3", "R2.1")
def test_a_replayed_invitation_rings(people):
    """A callee who comes back with a lastEventId gets the invitation, and the caller hears so."""
    caller, callee, call = people.ringing()
    mine = caller.socket()
    callee.socket(last_event_id=0).take("call_invitation", callId=call["callId"])
    mine.take("call_ringing", callId=call["callId"])
    people.wait_for_status(caller, call["callId"], "ringing")


def test_a_caller_is_not_invited_to_an_own_call(people):
    caller, _, _ = people.ringing()
    socket = caller.socket()
    bell = people.person().socket()
    assert bell.heartbeat() and socket.heartbeat()
    assert socket.types in ([], ["call_ringing"])


def test_resync(people):
    """When something after the given id is no longer kept, `connected` says resync: true."""
    _, callee, _ = warned(people, 4)
    newest = int(callee.socket().greeting["lastEventId"])
    people.stack.sql(
        "DELETE FROM call_events WHERE user_id = %s AND event_id <= %s", callee.id, newest - 2
    )
    for last, expected in [
        (0, True),
        (newest - 3, True),
        (newest - 2, False),
        (newest, False),
    ]:
        socket = callee.socket(last_event_id=last)
        assert (socket.greeting.get("resync") is True) is expected, last
        for number in range(max(last, newest - 2) + 1, newest + 1):
            assert socket.take("call_quality_warning")["id"] == str(number)


def test_odd_last_event_ids(people, stack):
    """An id from the future or no id at all harms nobody."""
    _, callee, _ = warned(people, 1)
    for odd in ("99999999", "abc", "-1", "9" * 30, ""):
        try:
            assert callee.socket(last_event_id=odd).greeting["userId"] == callee.id
        except InvalidStatus as refusal:
            assert refusal.response.status_code == 400


# /ws/chat (§6.5).


@criterion("R11.1", "R11.2", "R7.4")
def test_chat_is_in_upper_case(people):
    """The existing app reads callType, networkQuality and statuses in upper case."""
    caller, callee = people.pair()
    mine, theirs = caller.socket(path="/chat"), callee.socket(path="/chat")
    lower = callee.socket()
    call = caller.call(callee, "audio")
    call_id = call["callId"]
    assert theirs.take("call_invitation")["data"]["callType"] == "AUDIO"
    assert lower.take("call_invitation")["data"]["callType"] == "audio"
    result = theirs.command("call.accept", callId=call_id)
    assert result["body"]["data"]["status"] == "CONNECTING"
    mine.take("call_accepted")
    expect.succeeded(caller.set_status(call_id, "connected"))
    assert theirs.take("call_status_updated")["data"]["status"] == "CONNECTED"
    assert lower.take("call_status_updated")["data"]["status"] == "connected"
    active = callee.socket(path="/chat").greeting["activeCall"]
    assert (active["status"], active["callType"]) == ("CONNECTED", "AUDIO")
    expect.succeeded(caller.report(call_id, "veryBad"))
    assert theirs.take("call_quality_warning")["data"]["networkQuality"] == "VERY_BAD"
    assert lower.take("call_quality_warning")["data"]["networkQuality"] == "veryBad"
    expect.succeeded(callee.report(call_id, "poor"))
    assert mine.take("call_quality_warning")["data"]["networkQuality"] == "POOR"
    result = theirs.command("call.end", callId=call_id)
    assert result["body"]["data"]["status"] == "ENDED"
    assert mine.take("call_ended")["data"]["endReason"] == "hangup"


def test_chat_replays_in_upper_case(people):
    caller, callee, call = warned(people, 1)
    socket = callee.socket(path="/chat", last_event_id=0)
    assert socket.take("call_invitation")["data"]["callType"] == "VIDEO"
    assert socket.take("call_status_updated")["data"]["status"] == "CONNECTED"
    assert socket.take("call_quality_warning")["data"]["networkQuality"] == "POOR"


# Limits.


def test_too_many_frames(people):
    """More than twice SIGNALING_MESSAGES_PER_SECOND (20) in a second: closed with 1008."""
    socket = people.person().socket()
    other = people.person().socket()
    with contextlib.suppress(ConnectionClosed):
        for _ in range(100):
            socket.send({"type": "heartbeat"})
    assert socket.closed() == 1008
    assert other.heartbeat()


def test_twenty_frames_a_second_are_fine(people):
    """The rate itself is not too much."""
    socket = people.person().socket()
    for _ in range(20):
        socket.send({"type": "heartbeat"})
    for _ in range(20):
        socket.take("heartbeat.ack")


def test_many_connections_of_one_user(people):
    """Every one of them hears the call."""
    caller, callee = people.pair()
    sockets = [callee.socket() for _ in range(20)]
    call = caller.call(callee)
    for socket in sockets:
        socket.take("call_invitation", callId=call["callId"])


@criterion("R11.1")
def test_an_invitation_is_quick(people):
    """Initiate → invitation without waiting for a poll: a hint wakes the relay."""
    delays = []
    for _ in range(8):
        caller, callee = people.pair()
        socket = callee.socket()
        started = time.monotonic()
        caller.call(callee)
        socket.take("call_invitation")
        delays.append(time.monotonic() - started)
        socket.close()
    assert sorted(delays)[4] < 0.2, delays


def test_a_closed_connection_is_forgotten(people):
    """After its devices have gone, a callee's call does not ring."""
    caller, callee = people.pair()
    socket = callee.socket()
    socket.close()
    wait_until(lambda: socket.connection.close_code is not None)
    call = caller.call(callee)
    assert caller.details(call["callId"])["status"] == "initiating"
