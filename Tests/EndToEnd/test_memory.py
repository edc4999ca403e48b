"""Resident memory of the programs under many requests: flat (design §7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect
from support.raw import dial
from support.silence import upgraded_and_silent
from support.stack import DATABASE, resident_bytes, wait_until
from support.variants import variant

pytestmark = variant("unlimited")
KIB = 1024


def round_of_requests(caller, callee) -> None:
    """A call from its beginning to its end, with reads and refusals in between."""
    call_id = caller.call(callee)["callId"]
    callee.accept(call_id)
    expect.succeeded(caller.set_status(call_id, "connected"))
    expect.succeeded(caller.report(call_id, "poor", packetLossRate=0.1, roundTripTime=100))
    channel = caller.active()["channelId"]
    expect.succeeded(caller.post("/agora/token/generate", {"channelId": channel}))
    caller.end(call_id)
    caller.history()
    caller.statistics()
    caller.get("/nothing/" + "x" * 500)
    caller.post("/calls/initiate", {"calleeId": "x" * 5000})


def measured(people, rounds: int) -> tuple[int, int]:
    """Resident bytes of the largest worker after a warm-up, and after that many rounds more.

    Which worker takes a request is chance, and its first ones add what it keeps for good: hence
    the largest one, and several clients at once in the warm-up.
    """
    pairs = [people.pair() for _ in range(4)]

    def play(count: int) -> int:
        with ThreadPoolExecutor(len(pairs)) as pool:
            list(pool.map(lambda pair: [round_of_requests(*pair) for _ in range(count)], pairs))
        return max(resident_bytes(pid) for pid in people.stack.workers())

    before, pids = play(25), people.stack.workers()
    after = play(rounds // len(pairs))
    assert people.stack.workers() == pids, "a worker was replaced"
    return before, after


@pytest.mark.timeout(300)
def test_workers_stay_flat(people):
    """A few thousand requests add next to nothing to a worker, and leave it at 13 MB at the most (how much of its file
    is resident differs a little from copy to copy); for the login of MySQL's account the client library loads a
    plugin."""
    before, after = measured(people, 160)
    assert after - before < 512 * KIB, (before, after)
    assert after < (13 if DATABASE == "mariadb" else 14) * KIB * KIB


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_workers_stay_flat_for_long(people):
    """The same for a soak (`pytest -m slow`)."""
    before, after = measured(people, 8000)
    assert after - before < 512 * KIB, (before, after)


@pytest.mark.timeout(300)
def test_sidecar_forgets_connections(people):
    """Hundreds of connections that come and go leave nothing behind."""
    person = people.person()
    pid = people.stack.pid("SIGNALING")

    def come_and_go(count: int) -> None:
        for _ in range(count):
            socket = person.socket()
            socket.heartbeat()
            socket.close()

    come_and_go(100)
    before = resident_bytes(pid)
    come_and_go(300)
    wait_until(lambda: resident_bytes(pid) - before < 512 * KIB, 10, 0.2, "flat memory")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_server_pings_and_drops_the_silent(people):
    """§6.4: a ping every 25 s; a connection that is silent for 75 s is dropped."""
    person = people.person()
    with dial(people.stack) as connection:
        pings, seconds = upgraded_and_silent(people.stack, connection, person.token)
    assert pings >= 2
    assert 70 <= seconds <= 110
