"""The greeting, and what a connection may do and may not (contract §6.2, §6.3, §7.8)."""

from __future__ import annotations

import json

import pytest
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from support import expect, hints
from support.stack import wait_until
from support.wire import Ended, Wire

criterion = pytest.mark.criterion


def test_connected(people):
    """connectionId, userId, heartbeatSeconds, lastEventId, activeCall or null; §10, §11.1."""
    person = people.person()
    one, two = person.socket(), person.socket()
    for socket in (one, two):
        assert set(socket.greeting) == {
            "connectionId",
            "userId",
            "heartbeatSeconds",
            "lastEventId",
            "unseenMissed",
            "authenticatedUntil",
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


def test_too_many_frames(people):
    """More than twice SIGNALING_MESSAGES_PER_SECOND (20) in a second: closed with 1008."""
    other = people.person().socket()
    wire = Wire(people.stack, people.person().token)
    wire.accepted()
    # All at once, however slow the machine is.
    wire.socket.sendall(Frame(Opcode.TEXT, b'{"type":"heartbeat"}').serialize(mask=True) * 100)
    with pytest.raises(Ended) as ended:
        while True:
            wire.frame()
    assert ended.value.close.code == 1008
    wire.close()
    assert other.heartbeat()


def test_twenty_frames_a_second_are_fine(people):
    """The rate itself is not too much."""
    socket = people.person().socket()
    for _ in range(20):
        socket.send({"type": "heartbeat"})
    for _ in range(20):
        socket.take("heartbeat.ack")


def test_a_client_that_offers_compression(people):
    """permessage-deflate is an offer (RFC 7692): taken or not, the connection works."""
    person = people.person()
    with connect(
        people.stack.ws_url,
        ssl=people.stack.shared_tls,
        additional_headers={"Authorization": f"Bearer {person.token}"},
        proxy=None,
        legacy=True,
    ) as connection:
        assert json.loads(connection.recv(30))["type"] == "connected"
        connection.send('{"type":"heartbeat"}')
        assert json.loads(connection.recv(30))["type"] == "heartbeat.ack"


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

    def sample() -> float:
        caller, callee = people.pair()
        return hints.delay(caller, callee, lambda: hints.listeners(people.stack, callee) == 1)

    wait_until(lambda: hints.are_prompt(sample), 90, 0.1, "prompt invitations")


def test_a_closed_connection_is_forgotten(people):
    """After its devices have gone, a callee's call does not ring."""
    caller, callee = people.pair()
    socket = callee.socket()
    socket.close()
    wait_until(lambda: hints.listeners(people.stack, callee) == 0, message="the server's notice")
    call = caller.call(callee)
    assert caller.details(call["callId"])["status"] == "initiating"
