"""Calls that nobody answers (contract §4, §5, §7.1; R1.4, R2.4, R11.5, R14.4)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect
from support.clock import shift_call
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
    for socket in filter(None, (mine, theirs)):
        frame = socket.take("call_timeout", timeout=TIMEOUT + 5)
        assert frame["data"] == {"callId": call["callId"]}
        assert 0 <= seconds_after(call["expiresAt"]) < 1.0
    details = caller.details(call["callId"])
    assert (details["status"], details["endReason"]) == ("missed", "timeout")
    assert details["durationSeconds"] == 0
    ended = expect.milliseconds(details["endTime"]) - expect.milliseconds(call["expiresAt"])
    assert 0 <= ended < 1000
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
    people.wait_for_status(caller, call_id, "missed", timeout=TIMEOUT + 3)
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


@criterion("R2.4")
@pytest.mark.parametrize("how", ["accept", "patch", "socket"])
def test_accept_past_the_deadline(people, how):
    """R2.4: past its deadline a call is missed, whether or not the sweeper has been there.

    The deadline is moved into the past just before the accept, several times, so that some of
    these are sure to come before the sweeper, which looks about four times a second. On a busy
    machine a call may have rung out before the sockets are there: they are told of that, too.
    """
    for _ in range(6):
        caller, callee, call = people.with_device_ringing()
        call_id = call["callId"]
        mine = caller.socket(last_event_id=0)
        socket = callee.socket(last_event_id=0)
        shift_call(people.stack, call_id, TIMEOUT + 1)
        if how == "accept":
            expect.refused(callee.post(f"/calls/{call_id}/accept", {}), 410, "CALL_TIMEOUT")
        elif how == "patch":
            # Missed already, so there is no such transition any more.
            response = callee.set_status(call_id, "connecting")
            expect.refused(response, 409, "INVALID_STATUS_TRANSITION")
        else:
            result = socket.command("call.accept", callId=call_id)
            assert result["status"] == 410, result
        details = caller.details(call_id)
        assert (details["status"], details["endReason"]) == ("missed", "timeout")
        mine.take("call_timeout", callId=call_id)
        socket.take("call_timeout", callId=call_id)
        assert caller.active() is None and callee.active() is None
        assert len(caller.history()["calls"]) == 1


@criterion("R1.4")
def test_an_answered_call_is_not_missed(people):
    """The ring deadline is gone with the acceptance."""
    caller, callee, call = people.ringing()
    wait_until(lambda: seconds_after(call["createdAt"]) > TIMEOUT - 1, 5)
    callee.accept(call["callId"])
    wait_until(lambda: seconds_after(call["expiresAt"]) > 1, 10)
    assert caller.details(call["callId"])["status"] == "connecting"
    assert caller.end(call["callId"])["endReason"] == "hangup"


@criterion("R1.4", "R11.5")
def test_many_deadlines_at_once(people):
    """Forty calls that ring out together are all missed within a second, and everybody told."""
    rounds = [people.pair() for _ in range(40)]
    sockets = {person.id: person.socket() for pair in rounds for person in pair}
    with ThreadPoolExecutor(8) as pool:
        calls = list(pool.map(lambda pair: pair[0].call(pair[1]), rounds))
    for (caller, callee), call in zip(rounds, calls, strict=True):
        for person in (caller, callee):
            sockets[person.id].take("call_timeout", TIMEOUT + 5, callId=call["callId"])
    last = max(calls, key=lambda call: call["expiresAt"])
    assert seconds_after(last["expiresAt"]) < 2.0
    for (caller, _), call in zip(rounds, calls, strict=True):
        details = caller.details(call["callId"])
        late = expect.milliseconds(details["endTime"]) - expect.milliseconds(call["expiresAt"])
        assert details["status"] == "missed" and 0 <= late < 1000


@criterion("R1.4")
def test_accept_against_the_deadline(people):
    """Accepts around the deadline: 200 and connecting, or 410 and missed; never both."""

    def one(delay: float) -> tuple[int, str, set[str]]:
        caller, callee, call = people.ringing()
        due = expect.moment(call["expiresAt"]).timestamp() + delay
        wait_until(lambda: time.time() >= due, TIMEOUT + 5, 0.002)
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


def test_disconnecting_is_finished_after_ten_seconds(people):
    """§7.1: the sweeper ends it, and both hear of it."""
    caller, callee, call = people.disconnecting()
    started = time.monotonic()
    sockets = [person.socket() for person in (caller, callee)]
    for socket in sockets:
        data = socket.take("call_ended", timeout=15, callId=call["callId"])["data"]
        assert data["endedBy"] is None
    assert 8.5 < time.monotonic() - started < 12.5
    assert caller.details(call["callId"])["status"] == "ended"
    for person in (caller, callee):
        assert person.active() is None
        (entry,) = person.history()["calls"]
        assert entry["status"] == "completed"


def test_a_lost_connection(people):
    """§5, design §3: both were seen and have been gone for 90 s: ended as connection_lost."""
    caller, callee, call = people.connected()
    sockets = [person.socket() for person in (caller, callee)]
    for socket in sockets:
        socket.heartbeat()
    seen = "SELECT COUNT(*) AS n FROM user_lines WHERE user_id IN (%s, %s) AND seen_at IS NOT NULL"
    wait_until(
        lambda: people.stack.sql(seen, caller.id, callee.id)[0]["n"] == 2,
        40,
        0.1,
        "both users' seen_at",
    )
    for socket in sockets:
        socket.close()
    shift_call(people.stack, call["callId"], 200)  # they were seen during this call

    def ended():
        # Again and again: the sidecar writes down when it saw the last of them.
        people.stack.sql(
            "UPDATE user_lines SET seen_at = UTC_TIMESTAMP(3) - INTERVAL 95 SECOND "
            "WHERE user_id IN (%s, %s)",
            caller.id,
            callee.id,
        )
        details = caller.details(call["callId"])
        return details if details["status"] == "ended" else None

    details = wait_until(ended, 15, 0.2, "the end of the call")
    assert details["endReason"] == "connection_lost"
    later = callee.socket(last_event_id=0).take("call_ended")["data"]
    assert (later["endedBy"], later["endReason"]) == (None, "connection_lost")


def test_one_of_two_gone_ends_nothing(people):
    """Only when both are gone is a connection lost."""
    caller, callee, call = people.connected()
    here, gone = caller.socket(), callee.socket()
    gone.close()
    shift_call(people.stack, call["callId"], 300)
    aged = "UPDATE user_lines SET seen_at = UTC_TIMESTAMP(3) - INTERVAL 200 SECOND"
    for _ in range(6):  # longer than the sweeper takes to look for lost calls
        people.stack.sql(aged + " WHERE user_id = %s", callee.id)
        assert here.listen(1) == []
    assert caller.details(call["callId"])["status"] == "connected"
