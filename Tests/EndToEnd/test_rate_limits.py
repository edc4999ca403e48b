"""Rate limits per user (contract §4, §7.7; R10)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect, keys
from support.people import send

criterion = pytest.mark.criterion


def generate(person):
    return person.post("/agora/token/generate", {"channelId": "not a channel of mine"})


def refresh(person):
    return person.post("/agora/token/refresh", {"channelId": "x", "oldToken": "007"})


def initiate(person):
    return person.initiate("nobody-at-all", "audio")


def history(person):
    return person.get("/calls/history")


LIMITS = [
    pytest.param(generate, 10, marks=criterion("R10.1"), id="generate"),
    pytest.param(refresh, 10, id="refresh"),
    pytest.param(initiate, 5, marks=criterion("R10.2"), id="initiate"),
    pytest.param(history, 20, marks=criterion("R10.3"), id="history"),
]


def refused(response, limit: int) -> int:
    """Checks a 429 and gives its Retry-After."""
    expect.refused(response, 429, "RATE_LIMIT_EXCEEDED")
    assert response.headers["Retry-After"].isdigit(), "whole seconds"
    retry = int(response.headers["Retry-After"])
    assert 1 <= retry <= 60
    assert response.headers["RateLimit-Limit"].split(",")[0].strip() == str(limit)
    assert response.headers["RateLimit-Remaining"] == "0"
    assert 0 <= int(response.headers["RateLimit-Reset"]) <= 60
    return retry


@criterion("R10.4", "R10.5")
@pytest.mark.parametrize("request_of, limit", LIMITS)
def test_limit(people, request_of, limit):
    """R10.1–R10.5: as many as the limit are let through, whatever becomes of them; then 429."""
    person, other = people.person(), people.person()
    started = time.monotonic()
    for _ in range(limit):
        response = request_of(person)
        assert response.status_code != 429, expect.described(response)
    retry = refused(request_of(person), limit)
    assert retry >= 60 - (time.monotonic() - started) - 1
    assert request_of(other).status_code != 429, "the limit is each user's own"


@pytest.mark.parametrize("request_of, limit", LIMITS)
def test_what_is_refused_with_429_does_not_count(people, request_of, limit):
    """§7.7: Retry-After does not move away while a client goes on asking."""
    person = people.person()
    for _ in range(limit):
        request_of(person)
    waits = [refused(request_of(person), limit) for _ in range(12)]
    assert waits == sorted(waits, reverse=True)


def test_an_invalid_body_counts(people):
    """§7.7: the limit is checked before the body."""
    person = people.person()
    headers = {"Content-Type": "application/json"}
    for _ in range(5):
        response = person.post("/calls/initiate", data=b"{", headers=headers)
        expect.refused(response, 400, "MALFORMED_JSON")
    refused(person.post("/calls/initiate", data=b"{", headers=headers), 5)


@criterion("R10.2")
def test_a_401_does_not_count(people):
    """§7.7: who is not let in has no limit, and does not use up the user's."""
    person = people.person()
    forged = keys.token("x" * 40, person.id)
    for _ in range(15):
        response = send(people.stack, "POST", "/calls/initiate", forged, json={})
        expect.refused(response, 401, "AUTHENTICATION_FAILED")
    assert initiate(person).status_code == 404


def test_limits_are_apart(people):
    """Each endpoint has its own; what has none goes on."""
    person = people.person()
    for request_of, limit in ((generate, 10), (refresh, 10), (initiate, 5), (history, 20)):
        for _ in range(limit):
            assert request_of(person).status_code != 429
    for request_of, limit in ((generate, 10), (refresh, 10), (initiate, 5), (history, 20)):
        refused(request_of(person), limit)
    for _ in range(30):
        expect.succeeded(person.get("/calls/active"))
        expect.succeeded(person.get("/calls/statistics"))


@criterion("R10.1")
def test_simultaneous_requests(people):
    """Thirty at once: exactly ten are let through, whichever workers they reach."""
    person = people.person()
    with ThreadPoolExecutor(15) as pool:
        statuses = list(pool.map(lambda _: generate(person).status_code, range(30)))
    assert sorted(statuses) == [403] * 10 + [429] * 20


@criterion("R10.5")
def test_remaining_counts_down(people):
    """Where the headers come with what is let through, they count down to zero."""
    person = people.person()
    remaining = [initiate(person).headers.get("RateLimit-Remaining") for _ in range(5)]
    if remaining != [None] * 5:
        assert remaining == ["4", "3", "2", "1", "0"]
