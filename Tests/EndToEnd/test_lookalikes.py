"""Ids that only look alike: another case, accent, form or blank is another id (contract §1, §2).

A database may compare texts with less care than that: `'a' = 'a '` under most collations.
"""

from __future__ import annotations

import unicodedata
import uuid

import pytest

from support import expect
from support.people import Person

criterion = pytest.mark.criterion

ALIKE = {
    "a blank behind": lambda text: text + " ",
    "blanks behind": lambda text: text + "   ",
    "a blank before": lambda text: " " + text,
    "upper case": str.upper,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "without its accent": lambda text: text.replace("é", "e"),
    "full width": lambda text: text.replace("1", "１"),
    "a zero-width space": lambda text: text + "\u200b",
    "a tab behind": lambda text: text + "\t",
    "a NUL behind": lambda text: text + "\0",
}


def fresh() -> str:
    return f"zoé1-{uuid.uuid4().hex[:16]}"


@criterion("R9.2", "R9.4")
@pytest.mark.parametrize("name", ALIKE)
def test_somebody_of_a_similar_id(people, name):
    """R9.4: who bears a similar id sees nothing of the user's, and cannot act as the user."""
    person = people.person(id=fresh())
    friend = people.friend_of(person)
    over = friend.call(person)
    friend.end(over["callId"])
    call = friend.call(person)
    double = Person(people.stack, ALIKE[name](person.id), "", None)
    for path in ("/calls/active", "/calls/history", "/calls/statistics"):
        response = double.get(path)
        assert response.status_code in (200, 401), expect.described(response)
        assert call["callId"] not in response.text and over["callId"] not in response.text
        if response.status_code == 200 and "statistics" in path:
            assert expect.succeeded(response)["totalCalls"] == 0
    for response in (
        double.get(f"/calls/{call['callId']}"),
        double.post(f"/calls/{call['callId']}/accept", {}),
        double.post(f"/calls/{call['callId']}/end", {}),
        double.delete(f"/calls/history/{over['callId']}"),
        double.post("/agora/token/generate", {"channelId": call["channelId"]}),
    ):
        assert response.status_code in (401, 403, 404), expect.described(response)
    assert person.active()["status"] == "initiating"
    assert person.history()["pagination"]["total"] == 1


@criterion("R1.1")
@pytest.mark.parametrize("name", ALIKE)
def test_a_callee_of_a_similar_id(people, name):
    """R1.1: nobody of that id exists, or at least is no contact."""
    person = people.person(id=fresh())
    friend = people.friend_of(person)
    response = friend.initiate(ALIKE[name](person.id), "audio")
    assert response.status_code in (400, 403, 404), expect.described(response)
    assert person.active() is None and friend.active() is None


@criterion("R9.2")
@pytest.mark.parametrize("name", ALIKE)
def test_a_user_id_that_is_similar_to_ones_own(people, name):
    """A `userId` must be the user's own, to the byte."""
    person = people.person(id=fresh())
    response = person.get("/calls/history", params={"userId": ALIKE[name](person.id)})
    assert response.status_code in (400, 403), expect.described(response)


@criterion("R3.1", "R9.2")
@pytest.mark.parametrize("change", ["{} ", "{}  ", " {}", "{}!", "{}A"])
def test_a_similar_channel(people, change):
    """Agora's alphabet has a blank: the call's channel with one more is another channel."""
    caller, _, call = people.connecting()
    channel = change.format(call["channelId"])
    response = caller.post("/agora/token/generate", {"channelId": channel})
    expect.refused(response, 403, "UNAUTHORIZED_ACCESS")
    upper = call["channelId"].upper()
    if upper != call["channelId"]:
        response = caller.post("/agora/token/generate", {"channelId": upper})
        expect.refused(response, 403, "UNAUTHORIZED_ACCESS")


@criterion("R4.1", "R4.3")
def test_a_similar_channel_in_a_refresh(people):
    caller, _, call = people.connecting()
    body = {"channelId": call["channelId"]}
    old = expect.succeeded(caller.post("/agora/token/generate", body))["token"]
    body = {"channelId": call["channelId"] + " ", "oldToken": old}
    response = caller.post("/agora/token/refresh", body)
    assert response.status_code in (400, 409), expect.described(response)


def test_similar_idempotency_keys(people):
    """Keys differ by case."""
    caller, callee = people.pair()
    first = expect.succeeded(caller.initiate(callee, "audio", "Key"), 201)
    caller.end(first["callId"])
    second = expect.succeeded(caller.initiate(callee, "audio", "key"), 201)
    assert first["callId"] != second["callId"]


@criterion("R2.2")
@pytest.mark.parametrize("other", ["Phone", "phone ", "phoné"])
def test_similar_devices(people, other):
    """Devices are told apart to the byte."""
    _, callee, call = people.ringing()
    callee.accept(call["callId"], deviceId="phone")
    response = callee.post(f"/calls/{call['callId']}/accept", {"deviceId": other})
    expect.refused(response, 409, "CALL_ALREADY_ACCEPTED")


@criterion("R12.2")
def test_similar_call_ids(people):
    """A call id in upper case, with a blank or in braces is no call's, or is that call's."""
    caller, _, call = people.ringing()
    for similar in (call["callId"].upper(), call["callId"] + "%20", "{" + call["callId"] + "}"):
        response = caller.get(f"/calls/{similar}")
        if response.status_code == 200:
            assert expect.succeeded(response)["callId"] == call["callId"]
        else:
            expect.refused(response, 404, "RESOURCE_NOT_FOUND")
