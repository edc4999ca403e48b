"""A database and a Redis that answer and take no writes, as after a fail-over (contract, 7.14)."""

from __future__ import annotations

import contextlib

import pytest

from support import expect
from support.clock import prolong
from support.people import send
from support.stack import wait_until
from support.variants import variant

pytestmark = [*variant("fragile"), pytest.mark.usefixtures("whole_stack")]


@contextlib.contextmanager
def read_only(stack):
    stack.administrate("SET GLOBAL read_only = 1")
    try:
        yield
    finally:
        stack.administrate("SET GLOBAL read_only = 0")


def ready(stack, path: str) -> tuple[int, dict]:
    response = send(stack, "GET", stack["OPS_URL"].rstrip("/") + path)
    return response.status_code, response.json()


def connections_made(stack) -> int:
    """Since the server's start."""
    return int(stack.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0]["Value"])


def expect_away(response) -> None:
    expect.refused(response, 503, "SERVICE_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) >= 1


def test_a_read_only_database_is_away(people, stack):
    caller, callee, call = people.ringing()
    other, another, over = people.ended()
    call_id = call["callId"]
    prolong(stack, call_id)
    socket = callee.socket()
    with read_only(stack):
        expect_away(other.initiate(another))
        expect_away(callee.post(f"/calls/{call_id}/accept"))
        expect_away(callee.post(f"/calls/{call_id}/reject"))
        expect_away(caller.post(f"/calls/{call_id}/end"))
        expect_away(other.delete(f"/calls/history/{over['callId']}"))
        expect_away(caller.post("/agora/token/generate", {"channelId": call["channelId"]}))
        result = socket.command("call.accept", callId=call_id)
        assert result["status"] == 503, result
        assert result["body"]["error"]["code"] == "SERVICE_UNAVAILABLE"
        status, body = ready(stack, "/readyz")
        assert (status, body["status"]) == (503, "unavailable")
        wait_until(lambda: ready(stack, "/signaling/readyz")[0] == 503, 30, 0.1)
        # What only reads goes on.
        assert other.history()["pagination"]["total"] == 1
        assert caller.active()["callId"] == call_id
    wait_until(lambda: ready(stack, "/readyz")[1] == {"status": "ready"}, 30, 0.1)
    wait_until(lambda: ready(stack, "/signaling/readyz")[0] == 200, 30, 0.1)
    callee.accept(call_id)
    caller.end(call_id)
    assert other.delete(f"/calls/history/{over['callId']}").status_code == 200


def test_the_next_attempt_is_a_new_connection(people, stack):
    """Behind one name that may be the server that took over."""
    caller, callee = people.pair()
    with read_only(stack):
        before = connections_made(stack)
        for _ in range(40):
            expect_away(caller.initiate(callee))
        assert connections_made(stack) - before >= 40
    assert caller.initiate(callee).status_code == 201


@pytest.mark.parametrize(
    "change,undo",
    [
        (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    ],
    ids=["a replica", "out of memory"],
)
def test_a_redis_that_takes_no_writes_is_away(people, stack, change, undo):
    caller, callee = people.pair()
    stack.redis.execute_command(*change)
    try:
        wait_until(lambda: ready(stack, "/signaling/readyz")[1]["status"] == "degraded", 30, 0.1)
        status, body = ready(stack, "/readyz")
        assert (status, body["status"]) == (200, "degraded")
        expect_away(caller.post("/signaling/ticket"))
        # Calls go on without it.
        call_id = caller.call(callee)["callId"]
        callee.accept(call_id)
        caller.end(call_id)
    finally:
        stack.redis.execute_command(*undo)
    wait_until(lambda: ready(stack, "/readyz")[1]["status"] == "ready", 30, 0.1)
    wait_until(lambda: ready(stack, "/signaling/readyz")[1]["status"] == "ready", 30, 0.1)
    # Another worker than the one that was ready may have to meet it again.
    wait_until(lambda: caller.post("/signaling/ticket").status_code == 200, 30, 0.1)
