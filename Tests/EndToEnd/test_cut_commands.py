"""Commands and requests whose connection breaks: done once or not at all, and safe to say again
(contract §4, §6.3, §7.1, §7.6)."""

from __future__ import annotations

import json
import uuid

import pytest

from support import expect
from support.devices import Device
from support.raw import dial, exchange
from support.wire import DOORS, WAYS

criterion = pytest.mark.criterion
# Of a frame's bytes.
SHARES = {"a byte": 0.0, "a tenth": 0.1, "half": 0.5, "all but a byte": 1.0}


@pytest.fixture
def devices():
    """Devices that are closed in the end."""
    opened: list[Device] = []

    def connected(person, name="phone", **options) -> Device:
        device = Device(person, name, **options)
        opened.append(device)
        device.connect()
        return device

    yield connected
    for device in opened:
        device.close()


def half_said(device: Device, share: float, way: str, kind: str, **data) -> None:
    """Sends a part of a command, breaks off, and sees that the other side has noticed."""
    message = {"type": kind, "requestId": "half", "data": data}
    device.wire.send(message, share=share)
    device.leave(way)
    if way == "end":
        device.wire.rest()
    device.come_back()


def said(device: Device, kind: str, request_id: str, **data) -> dict:
    device.say(kind, request_id, **data)
    device.take(0)
    return device.results[-1]


@criterion("C6.3", "R2.2", "R2.3", "R5.1")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", ["reset", "end"])
@pytest.mark.parametrize("share", SHARES.values(), ids=SHARES)
def test_a_part_of_a_command_does_nothing(people, devices, share, way, door):
    """Whoever breaks off in the midst of a command may say the opposite afterwards."""
    caller, callee = people.pair()
    mine, phone = devices(caller, "mine", door=door), devices(callee, door=door)
    call_id = caller.call(callee)["callId"]
    mine.take(1)  # it rings
    half_said(phone, share, way, "call.reject", callId=call_id)
    assert phone.greetings[-1]["activeCall"]["status"] == "ringing"
    assert said(phone, "call.accept", "whole", callId=call_id)["status"] == 200
    half_said(mine, share, way, "call.end", callId=call_id)
    assert mine.greetings[-1]["activeCall"]["status"] == "connecting"
    expect.succeeded(caller.set_status(call_id, "connected"))
    assert said(mine, "call.end", "whole", callId=call_id)["status"] == 200
    call_id = caller.call(callee)["callId"]
    mine.take(3)
    half_said(phone, share, way, "call.accept", callId=call_id)
    assert said(phone, "call.reject", "whole", callId=call_id)["status"] == 200
    mine.take(4)
    assert [event["type"] for event in mine.events] == [
        "call_ringing",
        "call_accepted",
        "call_ringing",
        "call_rejected",
    ]


@criterion("C6.3", "R2.2", "R11.2")
@pytest.mark.parametrize("way", WAYS)
def test_a_command_said_again_and_again(people, devices, way):
    """Cut off five times before the result: it acts once, and every result is the first one's."""
    caller, callee = people.pair()
    mine, phone = devices(caller, "mine"), devices(callee)
    tablet = devices(callee, "tablet")
    call_id = caller.call(callee)["callId"]
    phone.take(1)
    phone.say("call.accept", "accept", callId=call_id)
    for _ in range(5):
        phone.leave(way)
        phone.come_back()
    phone.take(0)
    phone.leave(way)
    phone.come_back()
    first = phone.results[0]["body"]["data"]
    again = said(phone, "call.accept", "accept", callId=call_id)
    assert again["status"] == phone.results[0]["status"] == 200
    assert again["body"]["data"] == first
    mine.say("call.end", "end", callId=call_id)
    for _ in range(5):
        mine.leave(way)
        mine.come_back()
    mine.take(0)
    first = mine.results[0]["body"]["data"]
    again = said(mine, "call.end", "end", callId=call_id)
    assert again["status"] == mine.results[0]["status"] == 200
    assert again["body"]["data"] == first
    fence = callee.call(caller)["callId"]
    for device, types in (
        (mine, ["call_ringing", "call_accepted"]),
        (phone, ["call_invitation", "call_ended"]),
        (tablet, ["call_invitation", "call_answered_elsewhere", "call_ended"]),
    ):
        assert [event["type"] for event in device.take_all_before(fence)] == types
    assert len(caller.history()["calls"]) == len(callee.history()["calls"]) == 1


@criterion("C6.3", "R2.2")
def test_a_device_without_a_name_says_again(people, devices):
    """§7.6: after a cut it is another socket, so it is told of its own answer, too; §7.1: the
    answer said again is 200, and so the device knows that it was its own."""
    caller, callee = people.pair()
    phone = devices(callee, None)
    call_id = caller.call(callee)["callId"]
    phone.take(1)
    phone.say("call.accept", "accept", callId=call_id)
    people.wait_for_status(caller, call_id, "connecting")
    phone.leave("reset")
    phone.come_back()
    phone.take(2)
    assert [event["type"] for event in phone.events] == [
        "call_invitation",
        "call_answered_elsewhere",
    ]
    assert phone.events[1]["data"]["outcome"] == "accepted"
    assert phone.results[-1]["status"] == 200


def initiation(caller, callee, key: str) -> bytes:
    """The bytes of POST /calls/initiate."""
    body = json.dumps({"calleeId": callee.id, "callType": "audio"})
    return (
        f"POST /api/v1/calls/initiate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {caller.token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@criterion("C4", "R1.2", "R1.5")
@pytest.mark.parametrize("taken", [None, 0, 1, 200], ids=["half of the request", "0", "1", "200"])
def test_an_initiation_said_again(people, devices, taken):
    """A request that was cut, or whose answer was cut after so many bytes: one call, one
    invitation, one answer for all who say it again."""
    caller, callee = people.pair()
    phone = devices(callee)
    key = str(uuid.uuid4())
    request = initiation(caller, callee, key)
    with dial(people.stack) as connection:
        connection.sendall(request if taken is not None else request[: -len(request) // 4])
        received = b""
        while taken and len(received) < taken:
            received += connection.recv(taken - len(received))
    answers = [exchange(people.stack, request) for _ in range(2)]
    calls = [json.loads(answer.partition(b"\r\n\r\n")[2])["data"] for answer in answers]
    assert calls[0] == calls[1]
    replays = [b"idempotency-replayed: true" in answer.lower() for answer in answers]
    assert replays[1] and (taken is not None or not replays[0])
    caller.end(calls[0]["callId"])
    fence = people.friend_of(callee).call(callee)["callId"]
    events = phone.take_all_before(fence)
    assert [event["type"] for event in events] == ["call_invitation", "call_ended"]
    assert len(caller.history()["calls"]) == 1
