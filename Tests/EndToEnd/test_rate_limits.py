"""Rate limits per user (contract §4, §7.7, §11.4; R10)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect, keys
from support.clock import stored
from support.people import send
from support.rate_limits import (
    WINDOW_SECONDS,
    active,
    generate,
    history,
    initiate,
    refresh,
    refused_by_limit,
    report,
    ticket,
    within_a_window,
)

criterion = pytest.mark.criterion

LIMITS = [
    pytest.param(generate, 10, marks=criterion("R10.1"), id="generate"),
    pytest.param(refresh, 10, id="refresh"),
    pytest.param(initiate, 5, marks=criterion("R10.2"), id="initiate"),
    pytest.param(history, 20, marks=criterion("R10.3"), id="history"),
    pytest.param(report, 60, marks=criterion("C11.4"), id="quality"),
    pytest.param(ticket, 30, marks=criterion("C11.4"), id="ticket"),
    pytest.param(active, 300, marks=criterion("C11.4"), id="other"),
]


@criterion("R10.4", "R10.5")
@pytest.mark.parametrize("request_of, limit", LIMITS)
@within_a_window
def test_limit(people, request_of, limit):
    """R10.1–R10.5: as many as the limit are let through, whatever becomes of them; then 429."""
    person, other = people.person(), people.person()
    started = time.monotonic()
    for _ in range(limit):
        response = request_of(person)
        assert response.status_code != 429, expect.described(response)
    retry = refused_by_limit(request_of(person), limit)
    assert retry >= WINDOW_SECONDS - (time.monotonic() - started) - 1
    assert request_of(other).status_code != 429, "the limit is each user's own"


@pytest.mark.parametrize("request_of, limit", LIMITS)
@within_a_window
def test_what_is_refused_with_429_does_not_count(people, request_of, limit):
    """§7.7: Retry-After does not move away while a client goes on asking."""
    person = people.person()
    for _ in range(limit):
        request_of(person)
    waits = [refused_by_limit(request_of(person), limit) for _ in range(12)]
    assert waits == sorted(waits, reverse=True)


@within_a_window
def test_an_invalid_body_counts(people):
    """§7.7: the limit is checked before the body."""
    person = people.person()
    headers = {"Content-Type": "application/json"}
    for _ in range(5):
        response = person.post("/calls/initiate", data=b"{", headers=headers)
        expect.refused(response, 400, "MALFORMED_JSON")
    refused_by_limit(person.post("/calls/initiate", data=b"{", headers=headers), 5)


@criterion("R10.2")
def test_a_401_does_not_count(people):
    """§7.7: who is not let in has no limit, and does not use up the user's."""
    person = people.person()
    forged = keys.token("x" * 40, person.id)
    for _ in range(15):
        response = send(people.stack, "POST", "/calls/initiate", forged, json={})
        expect.refused(response, 401, "AUTHENTICATION_FAILED")
    assert initiate(person).status_code == 404


@within_a_window
def test_limits_are_apart(people):
    """Each has its own; those that count together go on when the others are used up."""
    person = people.person()
    apart = [
        (generate, 10),
        (refresh, 10),
        (initiate, 5),
        (history, 20),
        (report, 60),
        (ticket, 30),
    ]
    for request_of, limit in apart:
        for _ in range(limit):
            assert request_of(person).status_code != 429
    for request_of, limit in apart:
        refused_by_limit(request_of(person), limit)
    for _ in range(30):
        expect.succeeded(person.get("/calls/active"))
        expect.succeeded(person.get("/calls/statistics"))


@criterion("R10.1")
@within_a_window
def test_simultaneous_requests(people):
    """Thirty at once: exactly ten are let through, whichever workers they reach."""
    person = people.person()
    with ThreadPoolExecutor(15) as pool:
        statuses = list(pool.map(lambda _: generate(person).status_code, range(30)))
    assert sorted(statuses) == [403] * 10 + [429] * 20


@criterion("R10.5")
@within_a_window
def test_remaining_counts_down(people):
    """Where the headers come with what is let through, they count down to zero."""
    person = people.person()
    remaining = [initiate(person).headers.get("RateLimit-Remaining") for _ in range(5)]
    if remaining != [None] * 5:
        assert remaining == ["4", "3", "2", "1", "0"]


