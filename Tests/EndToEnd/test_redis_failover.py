"""Two servers in REDIS_URL, of which the second is the first one's replica and takes its place (contract 7.14)."""

from __future__ import annotations

import pytest
import redis

from support import expect
from support.outages import readiness, stopped
from support.pauses import Pauses
from support.people import send
from support.sockets import Socket
from support.stack import wait_until
from support.variants import variant

pytestmark = variant("replicated")


@pytest.fixture
def replica(stack):
    replica = stack.replica
    wait_until(replica.follows, 60, 0.1, "a replica that follows")
    yield replica
    replica.give_back()
    wait_until(replica.follows, 60, 0.1)


def ticket(person):
    """A ticket; None where Redis is away, which is said as it is to be."""
    response = person.post("/signaling/ticket")
    if response.status_code == 503:
        expect.refused(response, 503, "SERVICE_UNAVAILABLE")
        assert int(response.headers["Retry-After"]) >= 1
        return None
    return expect.succeeded(response)["ticket"]


def test_a_replica_takes_over(people, stack, replica):
    """Each process notices it by a refusal (READONLY) and uses the other one: tickets, and hints of events."""
    caller, callee = people.pair()
    device = callee.socket()
    assert ticket(callee)
    replica.take_over()
    with Pauses() as pauses:
        tickets = [ticket(callee) for _ in range(40)]
        lost = pauses.seconds
    # Each worker may meet the one that has become a replica once, and ask in vain where the machine stands still.
    assert tickets.count(None) <= int(stack.given["WORKERS"]) + lost / 0.25
    wait_until(lambda: readiness(stack) == (200, "ready"), 30, 0.1)
    side = stack["OPS_URL"].rstrip("/") + "/signaling/readyz"
    wait_until(lambda: send(stack, "GET", side).json()["status"] == "ready", 30, 0.1)
    issued = wait_until(lambda: ticket(callee), 30)
    Socket(stack, query={"ticket": issued}).close()

    wait_until(lambda: hint_is_heard(replica, caller, callee), 60, 0.1, "a hint for the sidecar")
    device.take("call_invitation")


def hint_is_heard(replica, caller, callee) -> bool:
    """Whether the hint of a new call reaches the server at which the sidecar listens; what a replica is told to
    publish goes no further, and a master's reaches both."""
    channel = f"chattrix:user:{callee.id}"
    for port in (replica.port, replica.master):
        if int(replica.command("PUBSUB", "NUMSUB", channel, port=port)[-1]) > 0:
            break
    else:
        return False
    with redis.Redis(host="127.0.0.1", port=port) as client, client.pubsub() as heard:
        heard.subscribe(channel)
        assert heard.get_message(timeout=30)["type"] == "subscribe"
        call_id = caller.call(callee)["callId"]
        message = heard.get_message(timeout=5)
        caller.end(call_id)
    return message is not None


def test_the_first_server_is_away(people, stack, replica):
    """A master that dies, and its replica in its place: rate limits and tickets go on there."""
    _, callee = people.pair()
    replica.command("REPLICAOF", "NO", "ONE")
    with stopped(stack, "REDIS"):
        # Until every worker has turned to it.
        wait_until(
            lambda: all(ticket(callee) for _ in range(20)), 30, 0.05, "tickets of the second server"
        )
        wait_until(lambda: readiness(stack) == (200, "ready"), 30, 0.1)
