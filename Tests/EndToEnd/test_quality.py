"""POST /calls/{callId}/quality (contract §4, §7.4; R7)."""

from __future__ import annotations

import json
import time

import pytest

from support import expect
from support.clock import stored

criterion = pytest.mark.criterion


def samples(people, call_id) -> list[dict]:
    return people.stack.sql(
        "SELECT * FROM call_quality_metrics WHERE call_id = %s",
        stored(people.stack, call_id, "call_quality_metrics", "call_id"),
    )


@criterion("R7.1")
@pytest.mark.parametrize("quality", ["excellent", "good", "poor", "bad", "veryBad", "unknown"])
def test_allowed_qualities(connected, people, quality):
    """R7.1: the values of the enumeration, stored in the database."""
    caller, _, call = connected
    expect.succeeded(caller.report(call["callId"], quality))
    (row,) = samples(people, call["callId"])
    assert row["user_id"] == caller.id
    assert quality.lower() in [str(value).lower().replace("_", "") for value in row.values()]


@criterion("R7.1", "R12.3")
@pytest.mark.parametrize("quality", ["", "great", "very bad", "0", "excellent "])
def test_unknown_qualities(connected, people, quality):
    """R7.1: anything else is a validation error, and nothing is stored."""
    caller, _, call = connected
    faults = {"networkQuality": "INVALID_QUALITY" if quality else None}
    expect.invalid(caller.report(call["callId"], quality), **faults)
    assert samples(people, call["callId"]) == []


@criterion("R7.1", "R12.3")
def test_quality_is_required(connected):
    caller, _, call = connected
    expect.invalid(caller.post(f"/calls/{call['callId']}/quality", {}), networkQuality="REQUIRED")


@criterion("R7.2")
@pytest.mark.parametrize("rate", [0, 0.0, 1, 1.0, 0.5, 1e-9])
def test_packet_loss(connected, rate):
    """R7.2: between 0 and 1, both included."""
    caller, _, call = connected
    expect.succeeded(caller.report(call["callId"], packetLossRate=rate))


@criterion("R7.2", "R12.3")
@pytest.mark.parametrize("rate", [-0.01, 1.01, -1, 100, 1e300, "x", True, []])
def test_packet_loss_out_of_range(connected, rate):
    """R7.2: anything else is refused."""
    caller, _, call = connected
    response = caller.report(call["callId"], packetLossRate=rate)
    expect.invalid(response, packetLossRate="INVALID_PACKET_LOSS")


@criterion("R7.3")
@pytest.mark.parametrize("time", [1, 0.001, 250.75, 60_000, 3_600_001, 1e9])
def test_round_trip_time(connected, time):
    """R7.3: a positive number of milliseconds."""
    caller, _, call = connected
    expect.succeeded(caller.report(call["callId"], roundTripTime=time))


@criterion("R7.3", "R12.3")
@pytest.mark.parametrize("time", [0, -1, -0.001, "x", False, {}])
def test_round_trip_time_that_is_not_positive(connected, time):
    """R7.3: zero, negative or no number is refused."""
    caller, _, call = connected
    response = caller.report(call["callId"], roundTripTime=time)
    expect.invalid(response, roundTripTime="INVALID_RTT")


@criterion("R7.1", "R7.2", "R7.3", "R12.3")
def test_all_faults_at_once(connected):
    caller, _, call = connected
    expect.invalid(
        caller.report(call["callId"], "great", packetLossRate=2, roundTripTime=-1),
        networkQuality="INVALID_QUALITY",
        packetLossRate="INVALID_PACKET_LOSS",
        roundTripTime="INVALID_RTT",
    )


@criterion("R7.5")
def test_latest_sample_in_redis(connected, people):
    """R7.5: under call:{callId}:quality:{userId} for 300 s, the latest of each participant."""
    caller, callee, call = connected
    redis, call_id = people.stack.redis, call["callId"]
    started = time.monotonic()
    expect.succeeded(caller.report(call_id, "bad", packetLossRate=0.25, roundTripTime=120))
    expect.succeeded(callee.report(call_id, "good"))
    key = f"call:{call_id}:quality:{caller.id}"
    assert 300 >= redis.ttl(key) > 299 - (time.monotonic() - started)
    cached = json.loads(redis.get(key))
    assert cached["networkQuality"] == "bad"
    assert cached["packetLossRate"] == 0.25
    assert cached["roundTripTime"] == 120
    redis.expire(key, 100)
    started = time.monotonic()
    expect.succeeded(caller.report(call_id, "veryBad"))
    assert json.loads(redis.get(key))["networkQuality"] == "veryBad"
    assert redis.ttl(key) > 299 - (time.monotonic() - started)
    other = json.loads(redis.get(f"call:{call_id}:quality:{callee.id}"))
    assert other["networkQuality"] == "good"


