"""What /metrics and /signaling/metrics say (contract §1, "Operations"): names by Prometheus' rules, and figures
that follow what happens."""

from __future__ import annotations

import contextlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest

from support import expect
from support.hosts import without
from support.metrics import (
    HOST,
    PATHS,
    SIGNALING,
    UP,
    Reading,
    needs_promtool,
    page_text,
    promtool,
    whole_page,
)
from support.outages import POOL, at_leisure, halted
from support.pauses import Pauses
from support.people import send
from support.stack import wait_until
from support.variants import variant

REQUESTS = "chattrix_requests_total"
DURATION = "chattrix_request_duration_seconds_count"


@needs_promtool
@pytest.mark.parametrize("path", PATHS)
def test_pages_are_as_prometheus_wants_them(people, path):
    """`promtool check metrics` has nothing to say about names, types and help."""
    caller, _, call = people.connected()
    caller.end(call["callId"])
    text = whole_page(people.stack) if path == HOST else page_text(people.stack, path)
    promtool("check", "metrics", text=text)


def test_one_page_has_the_whole_host(people):
    """Contract 1: /metrics has the WebSocket server's families as well, each family once and in one piece."""
    people.person().socket()
    text = whole_page(people.stack)
    heads = re.findall(r"^# (HELP|TYPE) (\w+) ", text, re.M)
    assert heads and len(heads) == len(set(heads))
    current, series = "", []
    for line in text.splitlines():
        if line.startswith("#"):
            current = line.split()[2]
        else:
            name = re.match(r"\w+", line)[0]
            assert re.fullmatch(rf"{current}(_bucket|_sum|_count)?", name), (current, line)
            series.append(line.rpartition(" ")[0])
    assert len(series) == len(set(series))
    theirs = re.findall(r"^# TYPE (.+)$", page_text(people.stack, SIGNALING), re.M)
    assert theirs and set(theirs) <= set(re.findall(r"^# TYPE (.+)$", text, re.M))
    programs = {labels.get("program") for _, labels, _ in Reading(people.stack).samples}
    assert {"supervisor", "worker", "webhooks", "signaling"} <= programs


