"""What comes at the end of a login, just before it or behind it (contract §10)."""

from __future__ import annotations

import contextlib
import time
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed

from support import expect
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
from support.outages import halted

criterion = pytest.mark.criterion


@criterion("C10")
def test_after_the_end_a_suspended_server_refuses_commands(people, own_sidecar):
    """A process that stood still at the end: 401 to what has come meanwhile, and then the close."""
    process, address = own_sidecar()
    caller, callee, call = people.ringing()
    token, end = login(callee, LASTS)
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
def test_after_the_end_a_suspended_server_takes_a_renewal(people, own_sidecar):
    """A renewal that has come before the close counts; what happened meanwhile comes behind it."""
    process, address = own_sidecar()
    caller, callee, call = people.connected()
    token, end = login(callee, LASTS)
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
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    assert "chattrix_signaling_renewals_total 1" in lines
    assert "chattrix_signaling_expirations_total 0" in lines
    wire.close()


@criterion("C10")
def test_each_socket_renews_itself(people):
    """Thirty of one user: a renewal is for the connection that it came by."""
    person = people.person()
    token, end = login(person, 25)
    sockets = [person.socket(token=token) for _ in range(30)]
    again, later = login(person, 600)
    for socket in sockets[::2]:
        assert renewed(socket.command("auth", token=again)) == later
    for socket in sockets[1::2]:
        assert socket.closed(60) == EXPIRED
    assert ended(end)
    for socket in sockets[::2]:
        assert socket.heartbeat()


@criterion("C10")
def test_renewals_at_the_last_moment(people):
    """Around the end it is one or the other: renewed and open, or closed with 4401 and not renewed."""
    person = people.person()
    token, end = login(person, 25)
    sockets = [person.socket(token=token) for _ in range(40)]
    again, later = login(person, 600)
    began = expect.milliseconds(end) / 1000 - 1
    for number, socket in enumerate(sockets):
        time.sleep(max(0, began + number * 0.05 - time.time()))
        with contextlib.suppress(ConnectionClosed):
            socket.send({"type": "auth", "requestId": number, "data": {"token": again}})
    wait_for(end)
    for number, socket in enumerate(sockets):
        try:
            result = socket.take("command_result", requestId=number)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None and closed.rcvd.code == EXPIRED
            assert "command_result" not in [frame["type"] for frame in socket.frames]
        else:
            assert renewed(result["data"]) == later
            assert socket.heartbeat()
