"""Rate limits of an installation's own, and their window (contract §4, §7.7, §11.4; R10, R14)."""

from __future__ import annotations

import time

import pytest

from support import expect
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
def test_each_limit_is_configurable(people, request_of, limit):
    """RATE_LIMIT_… of the environment."""
    person = people.person()
    for _ in range(limit):
        assert request_of(person).status_code != 429
    refused_by_limit(request_of(person), limit)


@criterion("R10.1", "R10.5")
@pytest.mark.timeout(200)
def test_any_window_of_sixty_seconds(people):
    """Per user in *any* 60 s window; Retry-After is when the next request will be let through."""
    person = people.person()
    first = time.monotonic()
    assert generate(person).status_code != 429
    wait_until(lambda: time.monotonic() - first > 8, 10, 0.1)
    assert [generate(person).status_code == 429 for _ in range(3)] == [False, False, True]
    retry = refused_by_limit(generate(person), 3)
    assert 49 <= retry <= 53, retry
    due = time.monotonic() + retry
    wait_until(lambda: time.monotonic() > due - 2.5, 70, 0.1)
    expect.refused(generate(person), 429, "RATE_LIMIT_EXCEEDED")
    wait_until(lambda: time.monotonic() > due + 0.1, 10, 0.1)
    assert generate(person).status_code != 429, "Retry-After was too short"
    left = refused_by_limit(generate(person), 3)
    assert left <= 9, "the two of 8 s later still count"


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
    wait_until(lambda: readiness(stack) == (200, "ready"), 10, 0.1, "ready again")
