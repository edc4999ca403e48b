"""A request that each rate limit counts, and the refusal by one (contract §7.7, §11.4)."""

from __future__ import annotations

import functools
import time

from support import expect
from support.pauses import Pauses

WINDOW_SECONDS = 60
# What a worker waits for Redis; then it counts by itself for a second.
REDIS_SECONDS = 0.5


def within_a_window(test):
    """Other users begin anew where the first requests had left their window before the last one came, as a busy machine
    takes long, and where workers counted apart, as none hears of Redis on a machine that stands still."""

    @functools.wraps(test)
    def run(*arguments, **named):
        for is_last in (False, False, True):
            started = time.monotonic()
            with Pauses() as pauses:
                try:
                    return test(*arguments, **named)
                except AssertionError:
                    is_whole = time.monotonic() - started < WINDOW_SECONDS
                    if is_last or (is_whole and pauses.longest < REDIS_SECONDS / 2):
                        raise

    return run


def generate(person):
    return person.post("/agora/token/generate", {"channelId": "not a channel of mine"})


def refresh(person):
    return person.post("/agora/token/refresh", {"channelId": "x", "oldToken": "007"})


def initiate(person):
    return person.initiate("nobody-at-all", "audio")


def history(person):
    return person.get("/calls/history")


def report(person):
    return person.report("no-call-at-all")


def ticket(person):
    return person.post("/signaling/ticket")


def active(person):
    return person.get("/calls/active")


def refused_by_limit(response, limit: int) -> int:
    """Checks a 429 and gives its Retry-After."""
    error = expect.refused(response, 429, "RATE_LIMIT_EXCEEDED")
    assert response.headers["Retry-After"].isdigit(), "whole seconds"
    retry = int(response.headers["Retry-After"])
    assert error["details"] == {"retryAfterSeconds": retry}
    assert 1 <= retry <= 60
    assert response.headers["RateLimit-Limit"].split(",")[0].strip() == str(limit)
    assert response.headers["RateLimit-Remaining"] == "0"
    assert 0 <= int(response.headers["RateLimit-Reset"]) <= 60
    return retry
