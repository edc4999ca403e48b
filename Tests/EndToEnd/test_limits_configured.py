"""Rate limits of an installation's own, and their window (contract §4, §7.7, §11.4; R10, R14)."""

from __future__ import annotations

import time

import pytest

from support.outages import readiness, stopped
from support.rate_limits import (
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
from support.stack import wait_until
from support.variants import variant

pytestmark = variant("configured")
criterion = pytest.mark.criterion


@criterion("R10.1", "R10.2", "R10.3")
@pytest.mark.parametrize(
    "request_of, limit",
    [
        (generate, 3),
        (refresh, 4),
        (initiate, 2),
        (history, 6),
        (report, 7),
        (ticket, 8),
        (active, 120),
    ],
)
@within_a_window
def test_each_limit_is_configurable(people, request_of, limit):
    """RATE_LIMIT_… of the environment."""
    person = people.person()
    for _ in range(limit):
        assert request_of(person).status_code != 429
    refused_by_limit(request_of(person), limit)


@criterion("R10.1", "R10.5")
@pytest.mark.timeout(300)
def test_any_window_of_sixty_seconds(people):
    """Per user in *any* 60 s window; Retry-After is when the next request will be let through. Each request was counted
    at some moment between its beginning and its end; what is refused does not count. The clock is the one that Redis has,
    which may be set while the monotonic one goes on as before."""
    person = people.person()

    def ask():
        began = time.time()
        response = generate(person)
        return response, began, time.time()

    answer, begun, ended = ask()
    assert answer.status_code != 429
    wait_until(lambda: time.time() - begun > 20, interval=0.1)
    second, third = ask(), ask()
    assert 429 not in (second[0].status_code, third[0].status_code)
    answer, asked, answered = ask()
    retry = refused_by_limit(answer, 3)
    assert 60 - (answered - begun) <= retry <= 60 - (asked - ended) + 1, retry
    due = answered + retry
    wait_until(lambda: time.time() > due - 5, 70, 0.1)
    while True:
        answer, asked, answered = ask()
        if answer.status_code != 429:
            break
        assert asked < due, "Retry-After was too short"
        time.sleep(0.2)
    assert answered > begun + 59.9, "four within 60 s"
    answer, asked, answered = ask()
    # Where the machine stood still, the two of 20 s later do not count any more either.
    if answered < second[1] + 60:
        left = refused_by_limit(answer, 3)
        assert left <= 60 - (asked - second[2]) + 1, "the two of 20 s later still count"


@criterion("R10.1", "R10.4")
def test_limits_without_redis(people):
    """With Redis away the windows are kept per process: many are let through, not all."""
    stack, person = people.stack, people.person()
    workers = len(stack.workers())
    with stopped(stack, "REDIS"):
        codes = [generate(person).status_code for _ in range(3 * workers + 1)]
        assert 429 in codes, codes
        assert codes[:3] == [codes[0]] * 3 and codes[0] != 429
        assert history(person).status_code == 200
    wait_until(lambda: readiness(stack) == (200, "ready"), interval=0.1, message="ready again")
