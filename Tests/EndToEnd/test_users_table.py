"""What may stand in `users`, and what becomes of calls whose users have gone (contract §4)."""

from __future__ import annotations

import pytest

from support import expect

criterion = pytest.mark.criterion


@criterion("R1.3", "R6.1", "R11.1")
def test_the_longest_names_and_pictures(people):
    """Both at their longest, in every answer and event that has them."""
    name, avatar = "👩" * 255, "https://a.example/" + "p" * 2000
    caller = people.person(full_name=name, avatar=avatar)
    callee = people.person(full_name=name[::-1], avatar=avatar + "q")
    people.befriend(caller, callee)
    socket = callee.socket()
    call = caller.call(callee)
    invitation = socket.take("call_invitation")["data"]
    for data in (call, invitation, callee.active(), caller.details(call["callId"])):
        assert (data["callerName"], data["callerAvatar"]) == (name, avatar)
    assert (call["calleeName"], call["calleeAvatar"]) == (name, avatar + "q")
    caller.end(call["callId"])
    (entry,) = caller.history()["calls"]
    assert (entry["remoteUserName"], entry["remoteUserAvatar"]) == (name, avatar + "q")
    (entry,) = callee.history()["calls"]
    assert (entry["remoteUserName"], entry["remoteUserAvatar"]) == (name, avatar)


@criterion("R6.1")
def test_names_that_are_null(people):
    """Who has neither name nor picture can call and be called."""
    caller, callee = people.pair()
    people.stack.sql(
        "UPDATE users SET full_name = NULL, avatar_url = NULL WHERE id IN (%s, %s)",
        caller.id,
        callee.id,
    )
    socket = callee.socket()
    call = caller.call(callee)
    assert call["callerAvatar"] is None and call["calleeAvatar"] is None
    invitation = socket.take("call_invitation")["data"]
    assert invitation["callerName"] == call["callerName"]
    assert call["callerName"] is None or isinstance(call["callerName"], str)
    caller.end(call["callId"])
    assert callee.history()["calls"][0]["remoteUserAvatar"] is None


@criterion("R6.1")
def test_full_names_that_are_empty(people):
    """The user name stands in for a full name that says nothing."""
    caller, callee = people.pair()
    people.stack.sql("UPDATE users SET full_name = '' WHERE id IN (%s, %s)", caller.id, callee.id)
    rows = people.stack.sql(
        "SELECT id, username FROM users WHERE id IN (%s, %s)", caller.id, callee.id
    )
    names = {row["id"]: row["username"] for row in rows}
    call = caller.call(callee)
    assert (call["callerName"], call["calleeName"]) == (names[caller.id], names[callee.id])
    caller.end(call["callId"])
    assert callee.history()["calls"][0]["remoteUserName"] == names[caller.id]


@criterion("R6.1", "R6.5")
def test_a_user_who_has_gone(people):
    """The other's history, details and statistics stay readable, and the call can be ended."""
    caller, callee, call = people.connected()
    people.stack.sql("DELETE FROM users WHERE id = %s", callee.id)
    assert caller.active()["callId"] == call["callId"]
    assert caller.details(call["callId"])["calleeId"] == callee.id
    assert caller.end(call["callId"])["endReason"] == "hangup"
    (entry,) = caller.history()["calls"]
    assert entry["remoteUserId"] == callee.id
    assert entry["remoteUserName"] is None or isinstance(entry["remoteUserName"], str)
    assert caller.statistics()["totalCalls"] == 1
    expect.refused(caller.initiate(callee), 404, "RESOURCE_NOT_FOUND")


@criterion("R1.1")
def test_a_contact_that_is_withdrawn(people):
    """A block binds the next call; the one that rings can still be answered."""
    caller, callee, call = people.ringing()
    people.stack.sql(
        "UPDATE contacts SET status = 'BLOCKED' WHERE user_id = %s AND contact_user_id = %s",
        callee.id,
        caller.id,
    )
    assert callee.accept(call["callId"])["status"] == "connecting"
    callee.end(call["callId"])
    expect.refused(caller.initiate(callee), 403, "NOT_CONTACTS")
    expect.refused(callee.initiate(caller), 403, "NOT_CONTACTS")
