"""What becomes of a ticket (contract §6.1, §7.8)."""

from __future__ import annotations

import time

import pytest

from support.handshakes import not_admitted, ticket
from support.sockets import Socket
from support.stack import wait_until
from support.wire import WAYS, Wire

criterion = pytest.mark.criterion


def key_of(people, text: str) -> bytes:
    """The one key in Redis that is this ticket's."""
    # SCAN may give a key twice.
    (key,) = {
        key
        for key in people.stack.redis.scan_iter(match="*ticket*", count=1000, _type="string")
        if text.encode() in key or text.encode() in (people.stack.redis.get(key) or b"")
    }
    return key


@criterion("C6.1", "R9.1")
def test_a_ticket_runs_out(people, stack):
    """It lives for 30 s and opens nothing afterwards."""
    started = time.monotonic()
    text = ticket(people.person())
    key = key_of(people, text)
    left = stack.redis.pttl(key)
    assert 30_000 >= left > 29_000 - (time.monotonic() - started) * 1000
    stack.redis.pexpire(key, 1)  # as if they had gone by
    wait_until(lambda: not stack.redis.exists(key))
    not_admitted(stack, 401, "AUTHENTICATION_FAILED", query={"ticket": text})


@criterion("C6.1")
def test_a_refused_handshake_leaves_the_ticket(people, stack):
    """What fails before the ticket is looked at does not use it up."""
    text = ticket(people.person())
    query = {"ticket": text}
    not_admitted(stack, 403, "ORIGIN_NOT_ALLOWED", query=query, origin="https://evil.example")
    not_admitted(stack, 400, "VALIDATION_ERROR", query=query | {"lastEventId": "x"})
    assert Socket(stack, query=query).heartbeat()


@criterion("C6.1", "C6.4")
@pytest.mark.parametrize("way", WAYS)
def test_who_is_cut_needs_another_ticket(people, stack, way):
    """A ticket whose connection broke has been used; a new one resumes where the first one was."""
    caller, callee, call = people.connected()
    query = {"ticket": ticket(callee)}
    first = Socket(stack, query=query)
    last = first.greeting["lastEventId"]
    first.close()
    broken = Wire(stack, "", ticket=ticket(callee), lastEventId=last)
    broken.accepted()
    broken.cut(way)
    caller.end(call["callId"])
    not_admitted(stack, 401, "AUTHENTICATION_FAILED", query=query)
    again = Socket(stack, query={"ticket": ticket(callee), "lastEventId": last})
    assert again.take("call_ended")["id"] == str(int(last) + 1)
    broken.close()
