"""Whose data it is: 403 for another user's, 404 for nobody's (contract §2; R9.2, R9.3, R9.4)."""

from __future__ import annotations

import uuid

import pytest

from support import expect, routes
from support.people import Person

criterion = pytest.mark.criterion


@criterion("R9.2")
@pytest.mark.parametrize("method, path, body", **routes.named(routes.CALL_ROUTES))
def test_a_stranger_gets_nothing_of_a_call(people, method, path, body):
    """R9.2: 403 UNAUTHORIZED_ACCESS for a call in which the user takes no part; nothing changes."""
    stranger = people.person()
    for status in ("initiating", "connected", "ended"):
        caller, _, call = people.in_status(status)
        response = stranger.send(method, routes.at(path, call["callId"]), json=body)
        expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
        assert call["channelId"] not in response.text
        assert caller.details(call["callId"])["status"] == status


@criterion("R9.2", "R12.2")
@pytest.mark.parametrize("method, path, body", **routes.named(routes.CALL_ROUTES))
@pytest.mark.parametrize("call_id", ["x", "0", "ffffffff-ffff-7fff-bfff-ffffffffffff", "-1"])
def test_unknown_calls(people, method, path, body, call_id):
    """An unknown call id is 404, whatever its form."""
    response = people.person().send(method, routes.at(path, call_id), json=body)
    error = expect.refused(response, 404, "RESOURCE_NOT_FOUND")
    assert error["details"] == {"resource": "call"}


@criterion("R9.2", "R9.3")
@pytest.mark.parametrize("method, path, body", **routes.named(routes.FIELD_ROUTES))
def test_another_users_id_in_the_body(people, method, path, body):
    """A `userId` that is not the user's own is 403, though the user takes part in the call."""
    caller, callee, call = people.ringing()
    other = {"userId": caller.id}
    if "token" in path:
        body = {"channelId": call["channelId"]} | ({"oldToken": "x"} if "old" in str(body) else {})
    response = callee.send(method, routes.at(path, call["callId"]), json=body | other)
    expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
    assert caller.details(call["callId"])["status"] == "initiating"


@criterion("R9.2")
@pytest.mark.parametrize(
    "path", ["/calls/history", "/calls/statistics", "/calls/active", "/calls/{id}"]
)
def test_another_users_id_in_the_query(people, path):
    """The same in a query."""
    caller, callee, call = people.ended()
    path = routes.at(path, call["callId"])
    response = caller.get(path, params={"userId": callee.id})
    expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
    expect.succeeded(caller.get(path, params={"userId": caller.id}))


@criterion("R9.2", "R9.3")
@pytest.mark.parametrize("method, path, body", **routes.named(routes.BODILESS_ROUTES))
def test_another_users_id_where_no_body_is_asked_for(people, method, path, body):
    """A body that nobody asked for is held to the same rules, and nothing is done."""
    caller, callee, call = people.ended()
    for sent in ({"userId": callee.id}, {"userId": people.person().id}):
        response = caller.send(method, routes.at(path, call["callId"]), json=sent)
        expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
    response = caller.send(method, routes.at(path, call["callId"]), json={"userId": []})
    expect.invalid(response, userId="INVALID_USER_ID")
    response = caller.send(
        method, routes.at(path, call["callId"]), data="x", headers={"Content-Type": "text/plain"}
    )
    expect.refused(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert caller.history()["pagination"]["total"] == 1
    expect.succeeded(
        caller.send(method, routes.at(path, call["callId"]), json={"userId": caller.id})
    )


@criterion("R9.2")
def test_each_user_id_of_a_query_is_looked_at(people):
    """`?userId=mine&userId=another` is no way around it."""
    caller, callee, _ = people.ended()
    for ids in ([caller.id, callee.id], [callee.id, caller.id]):
        response = caller.get("/calls/history", params={"userId": ids})
        expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
    expect.succeeded(caller.get("/calls/history", params={"userId": [caller.id, caller.id]}))


@criterion("R9.3")
def test_own_user_id_is_optional(people):
    """`userId` may be left out everywhere; the user's own is fine."""
    caller, callee, call = people.ringing()
    call_id = call["callId"]
    callee.accept(call_id, userId=callee.id)
    body = {"channelId": call["channelId"], "userId": caller.id}
    token = expect.succeeded(caller.post("/agora/token/generate", body))["token"]
    expect.succeeded(caller.post("/agora/token/refresh", body | {"oldToken": token}))
    body = {"status": "connected", "userId": caller.id}
    expect.succeeded(caller.patch(f"/calls/{call_id}/status", body))
    expect.succeeded(caller.report(call_id, userId=caller.id))
    assert caller.end(call_id, userId=caller.id)["status"] == "ended"


@criterion("R9.3")
def test_a_token_for_somebody_else(people):
    """R9.3: nobody generates a token for another user, not even for the other participant."""
    caller, callee, call = people.connecting()
    body = {"channelId": call["channelId"], "userId": callee.id}
    response = caller.post("/agora/token/generate", body)
    expect.refused(response, 403, "UNAUTHORIZED_ACCESS")


@criterion("R9.4", "R6.1")
def test_history_shows_only_calls_one_took_part_in(people):
    """R9.4: after calls among three users, each sees exactly those that were theirs."""
    ann, bea, cyd = people.person(), people.person(), people.person()
    for one, other in ((ann, bea), (bea, cyd), (ann, cyd)):
        people.befriend(one, other)
    calls = {}
    for one, other in ((ann, bea), (bea, cyd), (ann, cyd)):
        call = one.call(other)
        one.end(call["callId"])
        calls[call["callId"]] = {one.id, other.id}
    for person in (ann, bea, cyd):
        entries = person.history()["calls"]
        mine = {call_id for call_id, parties in calls.items() if person.id in parties}
        assert {entry["callId"] for entry in entries} == mine
        for entry in entries:
            assert {person.id, entry["remoteUserId"]} == calls[entry["callId"]]


@criterion("R9.2")
def test_an_entry_of_somebody_else_is_not_there(people):
    """DELETE of an entry that is not one's own is 404 (§7.2), and the entry stays."""
    caller, _, call = people.ended()
    response = people.person().delete(f"/calls/history/{call['callId']}")
    expect.refused(response, 404, "RESOURCE_NOT_FOUND")
    assert caller.history()["pagination"]["total"] == 1


@criterion("R9.2")
def test_another_users_id_in_a_deletion(people):
    caller, callee, call = people.ended()
    path = f"/calls/history/{call['callId']}"
    response = caller.delete(path, params={"userId": callee.id})
    expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
    assert caller.history()["pagination"]["total"] == 1
    expect.succeeded(caller.delete(path, params={"userId": caller.id}))


@criterion("R9.2")
def test_only_the_callee_answers(people):
    """Accept, reject and a PATCH to `connecting` are the callee's: 403 for the caller."""
    caller, _, call = people.with_device_ringing()
    path = f"/calls/{call['callId']}"
    for response in [
        caller.post(path + "/accept", {}),
        caller.post(path + "/reject", {}),
        caller.set_status(call["callId"], "connecting"),
    ]:
        expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
    assert caller.details(call["callId"])["status"] == "ringing"


def test_nobody_may_initiate_who_is_no_user(people):
    """§7.10: a caller who is not in `users` is 404, details.resource user."""
    somebody = people.person()
    ghost = Person(people.stack, f"ghost-{uuid.uuid4().hex[:20]}", "Ghost", None)
    error = expect.refused(ghost.initiate(somebody), 404, "RESOURCE_NOT_FOUND")
    assert error["details"] == {"resource": "user"}