def test_requests_by_route_and_status(people):
    """Each request counts once under its route and class of status, and in the route's histogram."""
    person = people.person()
    active = {"program": "worker", "method": "GET", "route": "/api/v1/calls/active"}
    before = Reading(people.stack)
    for _ in range(3):
        person.active()
    expect.refused(send(people.stack, "GET", "/calls/active"), 401, "AUTHENTICATION_FAILED")
    expect.refused(person.get("/nothing"), 404, "RESOURCE_NOT_FOUND")
    after = wait_until(lambda: consistent(people.stack), message="as many durations as requests")

    def rise(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    assert rise(REQUESTS, status="2xx", **active) >= 3
    assert rise(REQUESTS, status="4xx", **active) >= 1
    assert rise(DURATION, **active) >= 4
    assert rise(REQUESTS, status="4xx", route="-") >= 1
    buckets = after.value("chattrix_request_duration_seconds_bucket", le="+Inf", program="worker")
    assert buckets == after.value(DURATION, program="worker") > 0


def consistent(stack) -> Reading | None:
    """A page on which both have counted the same requests: they are read one after the other, and requests of other
    tests may end in between."""
    reading = Reading(stack)
    counts = {reading.value(name, program="worker") for name in (DURATION, REQUESTS)}
    return reading if len(counts) == 1 else None


def test_calls_by_status_and_end_reason(people):
    """A call is counted by the program that changes it: here the workers, and the WebSocket server."""
    before = Reading(people.stack)
    caller, callee, call = people.connected()
    caller.end(call["callId"])
    caller, callee, call = people.ringing()
    result = caller.socket().command("call.end", callId=call["callId"])
    assert result["status"] == 200
    _, callee, call = people.ringing()
    callee.reject(call["callId"])
    after = Reading(people.stack)

    def rise(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    for status, least in {"initiating": 3, "connecting": 1, "connected": 1, "rejected": 1}.items():
        assert rise("chattrix_call_changes_total", status=status) >= least, status
    ended = "chattrix_calls_ended_total"
    assert rise(ended, reason="hangup", program="worker") >= 1
    assert rise(ended, reason="cancelled", program="signaling") >= 1
    assert rise(ended, reason="declined") >= 1
    assert rise("chattrix_call_ring_seconds_count") >= 1
    assert rise("chattrix_call_setup_seconds_count") >= 1
    assert rise(REQUESTS, program="signaling", route="/api/v1/calls/{callId}/end") >= 1


def test_events_have_an_age(people):
    """An event that is sent to a user who was connected before it counts by its age; a replay does not."""
    callee = people.person()
    listening = callee.socket()
    name = "chattrix_signaling_event_age_seconds"
    before = Reading(people.stack, SIGNALING)

    def a_call() -> bool:
        # The connection's own age is known to a quarter of a second. A limit binds each caller.
        caller = people.friend_of(callee)
        call = caller.call(callee)
        listening.take("call_invitation", callId=call["callId"])
        caller.end(call["callId"])
        now = Reading(people.stack, SIGNALING)
        return now.value(f"{name}_count") > before.value(f"{name}_count")

    wait_until(a_call, interval=0.3, message="an event's age")
    for queue in ("readers", "writers", "presence"):
        labels = [having for found, having, _ in before.samples if found.endswith("queue_length")]
        assert {"queue": queue} in labels


@pytest.mark.parametrize("name", ["chattrix_accept_queue_length", "chattrix_worker_starts_total"])
def test_the_pool(stack, name):
    """The pool's state is there, whatever it is."""
    reading = Reading(stack, HOST)
    assert name in reading.names
    wanted, running, busy, idle = (
        reading.value("chattrix_workers", state=state)
        for state in ("wanted", "running", "busy", "idle")
    )
    assert running == busy + idle >= wanted > 0


class TestFailures:
    """Of the stores; the stack is one that may be disturbed."""

    pytestmark = variant("fragile")

    def test_a_worker_that_waits_is_busy(self, people):
        """One whose request waits for a lock."""
        person = people.person()
        with people.stack.connect() as connection, connection.cursor() as cursor:
            call = person.call(people.friend_of(person))
            connection.begin()
            cursor.execute("SELECT * FROM user_lines WHERE user_id = %s FOR UPDATE", [person.id])
            thread = threading.Thread(target=person.end, args=(call["callId"],))
            thread.start()
            try:
                wait_until(
                    lambda: Reading(people.stack, HOST).value("chattrix_workers", state="busy") >= 1
                )
            finally:
                connection.rollback()
                thread.join()

    def test_lost_connections_are_counted(self, people):
        """Those to MySQL and to Redis, when they are made again."""
        names = ["chattrix_mysql_reconnections_total", "chattrix_redis_reconnections_total"]
        before = Reading(people.stack)
        person = people.person()

        def are_counted() -> bool:
            # Anew each time: a program that has just begun has no connection yet that could be lost.
            person.active()
            for row in people.stack.sql("SHOW PROCESSLIST"):
                if row["Command"] == "Sleep":
                    with contextlib.suppress(pymysql.err.OperationalError):  # it has just ended
                        people.stack.sql(f"KILL {row['Id']}")
            people.stack.redis.execute_command(
                *("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            )
            after = Reading(people.stack)
            return all(after.value(name) > before.value(name) for name in names)

        wait_until(are_counted, 60, 1, "reconnections")


class TestWithoutTheWebSocketServer:
    """The host's page while that server does not answer: at once the rest of it, and `chattrix_signaling_up 0`."""

    pytestmark = variant("fragile")

    def rest(self, stack) -> None:
        """The page as it has to be then."""
        reading = Reading(stack, HOST)
        assert [value for name, _, value in reading.samples if name == UP] == [0]
        assert reading.value("chattrix_workers", state="running") > 0
        assert not [name for name in reading.names if name.startswith("chattrix_signaling_c")]

    def quickly(self, stack) -> None:
        with Pauses() as pauses:
            self.rest(stack)
            took = pauses.took
        assert took < at_leisure(2), took

    def test_it_is_away(self, people):
        with without(people.stack, "SIGNALING"):
            self.quickly(people.stack)
        whole_page(people.stack)

    def test_it_hangs(self, people):
        """Scrapers by the dozen do not take the pool: requests of the API go on."""
        person = people.person()
        with halted(people.stack.pid("SIGNALING")), ThreadPoolExecutor(3 * POOL) as scrapers:
            self.quickly(people.stack)
            pages = [scrapers.submit(self.rest, people.stack) for _ in range(6 * POOL)]
            for _ in range(2 * POOL):
                assert person.active() is None
            for page in pages:
                page.result()
        whole_page(people.stack)


class TestWebhooks:
    pytestmark = variant("webhooks")

    @needs_promtool
    @pytest.mark.parametrize("path", PATHS)
    def test_pages_with_webhooks(self, stack, path):
        """The same where webhooks are sent."""
        wait_until(lambda: "chattrix_webhooks_pending" in page_text(stack, HOST))
        promtool(
            "check", "metrics", text=whole_page(stack) if path == HOST else page_text(stack, path)
        )