@criterion("R7.1")
@pytest.mark.parametrize("status", ["connecting", "connected", "disconnecting"])
def test_statuses_with_samples(people, status):
    """§7.4: samples are taken while the call is connecting, connected or disconnecting."""
    caller, callee, call = people.in_status(status)
    for person in (caller, callee):
        expect.succeeded(person.report(call["callId"]))
    assert len(samples(people, call["callId"])) == 2


@pytest.mark.parametrize("status", ["initiating", "ringing", "ended", "rejected"])
def test_statuses_without_samples(people, status):
    """§7.4: otherwise 409 NO_ACTIVE_CALL."""
    caller, callee, call = people.in_status(status)
    for person in (caller, callee):
        expect.refused(person.report(call["callId"]), 409, "NO_ACTIVE_CALL")
    assert samples(people, call["callId"]) == []


@criterion("R5.5")
def test_unknown_is_left_out_of_the_score(connected):
    """§7.4: the score is excellent 5 … veryBad 1, unknown left out; plain means otherwise."""
    caller, callee, call = connected
    for quality, others in [
        ("unknown", {"packetLossRate": 0.3}),
        ("veryBad", {}),
        ("poor", {"roundTripTime": 10}),
        ("unknown", {}),
    ]:
        expect.succeeded(caller.report(call["callId"], quality, **others))
    callee.end(call["callId"])
    quality = caller.details(call["callId"])["quality"]
    assert quality["averageScore"] == pytest.approx(2.0)
    assert quality["averageNetworkQuality"] == "bad"
    assert quality["averagePacketLossRate"] == pytest.approx(0.3)
    assert quality["averageRoundTripTime"] == pytest.approx(10)
    assert quality["samples"] == 4


@criterion("R5.5")
def test_only_unknown_gives_no_score(connected):
    caller, callee, call = connected
    expect.succeeded(caller.report(call["callId"], "unknown"))
    callee.end(call["callId"])
    quality = caller.details(call["callId"])["quality"]
    assert quality["averageScore"] is None and quality["samples"] == 1
    assert quality["averagePacketLossRate"] is None and quality["averageRoundTripTime"] is None


@criterion("R5.5")
@pytest.mark.parametrize(
    "quality, score", [("excellent", 5), ("good", 4), ("poor", 3), ("bad", 2), ("veryBad", 1)]
)
def test_scores(connected, quality, score):
    caller, callee, call = connected
    expect.succeeded(caller.report(call["callId"], quality))
    callee.end(call["callId"])
    averages = caller.details(call["callId"])["quality"]
    assert averages["averageScore"] == score
    assert averages["averageNetworkQuality"] == quality


def test_a_clients_timestamp(connected):
    """`timestamp` is optional; a time is taken."""
    caller, _, call = connected
    for moment in ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05Z"):
        expect.succeeded(caller.report(call["callId"], timestamp=moment))


@pytest.mark.parametrize(
    "moment, utc",
    [
        ("2026-01-02T03:04", "2026-01-02 03:04:00"),
        ("2026-01-02T03:04Z", "2026-01-02 03:04:00"),
        ("2026-01-02T03:04+09", "2026-01-01 18:04:00"),
        ("2026-01-02T03:04:05+0930", "2026-01-01 17:34:05"),
        ("2026-01-02T03:04:05.5-09:30", "2026-01-02 12:34:05.5"),
        ("2026-01-02T03:04:05", "2026-01-02 03:04:05"),
    ],
)
def test_times_as_clients_write_them(connected, stack, moment, utc):
    """§7.16: with or without seconds, and offsets of every form; the report is kept whole."""
    caller, _, call = connected
    expect.succeeded(caller.report(call["callId"], timestamp=moment, packetLossRate=0.25))
    rows = stack.sql(
        "SELECT COUNT(*) AS n FROM call_quality_metrics WHERE call_id = %s AND reported_at = %s "
        "AND packet_loss_rate = 0.25",
        call["callId"],
        utc,
    )
    assert rows[0]["n"] == 1


def test_extreme_numbers_are_no_server_error(connected):
    """The largest and smallest of numbers are taken or refused; the end works all the same."""
    caller, callee, call = connected
    for number in (1e308, 5e-324, 2**63, 2**64, 1e20):
        response = caller.report(call["callId"], roundTripTime=number)
        assert response.status_code in (200, 400), expect.described(response)
    assert callee.end(call["callId"])["status"] == "ended"
    assert caller.details(call["callId"])["status"] == "ended"
