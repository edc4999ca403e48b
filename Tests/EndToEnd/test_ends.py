"""Ending calls, durations, what remains of them (contract §4, §5, §7.1; R5)."""

from __future__ import annotations

import time

import pytest

from support import expect
from support.clock import shift_call

criterion = pytest.mark.criterion
MEMBERS = {"callId", "status", "endReason", "durationSeconds", "endedAt"}


@pytest.fixture
def elapsed():
    """The whole seconds that the test has taken, and one: what a call may have lasted, however busy the machine is."""
    began = time.monotonic()
    return lambda: int(time.monotonic() - began) + 1


@criterion("R5.1", "R5.4")
@pytest.mark.parametrize("status", ["connecting", "connected", "disconnecting"])
@pytest.mark.parametrize("who", [0, 1], ids=["caller", "callee"])
def test_end(people, status, who, elapsed):
    """R5.1: ended, with the end time; R5.4: an entry in both histories."""
    parties = people.in_status(status)
    call_id = parties[2]["callId"]
    ended = parties[who].end(call_id)
    assert set(ended) == MEMBERS
    assert (ended["callId"], ended["status"], ended["endReason"]) == (call_id, "ended", "hangup")
    assert isinstance(ended["durationSeconds"], int)
    assert 0 <= ended["durationSeconds"] <= elapsed()
    assert expect.recent(ended["endedAt"])
    for person in parties[:2]:
        details = person.details(call_id)
        assert details["status"] == "ended"
        assert details["endTime"] == ended["endedAt"]
        assert details["durationSeconds"] == ended["durationSeconds"]
        (entry,) = person.history()["calls"]
        assert (entry["callId"], entry["status"]) == (call_id, "completed")
        assert person.active() is None


@criterion("R5.2")
@pytest.mark.parametrize("seconds", [1, 59, 61, 3601])
def test_duration_counts_from_connected(people, seconds, elapsed):
    """R5.2: in seconds, by the server's clock, from the moment of `connected`."""
    caller, callee, call = people.connected()
    shift_call(people.stack, call["callId"], seconds)
    ended = callee.end(call["callId"])
    assert seconds <= ended["durationSeconds"] <= seconds + elapsed()
    details = caller.details(call["callId"])
    lasted = expect.moment(details["endTime"]) - expect.moment(details["startTime"])
    assert abs(lasted.total_seconds() - ended["durationSeconds"]) <= 1


@criterion("R5.2")
def test_duration_counts_from_acceptance_where_nobody_connected(people, elapsed):
    """R5.2: where no client reported `connected`, from the acceptance."""
    caller, callee, call = people.connecting()
    shift_call(people.stack, call["callId"], 30)
    assert 30 <= caller.end(call["callId"])["durationSeconds"] <= 30 + elapsed()


@criterion("R5.2")
def test_waiting_is_no_duration(people, elapsed):
    """The time of ringing does not count, nor that between acceptance and `connected`."""
    caller, callee, call = people.ringing()
    shift_call(people.stack, call["callId"], 20)
    callee.accept(call["callId"])
    shift_call(people.stack, call["callId"], 600)
    expect.succeeded(callee.set_status(call["callId"], "connected"))
    shift_call(people.stack, call["callId"], 5)
    assert 5 <= caller.end(call["callId"])["durationSeconds"] <= 5 + elapsed()


@criterion("R5.2")
def test_a_clients_duration_is_ignored(people, elapsed):
    caller, _, call = people.connected()
    body = {"durationSeconds": 9999, "duration": 9999, "endTime": "2001-01-01T00:00:00.000Z"}
    ended = caller.end(call["callId"], **body)
    assert ended["durationSeconds"] <= elapsed() and expect.recent(ended["endedAt"])


@pytest.mark.parametrize("status", ["initiating", "ringing"])
def test_cancel(people, status):
    """The caller ending an unanswered call is a cancellation of no duration."""
    caller, callee, call = people.in_status(status)
    ended = caller.end(call["callId"])
    assert (ended["status"], ended["endReason"]) == ("ended", "cancelled")
    assert ended["durationSeconds"] == 0
    for person in (caller, callee):
        (entry,) = person.history()["calls"]
        assert (entry["status"], entry["endReason"]) == ("missed", "cancelled")


@pytest.mark.parametrize("status", ["initiating", "ringing"])
def test_the_end_of_an_unanswered_call_by_its_callee_is_a_rejection(people, status):
    """§7.1: declined."""
    caller, callee, call = people.in_status(status)
    answer = callee.end(call["callId"])
    assert answer["callId"] == call["callId"]
    assert (answer["status"], answer["endReason"]) == ("rejected", "declined")
    assert answer["durationSeconds"] == 0
    details = caller.details(call["callId"])
    assert (details["status"], details["endReason"]) == ("rejected", "declined")


