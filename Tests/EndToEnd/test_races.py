"""Things that happen at the same moment: one winner, two history rows a call, never a 5xx."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter

import pytest

from support.clock import prolong
from support.races import accept_against_cancel, code_of, rows, together
from support.variants import variant

pytestmark = variant("unlimited")
criterion = pytest.mark.criterion
ROUNDS = 200


@criterion("R1.5", "R2.5")
def test_twenty_calls_to_one_callee(people, pool):
    """Exactly one 201, nineteen 409, one live call, one invitation."""
    for _ in range(4):
        callee = people.person()
        callers = [people.friend_of(callee) for _ in range(20)]
        device = callee.socket()
        responses = together(pool, *(lambda c=c: c.initiate(callee) for c in callers))
        assert Counter(map(code_of, responses)) == {"201": 1, "USER_BUSY": 19}
        (winner,) = [r.json()["data"] for r in responses if r.status_code == 201]
        # It rings until twenty users have been asked, however long that takes.
        prolong(people.stack, winner["callId"])
        live = people.stack.sql(
            "SELECT COUNT(*) AS n FROM calls WHERE callee_id = %s AND status IN "
            "('initiating', 'ringing', 'connecting', 'connected', 'disconnecting')",
            callee.id,
        )
        assert live[0]["n"] == 1
        assert callee.active()["callId"] == winner["callId"]
        free = [caller for caller in callers if caller.active() is None]
        assert len(free) == 19
        callee.reject(winner["callId"])
        bell = people.friend_of(callee).call(callee)
        events = device.until(bell["callId"])
        assert [frame["type"] for frame in events if frame["type"] == "call_invitation"] == [
            "call_invitation"
        ]
        assert callee.history(limit=100)["pagination"]["total"] == 20


@criterion("R1.5")
def test_two_who_call_each_other(people, pool):
    """One of the two calls is made, the other is refused as busy."""
    for _ in range(40):
        ann, bea = people.pair()
        responses = together(pool, lambda: ann.initiate(bea), lambda: bea.initiate(ann))
        assert sorted(map(code_of, responses)) == ["201", "USER_BUSY"]
        assert ann.active()["callId"] == bea.active()["callId"]


@criterion("R1.5")
def test_a_ring_of_three(people, pool):
    """A calls B, B calls C, C calls A: exactly one is made, no deadlock is seen."""
    for _ in range(20):
        trio = [people.person() for _ in range(3)]
        for one, other in ((0, 1), (1, 2), (2, 0)):
            people.befriend(trio[one], trio[other])
        responses = together(
            pool, *(lambda i=i: trio[i].initiate(trio[(i + 1) % 3]) for i in range(3))
        )
        codes = Counter(map(code_of, responses))
        assert codes == {"201": 1, "USER_BUSY": 2}


@criterion("R8.1", "R5.4")
def test_accept_against_cancel(people, pool):
    """200 rounds: the call was either cancelled, or accepted and then ended."""
    caller, callee = people.pair()
    outcomes = Counter()
    for _ in range(ROUNDS):
        call_id, reason = accept_against_cancel(pool, caller, callee)
        details = caller.details(call_id)
        assert (details["status"], details["endReason"]) == ("ended", reason)
        assert rows(people, call_id) == 2
        outcomes[reason] += 1
        assert caller.active() is None and callee.active() is None
    statistics = caller.statistics()["callsByStatus"]
    assert statistics["completed"] == outcomes["hangup"]
    assert statistics["missed"] == outcomes["cancelled"]


@criterion("R8.1", "R2.2")
def test_accept_against_accept(people, pool):
    """200 rounds of two devices: one of them gets the call, the other is told so."""
    caller, callee = people.pair()
    for _ in range(ROUNDS):
        call_id = caller.call(callee)["callId"]
        responses = together(
            pool,
            *(
                lambda d=device, c=call_id: callee.post(f"/calls/{c}/accept", {"deviceId": d})
                for device in ("phone", "tablet")
            ),
        )
        assert sorted(map(code_of, responses)) == ["200", "CALL_ALREADY_ACCEPTED"]
        assert caller.end(call_id)["endReason"] == "hangup"
        assert rows(people, call_id) == 2


@criterion("R8.1", "R2.3")
def test_accept_against_reject(people, pool):
    """One of the two answers stands."""
    caller, callee = people.pair()
    for _ in range(60):
        call_id = caller.call(callee)["callId"]
        accepted, rejected = together(
            pool,
            lambda c=call_id: callee.post(f"/calls/{c}/accept", {}),
            lambda c=call_id: callee.post(f"/calls/{c}/reject", {}),
        )
        codes = (code_of(accepted), code_of(rejected))
        assert codes in (("200", "CALL_ALREADY_ACCEPTED"), ("CALL_ALREADY_ENDED", "200"))
        status = caller.details(call_id)["status"]
        assert status == ("connecting" if codes[0] == "200" else "rejected")
        caller.end(call_id)
        assert rows(people, call_id) == 2


@criterion("R8.1", "R5.4")
def test_end_against_end(people, pool):
    """Both participants hang up: both are told the same, and there are two rows."""
    caller, callee = people.pair()
    for _ in range(60):
        call_id = caller.call(callee)["callId"]
        callee.accept(call_id)
        one, two = together(pool, lambda c=call_id: caller.end(c), lambda c=call_id: callee.end(c))
        assert one == two
        assert rows(people, call_id) == 2
    assert caller.statistics()["totalCalls"] == 60


@criterion("R8.1")
def test_connected_by_both(people, pool):
    """Both clients report `connected` at the same moment: 200 for both, one start."""
    for _ in range(20):
        caller, callee, call = people.connecting()
        responses = together(
            pool,
            *(lambda p=p, c=call: p.set_status(c["callId"], "connected") for p in (caller, callee)),
        )
        assert [code_of(response) for response in responses] == ["200", "200"]
        assert caller.details(call["callId"])["status"] == "connected"


def test_one_idempotency_key_many_times(people, pool):
    """The same request ten times at once: one 201, the others replay it; one call."""
    for _ in range(8):
        caller, callee = people.pair()
        key = uuid.uuid4().hex
        responses = together(
            pool, *(lambda a=caller, b=callee, k=key: a.initiate(b, "audio", k) for _ in range(10))
        )
        assert Counter(map(code_of, responses)) == {"201": 1, "200": 9}
        assert len({response.json()["data"]["callId"] for response in responses}) == 1


def test_delete_against_delete(people, pool):
    """One entry is deleted once: one 200, and 404 for the others; the total follows."""
    caller, callee = people.pair()
    for _ in range(15):
        call_id = caller.call(callee)["callId"]
        caller.end(call_id)
        responses = together(
            pool, *(lambda c=call_id: caller.delete(f"/calls/history/{c}") for _ in range(6))
        )
        assert Counter(map(code_of, responses)) == {"200": 1, "RESOURCE_NOT_FOUND": 5}
    assert caller.history()["pagination"]["total"] == 0
    assert callee.history()["pagination"]["total"] == 15


@criterion("R5.5", "R7.1")
def test_samples_against_the_end(people, pool):
    """Samples that come with the end are taken or refused; the averages are of those taken."""
    for _ in range(25):
        caller, callee, call = people.connected()
        call_id = call["callId"]
        *reports, ended = together(
            pool,
            *(
                lambda p=p, c=call_id: p.report(c, "good", roundTripTime=100)
                for p in (caller, callee, caller, callee)
            ),
            lambda c=call_id, p=caller: p.post(f"/calls/{c}/end", {}),
        )
        assert code_of(ended) == "200"
        codes = Counter(map(code_of, reports))
        assert set(codes) <= {"200", "NO_ACTIVE_CALL"}
        quality = caller.details(call_id)["quality"]
        assert quality["samples"] == codes["200"]
        assert quality["averageRoundTripTime"] == (100 if codes["200"] else None)


@criterion("R8.1")
def test_socket_against_rest(people, pool):
    """An accept over a socket and one over REST, from two devices."""
    caller, callee = people.pair()
    socket = callee.socket(device="desk")
    for number in range(30):
        call_id = caller.call(callee)["callId"]
        result, response = together(
            pool,
            lambda c=call_id, n=number: socket.command("call.accept", f"r{n}", callId=c),
            lambda c=call_id: callee.post(f"/calls/{c}/accept", {"deviceId": "phone"}),
        )
        assert sorted([result["status"], response.status_code]) == [200, 409]
        caller.end(call_id)
        assert rows(people, call_id) == 2
        time.sleep(0.06)  # stays below a connection's frames a second


@criterion("R1.5", "R8.1")
def test_a_crowd(people, pool):
    """Twelve users who call, answer and hang up at random: no 5xx, never two calls for one."""
    crowd = [people.person() for _ in range(12)]
    for index, one in enumerate(crowd):
        for other in crowd[index + 1 :]:
            people.befriend(one, other)
    began, codes, lock = time.monotonic(), Counter(), threading.Lock()

    def is_over() -> bool:
        """Six seconds, and until there has been enough, for which a busy machine takes longer."""
        took = time.monotonic() - began
        return took > 6 and (took > 90 or min(codes["201"], codes["200"]) > 40)

    def live(seed: int) -> None:
        chance = random.Random(seed)
        me = crowd[seed]
        while not is_over():
            active = me.active()
            if active is None:
                response = me.initiate(chance.choice([p for p in crowd if p is not me]))
            else:
                action = chance.choice(["accept", "reject", "end", "end"])
                response = me.post(f"/calls/{active['callId']}/{action}", {})
            with lock:
                codes[code_of(response)] += 1

    for future in [pool.submit(live, seed) for seed in range(12)]:
        future.result()
    assert codes["201"] > 20 and codes["200"] > 20, codes
    allowed = {"201", "200", "USER_BUSY", "UNAUTHORIZED_ACCESS", "CALL_ALREADY_ENDED"}
    assert set(codes) <= allowed | {"CALL_ALREADY_ACCEPTED", "CALL_TIMEOUT"}, codes
    marks = ", ".join(["%s"] * len(crowd))
    ids = [person.id for person in crowd]
    live_calls = people.stack.sql(
        f"SELECT caller_id, callee_id FROM calls WHERE caller_id IN ({marks}) AND status IN "
        "('initiating', 'ringing', 'connecting', 'connected', 'disconnecting')",
        *ids,
    )
    busy = [row[name] for row in live_calls for name in ("caller_id", "callee_id")]
    assert len(busy) == len(set(busy))
    doubled = people.stack.sql(
        f"SELECT call_id, COUNT(*) AS n FROM call_history WHERE user_id IN ({marks}) "
        "GROUP BY call_id HAVING n <> 2",
        *ids,
    )
    assert doubled == []
