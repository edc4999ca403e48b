"""Accept and reject (contract §4, §7.1; R2)."""

from __future__ import annotations

import pytest

from support import expect

criterion = pytest.mark.criterion


@criterion("R2.2")
@pytest.mark.parametrize("status", ["initiating", "ringing"])
def test_accept(people, status):
    """R2.2: the status becomes connecting, from initiating and from ringing."""
    caller, callee, call = people.in_status(status)
    accepted = callee.accept(call["callId"])
    assert set(accepted) == {"callId", "channelId", "status", "acceptedAt"}
    assert accepted["callId"] == call["callId"]
    assert accepted["channelId"] == call["channelId"]
    assert accepted["status"] == "connecting"
    assert expect.recent(accepted["acceptedAt"])
    details = caller.details(call["callId"])
    assert details["status"] == "connecting"
    assert details["acceptedAt"] == accepted["acceptedAt"]


@criterion("R2.2")
@pytest.mark.parametrize(
    "first, second",
    [({}, {}), ({"deviceId": "a"}, {"deviceId": "a"}), ({"deviceId": "a"}, {})],
    ids=str,
)
def test_accept_again_from_the_same_device(people, first, second):
    """200 with the same body; without a deviceId it counts as the same device (§7.1)."""
    _, callee, call = people.ringing()
    assert callee.accept(call["callId"], **first) == callee.accept(call["callId"], **second)


@criterion("R2.2")
def test_accept_from_another_device(people):
    """409 CALL_ALREADY_ACCEPTED."""
    caller, callee, call = people.ringing()
    callee.accept(call["callId"], deviceId="phone")
    response = callee.post(f"/calls/{call['callId']}/accept", {"deviceId": "tablet"})
    expect.refused(response, 409, "CALL_ALREADY_ACCEPTED")
    assert caller.details(call["callId"])["status"] == "connecting"


@pytest.mark.parametrize("status", ["ended", "rejected"])
def test_accept_of_a_call_that_is_over(people, status):
    """§7.1: an accept on a rejected or ended call is 409 CALL_ALREADY_ENDED."""
    caller, callee, call = people.in_status(status)
    for body in ({}, {"deviceId": "phone"}):
        response = callee.post(f"/calls/{call['callId']}/accept", body)
        expect.refused(response, 409, "CALL_ALREADY_ENDED")
    assert caller.details(call["callId"])["status"] == status


def test_accept_of_a_cancelled_call(people):
    caller, callee, call = people.ringing()
    caller.end(call["callId"])
    response = callee.post(f"/calls/{call['callId']}/accept", {})
    expect.refused(response, 409, "CALL_ALREADY_ENDED")


@criterion("R2.3")
@pytest.mark.parametrize("status", ["initiating", "ringing"])
@pytest.mark.parametrize("reason", ["busy", "declined", "unavailable", "timeout", None])
def test_reject(people, status, reason):
    """R2.3: the status becomes rejected, with the reason (declined by default)."""
    caller, callee, call = people.in_status(status)
    body = {} if reason is None else {"reason": reason}
    rejected = callee.reject(call["callId"], **body)
    assert set(rejected) == {"callId", "status", "reason", "rejectedAt"}
    assert (rejected["callId"], rejected["status"]) == (call["callId"], "rejected")
    assert rejected["reason"] == reason or (reason is None and rejected["reason"] == "declined")
    assert expect.recent(rejected["rejectedAt"])
    details = caller.details(call["callId"])
    assert (details["status"], details["endReason"]) == ("rejected", rejected["reason"])
    assert details["endTime"] == rejected["rejectedAt"]
    assert caller.active() is None and callee.active() is None


@criterion("R12.3")
@pytest.mark.parametrize("reason", ["", "bored", "hangup", "cancelled", "failed", "declined "])
def test_reject_with_an_unknown_reason(people, reason):
    _, callee, call = people.ringing()
    response = callee.post(f"/calls/{call['callId']}/reject", {"reason": reason})
    expect.invalid(response, reason="INVALID_REASON")
    assert callee.active()["callId"] == call["callId"]


@criterion("R2.3")
def test_reject_of_a_call_that_is_over(people):
    """200 with what it is: rejected once is rejected for good, ended stays ended."""
    _, callee, call = people.ringing()
    first = callee.reject(call["callId"], reason="unavailable")
    again = callee.reject(call["callId"], reason="busy")
    assert again == first
    for over in (people.ended(), cancelled(people)):
        _, callee, call = over
        before = callee.details(call["callId"])
        answer = callee.reject(call["callId"])
        assert (answer["callId"], answer["status"]) == (call["callId"], "ended")
        assert callee.details(call["callId"]) == before


def cancelled(people):
    caller, callee, call = people.ringing()
    caller.end(call["callId"])
    return caller, callee, call


@pytest.mark.parametrize("status", ["connecting", "connected", "disconnecting"])
def test_reject_of_an_accepted_call(people, status):
    """§7.1: 409 CALL_ALREADY_ACCEPTED."""
    caller, callee, call = people.in_status(status)
    response = callee.post(f"/calls/{call['callId']}/reject", {})
    expect.refused(response, 409, "CALL_ALREADY_ACCEPTED")
    assert caller.details(call["callId"])["status"] == status


def test_accept_reports_the_moment_of_the_database(people):
    """createdAt ≤ acceptedAt ≤ startTime ≤ endTime, whoever asks."""
    caller, callee, call = people.connected()
    caller.end(call["callId"])
    details = callee.details(call["callId"])
    times = [
        expect.milliseconds(details[name])
        for name in ("createdAt", "acceptedAt", "startTime", "endTime")
    ]
    assert times == sorted(times)