@criterion("R5.1")
def test_end_again(people):
    """On a call that is over already: 200 with what it is, for both, and nothing changes."""
    caller, callee, call = people.connected()
    first = caller.end(call["callId"])
    before = caller.details(call["callId"])
    for person in (caller, callee):
        assert person.end(call["callId"]) == first
        assert person.history()["pagination"]["total"] == 1
    assert caller.details(call["callId"]) == before


@criterion("R5.1")
def test_end_of_a_rejected_call(people):
    caller, callee, call = people.rejected()
    for person in (caller, callee):
        answer = person.end(call["callId"])
        assert (answer["status"], answer["endReason"]) == ("rejected", "declined")
        assert answer["durationSeconds"] == 0


@criterion("R5.5")
def test_averages_at_the_end(people):
    """R5.5: means of both participants' samples, in the call from its end on."""
    caller, callee, call = people.connected()
    for person, quality, loss, rtt in [
        (caller, "excellent", 0.0, 100),
        (callee, "good", 0.1, 200),
        (caller, "poor", 0.2, 300.5),
    ]:
        body = {"packetLossRate": loss, "roundTripTime": rtt}
        expect.succeeded(person.report(call["callId"], quality, **body))
    caller.end(call["callId"])
    quality = callee.details(call["callId"])["quality"]
    assert quality["samples"] == 3
    assert quality["averageScore"] == pytest.approx(4.0, abs=0.005)
    assert quality["averageNetworkQuality"] == "good"
    assert quality["averagePacketLossRate"] == pytest.approx(0.1, abs=0.0005)
    assert quality["averageRoundTripTime"] == pytest.approx(200.1667, abs=0.05)
    row = people.stack.sql("SELECT * FROM calls WHERE channel_id = %s", call["channelId"])[0]
    numbers = [float(value) for value in row.values() if is_number(value)]
    assert any(value == pytest.approx(200.1667, abs=0.05) for value in numbers), row


def is_number(value) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bytes)


@criterion("R5.5")
def test_no_averages_without_samples(people):
    """R5.5: null where there were none."""
    caller, _, call = people.connected()
    caller.end(call["callId"])
    assert caller.details(call["callId"])["quality"] == {
        "averageNetworkQuality": None,
        "averageScore": None,
        "averagePacketLossRate": None,
        "averageRoundTripTime": None,
        "samples": 0,
    }


def test_everything_of_a_call(people):
    """GET /calls/{callId}: both parties, type, status, end reason, times, duration, quality."""
    caller, callee, call = people.ringing("audio")
    before = caller.details(call["callId"])
    for name in ("endReason", "acceptedAt", "startTime", "endTime"):
        assert before[name] is None, name
    callee.accept(call["callId"])
    expect.succeeded(caller.set_status(call["callId"], "connected"))
    callee.end(call["callId"])
    details = caller.details(call["callId"])
    assert details == callee.details(call["callId"])
    for name in ("callId", "channelId", "callType", "createdAt"):
        assert details[name] == call[name], name
    for party, person in (("caller", caller), ("callee", callee)):
        assert details[party + "Id"] == person.id
        assert details[party + "Name"] == person.full_name
        assert details[party + "Avatar"] == person.avatar
    assert (details["status"], details["endReason"]) == ("ended", "hangup")
    for name in ("acceptedAt", "startTime", "endTime"):
        assert expect.recent(details[name]), name
    assert isinstance(details["durationSeconds"], int)
    assert set(details["quality"]) == {
        "averageNetworkQuality",
        "averageScore",
        "averagePacketLossRate",
        "averageRoundTripTime",
        "samples",
    }


@criterion("R5.4")
def test_the_longest_a_call_may_last(people, elapsed):
    """The sweeper ends a call at its maximum duration (7200 s), and tells both."""
    caller, callee, call = people.connected()
    sockets = [person.socket() for person in (caller, callee)]
    shift_call(people.stack, call["callId"], 7201)
    for socket in sockets:
        data = socket.take("call_ended", callId=call["callId"])["data"]
        assert data["endedBy"] is None
        assert data["endReason"] == "max_duration"
        assert 7200 <= data["durationSeconds"] <= 7201 + elapsed()
    details = caller.details(call["callId"])
    assert (details["status"], details["endReason"]) == ("ended", "max_duration")
    for person in (caller, callee):
        (entry,) = person.history()["calls"]
        assert (entry["status"], entry["endReason"]) == ("completed", "max_duration")
        assert person.active() is None