def use_up(person, count: int) -> None:
    """So many requests of those that count together, of every kind in turn."""
    others = [
        active,
        lambda person: person.statistics(period="day"),
        lambda person: person.get("/calls/unknown"),
        lambda person: person.delete("/calls/history/unknown"),
        lambda person: person.post("/calls/unknown/accept"),
        lambda person: person.set_status("unknown", "connected"),
    ]
    with ThreadPoolExecutor(10) as pool:
        made = list(pool.map(lambda number: others[number % 6](person), range(count)))
    assert {getattr(response, "status_code", 200) for response in made} == {200, 404}


@criterion("C11.4")
@within_a_window
def test_all_other_routes_share_one_limit(people):
    """§11.4: three hundred of them together, and then each is refused."""
    person = people.person()
    use_up(person, 300)
    refused_by_limit(active(person), 300)
    refused_by_limit(person.get("/calls/statistics"), 300)
    refused_by_limit(person.get("/calls/unknown"), 300)
    refused_by_limit(person.delete("/calls/history/unknown"), 300)
    refused_by_limit(person.post("/calls/unknown/accept"), 300)
    refused_by_limit(person.set_status("unknown", "connected"), 300)
    assert history(person).status_code == 200
    assert ticket(person).status_code == 200


@criterion("C11.4")
@within_a_window
def test_commands_count_with_the_others(people):
    """§11.4: one window for REST and sockets; a command is told when to come back in its body."""
    caller, callee, call = people.ringing()
    socket, other = callee.socket(), callee.socket()
    use_up(callee, 299)
    assert socket.command("call.accept", callId=call["callId"])["status"] == 200
    asked = time.monotonic()
    retry = refused_by_limit(active(callee), 300)
    for connection in (socket, other):
        result = connection.command("call.accept", callId=call["callId"])
        assert result["status"] == 429
        error = result["body"]["error"]
        assert error["code"] == "RATE_LIMIT_EXCEEDED"
        gone_by = time.monotonic() - asked
        assert retry - gone_by - 1 <= error["details"]["retryAfterSeconds"] <= retry
    assert other.command("call.end", callId=call["callId"])["status"] == 200
    assert caller.details(call["callId"])["status"] == "ended"


@criterion("C11.4")
@pytest.mark.parametrize("over", ["rest", "socket"])
@within_a_window
def test_ending_rejecting_and_cancelling_are_never_refused(people, over):
    """§11.4: with every window used up, 400 times, and without the fields of a limit."""

    def leave(person, socket, how: str, call_id: str) -> tuple[int, str]:
        if over == "socket":
            result = socket.command(f"call.{how}", callId=call_id)
            return result["status"], result["body"]["data"]["status"]
        response = person.post(f"/calls/{call_id}/{how}")
        assert not [name for name in response.headers if name.startswith("RateLimit-")]
        return response.status_code, expect.succeeded(response)["status"]

    caller, callee, first = people.ringing()
    sockets = {person.id: person.socket() for person in (caller, callee)}
    for person in (caller, callee):
        use_up(person, 300)
    assert leave(callee, sockets[callee.id], "reject", first["callId"]) == (200, "rejected")
    cancelled = caller.call(callee)
    assert leave(caller, sockets[caller.id], "end", cancelled["callId"]) == (200, "ended")
    if over == "rest":
        with ThreadPoolExecutor(10) as pool:
            ends = pool.map(lambda _: caller.end(cancelled["callId"])["status"], range(400))
            assert set(ends) == {"ended"}
    for person in (caller, callee):
        refused_by_limit(active(person), 300)


@criterion("C11.4")
@within_a_window
def test_a_flood_of_quality_reports_is_not_stored(people):
    """§11.4: of 300 reports in some seconds 60 are let through, and no more are stored."""
    caller, callee, call = people.connected()
    with ThreadPoolExecutor(15) as pool:
        statuses = list(
            pool.map(lambda _: caller.report(call["callId"], "poor").status_code, range(300))
        )
    assert sorted(statuses) == [200] * 60 + [429] * 240
    rows = people.stack.sql(
        "SELECT COUNT(*) AS n FROM call_quality_metrics WHERE call_id = %s",
        stored(people.stack, call["callId"], "call_quality_metrics", "call_id"),
    )
    assert rows[0]["n"] == 60
    expect.succeeded(callee.report(call["callId"]))
