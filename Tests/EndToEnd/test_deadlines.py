"""Deadlines that are moved into the past (contract §4, §5, §7.1; R1.4, R2.4), and calls whose users have gone."""

from __future__ import annotations

import pytest

from support import expect
from support.clock import shift_call
from support.outages import at_leisure
from support.pauses import Pauses
from support.stack import wait_until

criterion = pytest.mark.criterion
RING_SECONDS = 60


@criterion("R2.4")
@pytest.mark.parametrize("how", ["accept", "patch", "socket"])
def test_accept_past_the_deadline(people, how):
    """R2.4: past its deadline a call is missed, whether or not the sweeper has been there.

    The deadline is moved into the past just before the accept, several times, so that some of
    these are sure to come before the sweeper, which looks about four times a second.
    """
    for _ in range(6):
        caller, callee, call = people.with_device_ringing()
        call_id = call["callId"]
        mine = caller.socket(last_event_id=0)
        socket = callee.socket(last_event_id=0)
        shift_call(people.stack, call_id, RING_SECONDS)
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
    caller, callee, call = people.connecting()
    other, _, unanswered = people.ringing()
    for each in (call, unanswered):
        shift_call(people.stack, each["callId"], RING_SECONDS)
    people.wait_for_status(other, unanswered["callId"], "missed")
    assert caller.details(call["callId"])["status"] == "connecting"
    assert caller.end(call["callId"])["endReason"] == "hangup"


def test_disconnecting_is_finished_after_ten_seconds(people):
    """§7.1: the sweeper ends it, and both hear of it."""
    caller, callee, call = people.connected()
    sockets = [person.socket() for person in (caller, callee)]
    with Pauses() as pauses:
        answer = caller.set_status(call["callId"], "disconnecting")
        since = expect.milliseconds(expect.succeeded(answer)["updatedAt"])
        ends = [socket.take("call_ended", 60, callId=call["callId"]) for socket in sockets]
    for frame in ends:
        assert frame["data"]["endedBy"] is None
        took = expect.milliseconds(frame["timestamp"]) - since
        assert 9_900 < took < (at_leisure(12.5) + pauses.seconds) * 1000
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
        90,
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

    details = wait_until(ended, 60, 0.2, "the end of the call")
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
