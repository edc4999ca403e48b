"""PATCH /calls/{callId}/status: the whole state machine (contract §5, §7.1; R8)."""

from __future__ import annotations

import pytest

from support import expect

criterion = pytest.mark.criterion

STATUSES = [
    "initiating",
    "ringing",
    "connecting",
    "connected",
    "disconnecting",
    "ended",
    "missed",
    "rejected",
    "failed",
]
# What a client's PATCH may set.
ALLOWED = {
    "initiating": [],
    "ringing": ["connecting"],
    "connecting": ["connected", "disconnecting"],
    "connected": ["disconnecting"],
    "disconnecting": [],
    "ended": [],
    "rejected": [],
}
CRITERION = {
    "ringing": "R8.2",
    "connecting": "R8.3",
    "connected": "R8.4",
}
TABLE = [
    pytest.param(
        start,
        target,
        marks=criterion("R8.1", *([CRITERION[start]] if start in CRITERION else []), "R8.5"),
    )
    for start in ALLOWED
    for target in STATUSES
]


@pytest.mark.parametrize("start, target", TABLE)
@pytest.mark.parametrize("who", [0, 1], ids=["caller", "callee"])
def test_transition(people, start, target, who):
    """R8.1–R8.5: each status, each target, each participant."""
    parties = people.in_status(start)
    person, call_id = parties[who], parties[2]["callId"]
    before = person.details(call_id)
    response = person.set_status(call_id, target)
    if target == "connecting" and who == 0:
        # Only the callee accepts; of what else may be said of it the contract leaves the choice.
        if start == "ringing":
            expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
        else:
            codes = (200, 403) if start == "connecting" else (403, 409)
            assert response.status_code in codes, expect.described(response)
        assert person.details(call_id) == before
    elif target == start:
        data = expect.succeeded(response)
        assert (data["callId"], data["status"]) == (call_id, start)
        assert person.details(call_id) == before
    elif target in ALLOWED[start]:
        data = expect.succeeded(response)
        assert set(data) == {"callId", "status", "updatedAt"}
        assert (data["callId"], data["status"]) == (call_id, target)
        assert expect.recent(data["updatedAt"])
        assert person.details(call_id)["status"] == target
    else:
        error = expect.refused(response, 409, "INVALID_STATUS_TRANSITION")
        assert error["details"] == {"from": start, "to": target, "allowed": ALLOWED[start]}
        assert person.details(call_id) == before


@criterion("R12.3")
@pytest.mark.parametrize("status", ["", "answered", "ring ing", "ended ", "0"])
def test_unknown_statuses(people, status):
    """A status that is none is a validation error on the field."""
    caller, _, call = people.ringing()
    faults = {"status": None if status == "" else "INVALID_STATUS"}
    expect.invalid(caller.set_status(call["callId"], status), **faults)
    expect.invalid(caller.patch(f"/calls/{call['callId']}/status", {}), status="REQUIRED")


@criterion("R8.2", "R2.2")
def test_connecting_is_an_accept(people):
    """A PATCH to connecting by the callee is an accept: acceptedAt, and the caller is told."""
    caller, callee, call = people.with_device_ringing()
    device = caller.socket()
    expect.succeeded(callee.set_status(call["callId"], "connecting"))
    assert device.take("call_accepted")["data"]["acceptedBy"] == callee.id
    assert caller.details(call["callId"])["acceptedAt"] is not None


@criterion("R8.3")
def test_connected_sets_the_start(people):
    """startTime is set once, by the first who reports `connected`."""
    caller, callee, call = people.connecting()
    assert caller.details(call["callId"])["startTime"] is None
    updated = expect.succeeded(caller.set_status(call["callId"], "connected"))["updatedAt"]
    start = caller.details(call["callId"])["startTime"]
    assert start == updated
    expect.succeeded(callee.set_status(call["callId"], "connected"))
    assert caller.details(call["callId"])["startTime"] == start


@criterion("R8.1")
def test_no_way_to_an_end_by_patch(people):
    """Ends have operations of their own: no live status can be patched to a terminal one."""
    caller, callee, call = people.connected()
    for status in ("ended", "missed", "rejected", "failed"):
        error = expect.refused(
            callee.set_status(call["callId"], status), 409, "INVALID_STATUS_TRANSITION"
        )
        assert error["details"]["allowed"] == ["disconnecting"]
    assert caller.active()["status"] == "connected"
