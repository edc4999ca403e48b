"""Calls that nobody answers (contract §4, §5, §7.1; R1.4, R2.4, R11.5, R14.4)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect
from support.outages import at_leisure
from support.pauses import Pauses
from support.stack import wait_until
from support.variants import variant

pytestmark = variant("brisk")
criterion = pytest.mark.criterion
TIMEOUT = 3


def seconds_after(moment: str) -> float:
    return time.time() - expect.moment(moment).timestamp()


@criterion("R1.4", "R11.5", "R14.4")
@pytest.mark.parametrize("online", [True, False], ids=["callee online", "callee away"])
def test_missed(people, online):
    """R1.4, R11.5: missed at the deadline, both notified within a second of it, both free."""
    caller, callee = people.pair()
    mine = caller.socket()
    theirs = callee.socket() if online else None
    call = caller.call(callee)
    lasts = expect.milliseconds(call["expiresAt"]) - expect.milliseconds(call["createdAt"])
    assert lasts == TIMEOUT * 1000
    with Pauses() as pauses:
        for socket in filter(None, (mine, theirs)):
            frame = socket.take("call_timeout", timeout=TIMEOUT + 30)
            assert frame["data"] == {"callId": call["callId"]}
            late = seconds_after(call["expiresAt"])
            assert 0 <= late < at_leisure(1) + pauses.seconds
    details = caller.details(call["callId"])
    assert (details["status"], details["endReason"]) == ("missed", "timeout")
    assert details["durationSeconds"] == 0
    ended = expect.milliseconds(details["endTime"]) - expect.milliseconds(call["expiresAt"])
    assert 0 <= ended < (at_leisure(1) + pauses.seconds) * 1000
    for person in (caller, callee):
        assert person.active() is None
        (entry,) = person.history()["calls"]
        assert (entry["status"], entry["endReason"]) == ("missed", "timeout")
    if not online:
        later = callee.socket(last_event_id=0)
        later.take("call_timeout", callId=call["callId"])
        assert later.types == ["call_invitation", "call_timeout"]
    assert callee.call(caller)["callerId"] == callee.id


@criterion("R2.4", "R1.4")
def test_accept_of_a_missed_call(people):
    """R2.4: 410 CALL_TIMEOUT, over REST, PATCH and a socket; a reject says what it is."""
    caller, callee, call = people.ringing()
    call_id = call["callId"]
    people.wait_for_status(caller, call_id, "missed", timeout=TIMEOUT + 30)
    path = f"/calls/{call_id}"
    expect.refused(callee.post(path + "/accept", {}), 410, "CALL_TIMEOUT")
    result = callee.socket().command("call.accept", callId=call_id)
    assert result["status"] == 410 and result["body"]["error"]["code"] == "CALL_TIMEOUT"
    assert callee.reject(call_id)["status"] == "missed"
    for person in (caller, callee):
        ended = person.end(call_id)
        assert (ended["status"], ended["endReason"]) == ("missed", "timeout")
    error = expect.refused(
        caller.set_status(call_id, "connected"), 409, "INVALID_STATUS_TRANSITION"
    )
    assert error["details"] == {"from": "missed", "to": "connected", "allowed": []}


@criterion("R1.4", "R11.5")
def test_many_deadlines_at_once(people):
    """Forty calls that ring out together are all missed within a second, and everybody told."""
    rounds = [people.pair() for _ in range(40)]
    sockets = {person.id: person.socket() for pair in rounds for person in pair}
    with Pauses() as pauses:
        with ThreadPoolExecutor(8) as pool:
            calls = list(pool.map(lambda pair: pair[0].call(pair[1]), rounds))
        for (caller, callee), call in zip(rounds, calls, strict=True):
            for person in (caller, callee):
                sockets[person.id].take("call_timeout", TIMEOUT + 30, callId=call["callId"])
        last = max(calls, key=lambda call: call["expiresAt"])
        late = seconds_after(last["expiresAt"])
    assert late < at_leisure(2) + pauses.seconds
    most = (at_leisure(1) + pauses.seconds) * 1000
    for (caller, _), call in zip(rounds, calls, strict=True):
        details = caller.details(call["callId"])
        late = expect.milliseconds(details["endTime"]) - expect.milliseconds(call["expiresAt"])
        assert details["status"] == "missed" and 0 <= late < most


@criterion("R1.4")
def test_accept_against_the_deadline(people):
    """Accepts around the deadline: 200 and connecting, or 410 and missed; never both."""

    def one(delay: float) -> tuple[int, str, set[str]]:
        caller, callee, call = people.ringing()
        due = expect.moment(call["expiresAt"]).timestamp() + delay
        wait_until(lambda: time.time() >= due, TIMEOUT + 30, 0.002)
        response = callee.post(f"/calls/{call['callId']}/accept", {})
        status = caller.details(call["callId"])["status"]
        if response.status_code == 200:
            assert caller.end(call["callId"])["endReason"] == "hangup"
        entries = caller.history()["calls"] + callee.history()["calls"]
        return response.status_code, status, [entry["status"] for entry in entries]

    delays = [-0.1, -0.05, -0.02, -0.01, -0.005, 0, 0.005, 0.01, 0.05, 0.1, 0.2, 0.3]
    with ThreadPoolExecutor(len(delays)) as pool:
        results = list(pool.map(one, delays))
    for delay, (code, status, entries) in zip(delays, results, strict=True):
        expected = (200, "connecting", ["completed"] * 2)
        if code != 200:
            expected = (410, "missed", ["missed"] * 2)
        assert (code, status, entries) == expected, delay
        assert delay < 0 or code == 410, "accepted past the deadline"
