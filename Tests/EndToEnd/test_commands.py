"""Frames from the client: heartbeats and commands (contract §6.3, §7.6; R2, R11)."""

from __future__ import annotations

import pytest

from support import expect
from support.stack import PATIENCE

criterion = pytest.mark.criterion


def test_heartbeat(people):
    socket = people.person().socket()
    for _ in range(3):
        assert expect.recent(socket.heartbeat()["serverTime"])


def test_a_ping_is_answered(people):
    """RFC 6455 §5.5.2: a pong with the same payload, also for the longest."""
    socket = people.person().socket()
    for payload in (b"", b"x", b"y" * 125):
        assert socket.connection.ping(payload).wait(PATIENCE)


def test_closing_handshake(people):
    """The server answers a close with the same code (RFC 6455 §5.5.1)."""
    socket = people.person().socket()
    socket.connection.close_timeout = PATIENCE
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


@criterion("R12.3")
@pytest.mark.parametrize(
    "members",
    [{}, {"data": None}, {"data": {}}, {"payload": {}}, {"data": None, "payload": {}}],
    ids=str,
)
def test_a_command_without_data(people, members):
    """As a body: what is absent counts as {}, so it is the call that is missed."""
    socket = people.person().socket()
    socket.send({"type": "call.end", "requestId": 7, **members})
    result = socket.take("command_result", requestId=7)["data"]
    assert result["status"] == 400
    faults = result["body"]["error"]["details"]
    assert [(fault["field"], fault["code"]) for fault in faults] == [("callId", "REQUIRED")]


@criterion("R2.2")
def test_ids_that_are_numbers(people):
    """§1: read as their decimal strings, as in a body."""
    caller, callee, call = people.ringing()
    socket = callee.socket(device="5")
    socket.send({"type": "call.accept", "requestId": 1, "data": {"callId": 5}})
    result = socket.take("command_result", requestId=1)["data"]
    assert (result["status"], result["body"]["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
    expect.succeeded(callee.post(f"/calls/{call['callId']}/accept", {"deviceId": 5}))
    assert socket.command("call.accept", callId=call["callId"], deviceId=5)["status"] == 200
    result = socket.command("call.accept", callId=call["callId"], deviceId=6)
    assert result["body"]["error"]["code"] == "CALL_ALREADY_ACCEPTED"
    body = {"channelId": 12345}
    expect.refused(caller.post("/agora/token/generate", body), 403, "UNAUTHORIZED_ACCESS")


def test_types_in_any_case(people):
    """§1: words are read in any case."""
    caller, callee, call = people.connected()
    socket = caller.socket()
    socket.send({"type": "HEARTBEAT"})
    socket.take("heartbeat.ack")
    payload = {"callId": call["callId"]}
    socket.send({"type": "CALL.END", "requestId": "x", "payload": payload})
    assert socket.take("command_result", requestId="x")["data"]["status"] == 200
    assert callee.active() is None


def test_an_unknown_type_is_told_with_the_clients_own_request_id(people):
    socket = people.person().socket()
    for request_id in ("mine", 12):
        socket.send({"type": "call.hold", "requestId": request_id})
        error = socket.take("error", requestId=request_id)["data"]
        assert error["details"][0]["field"] == "type"
    socket.send({"type": "call.hold", "requestId": []})
    assert "requestId" not in socket.take("error")["data"]


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
