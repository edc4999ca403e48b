"""Two hosts over one MySQL and one Redis (design §2): whoever asks which, it is one service.

Each is a whole stack in a network namespace of its own, and reaches the data over the network.
"""

from __future__ import annotations

import itertools
import random
import time
import uuid
from collections import Counter

import pytest
from websockets.exceptions import InvalidStatus

from support import expect, hints
from support.clock import shift, stored
from support.hosts import Device, at
from support.outages import halted
from support.people import People
from support.races import code_of, rows, together
from support.rate_limits import within_a_window
from support.sockets import Socket
from support.stack import wait_until

pytestmark = pytest.mark.xdist_group("hosts")
criterion = pytest.mark.criterion
ROUNDS = 25


@pytest.fixture(params=["a to b", "b to a"])
def direction(request, hosts):
    """The caller's host and the callee's."""
    return hosts.both if request.param == "a to b" else hosts.both[::-1]


@pytest.fixture
def pair(hosts_people, direction):
    """A caller on one host and a callee on the other, who are contacts."""
    caller, callee = hosts_people.pair()
    return at(direction[0], caller), at(direction[1], callee)


def listeners(hosts, person) -> int:
    """How many servers hear of it when the user has something new."""
    return int(hosts.redis("PUBSUB", "NUMSUB", f"chattrix:user:{person.id}")[-1])


# Calls.


@criterion("R1.3", "R2.1", "R2.2", "R5.3", "R5.4", "R11.1", "R11.2", "R11.4")
def test_a_call(pair):
    """From ringing to both histories: every step is told on the other host."""
    caller, callee = pair
    mine, theirs = Device(caller), Device(callee, "phone")
    call = caller.call(callee)
    call_id = call["callId"]
    invitation = theirs.socket.take("call_invitation", callId=call_id)["data"]
    assert (invitation["callerId"], invitation["channelId"]) == (caller.id, call["channelId"])
    mine.socket.take("call_ringing", callId=call_id)
    assert callee.active()["status"] == "ringing"
    callee.accept(call_id, deviceId="phone")
    mine.socket.take("call_accepted", acceptedBy=callee.id)
    expect.succeeded(caller.set_status(call_id, "connected"))
    theirs.socket.take("call_status_updated", status="connected")
    expect.succeeded(caller.report(call_id, "bad"))
    theirs.socket.take("call_quality_warning", networkQuality="bad")
    callee.end(call_id)
    ended = mine.socket.take("call_ended", endedBy=callee.id)["data"]
    assert mine.types == ["call_ringing", "call_accepted", "call_ended"]
    for person, direction in ((caller, "outgoing"), (callee, "incoming")):
        (entry,) = person.history()["calls"]
        assert (entry["callId"], entry["direction"]) == (call_id, direction)
        assert (entry["status"], entry["endReason"]) == ("completed", "hangup")
        assert entry["durationSeconds"] == ended["durationSeconds"]
        assert person.active() is None


@criterion("R3.1", "R3.2", "R4.2")
def test_tokens(pair, hosts):
    """One uid on both hosts, and each refreshes what the other issued."""
    caller, callee = pair
    call = caller.call(callee)
    callee.accept(call["callId"])
    channel = {"channelId": call["channelId"]}
    issued = expect.succeeded(caller.post("/agora/token/generate", channel))
    there = at(callee.stack, caller)
    renewed = expect.succeeded(
        there.post("/agora/token/refresh", channel | {"oldToken": issued["token"]})
    )
    assert (renewed["uid"], renewed["role"]) == (issued["uid"], issued["role"])


@criterion("R1.3", "R11.1")
def test_invitations_cross_promptly(hosts_people, hosts):
    """Both sidecars listen to the one Redis, and an invitation does not wait for the poll."""

    directions = itertools.cycle((hosts.both, hosts.both[::-1]))

    def sample() -> float:
        here, there = next(directions)
        caller, callee = hosts_people.pair()
        return hints.delay(
            at(here, caller), at(there, callee), lambda: listeners(hosts, callee) == 1
        )

    wait_until(lambda: hints.are_prompt(sample), 90, 0.5, "prompt invitations")


@criterion("R11.1")
def test_hints_go_only_to_hosts_that_hold_the_user(hosts_people, hosts):
    """To none before the first socket and after the last, to each host once, however many devices it holds."""
    person = hosts_people.person()
    there = at(hosts.b, person)
    assert listeners(hosts, person) == 0
    sockets = [person.socket(), person.socket()]
    wait_until(lambda: listeners(hosts, person) == 1)
    sockets.append(there.socket())
    wait_until(lambda: listeners(hosts, person) == 2)
    sockets[0].close()
    sockets[2].close()
    wait_until(lambda: listeners(hosts, person) == 1)
    sockets[1].close()
    wait_until(lambda: listeners(hosts, person) == 0)


@criterion("R2.1", "R2.2", "R11.1")
@pytest.mark.parametrize("by", ["rest", "socket"])
def test_a_device_on_each_host(pair, hosts, by):
    """Both ring, one answers, the other one is told."""
    caller, callee = pair
    near, far = Device(at(caller.stack, callee), "desk"), Device(callee, "phone")
    call_id = caller.call(callee)["callId"]
    for device in (near, far):
        device.socket.take("call_invitation", callId=call_id)
    if by == "rest":
        callee.accept(call_id, deviceId="phone")
    else:
        assert far.socket.command("call.accept", callId=call_id)["status"] == 200
    near.socket.take("call_answered_elsewhere", callId=call_id, outcome="accepted")
    late = at(caller.stack, callee).post(f"/calls/{call_id}/accept", {"deviceId": "desk"})
    expect.refused(late, 409, "CALL_ALREADY_ACCEPTED")
    caller.end(call_id)
    for device in (near, far):
        device.socket.take("call_ended")
    assert near.types == ["call_invitation", "call_answered_elsewhere", "call_ended"]
    assert far.types == ["call_invitation", "call_ended"]


# What the hosts share.


@criterion("R9.1")
def test_a_ticket(hosts_people, direction):
    """Issued on one host it opens one socket on the other, and none anywhere after that."""
    here, there = direction
    person = at(here, hosts_people.person())
    ticket = expect.succeeded(person.post("/signaling/ticket", {}))["ticket"]
    assert Socket(there, query={"ticket": ticket}).greeting["userId"] == person.id
    for host in (there, here):
        with pytest.raises(InvalidStatus) as refusal:
            Socket(host, query={"ticket": ticket})
        assert refusal.value.response.status_code == 401


def test_one_idempotency_key(hosts_people, hosts, pool):
    """Ten requests split over both hosts make one call."""
    for _ in range(5):
        caller, callee = hosts_people.pair()
        device = callee.socket()
        key = uuid.uuid4().hex
        responses = together(
            pool,
            *(
                lambda c=at(h, caller), k=key: c.initiate(callee, "audio", k)
                for h in hosts.both * 5
            ),
        )
        assert Counter(map(code_of, responses)) == {"201": 1, "200": 9}
        (call_id,) = {response.json()["data"]["callId"] for response in responses}
        assert hosts.count("calls WHERE caller_id = %s", caller.id) == 1
        caller.end(call_id)
        device.take("call_ended")
        assert device.types == ["call_invitation", "call_ended"]


@criterion("R1.5", "R2.5")
def test_a_user_is_in_one_call(hosts_people, hosts, pool):
    """Calls to one callee from both hosts at once: one is made, nine find the callee busy."""
    callee = hosts_people.person()
    callers = [at(host, hosts_people.friend_of(callee)) for host in hosts.both * 5]
    responses = together(pool, *(lambda c=c: c.initiate(callee) for c in callers))
    assert Counter(map(code_of, responses)) == {"201": 1, "USER_BUSY": 9}
    assert at(hosts.b, callee).active() == callee.active()


@criterion("R10.1", "R10.4", "R10.5")
@within_a_window
def test_a_rate_limit(hosts_people, hosts):
    """Ten a minute are ten on both hosts together."""
    caller, _, call = hosts_people.connecting()
    body = {"channelId": call["channelId"]}
    left = []
    for host in hosts.both * 5:
        response = at(host, caller).post("/agora/token/generate", body)
        expect.succeeded(response)
        left.append(int(response.headers["RateLimit-Remaining"]))
    assert left == list(range(9, -1, -1))
    for host in hosts.both:
        response = at(host, caller).post("/agora/token/generate", body)
        expect.refused(response, 429, "RATE_LIMIT_EXCEEDED")
        assert 1 <= int(response.headers["Retry-After"]) <= 60


# Races, each half of which is on another host.


@criterion("R2.2", "R5.4", "R8.1")
def test_accept_against_cancel(pair, hosts, pool):
    """The call was either cancelled, or accepted and then ended."""
    caller, callee = pair
    for _ in range(ROUNDS):
        call_id = caller.call(callee)["callId"]
        accepted, ended = together(
            pool,
            lambda c=call_id: callee.post(f"/calls/{c}/accept", {}),
            lambda c=call_id: caller.post(f"/calls/{c}/end", {}),
        )
        reason = {"200": "hangup", "CALL_ALREADY_ENDED": "cancelled"}[code_of(accepted)]
        assert code_of(ended) == "200"
        assert [p.details(call_id)["endReason"] for p in pair] == [reason] * 2
        assert rows(People(hosts.data), call_id) == 2
        assert caller.active() is None and callee.active() is None


@criterion("R2.2", "R8.1")
def test_accept_against_accept(hosts_people, hosts, pool):
    """Two devices on two hosts: one gets the call, the other is told so."""
    caller, callee = hosts_people.pair()
    for _ in range(ROUNDS):
        call_id = caller.call(callee)["callId"]
        responses = together(
            pool,
            *(
                lambda p=at(host, callee), d=device, c=call_id: p.post(
                    f"/calls/{c}/accept", {"deviceId": d}
                )
                for host, device in zip(hosts.both, ("phone", "tablet"), strict=True)
            ),
        )
        assert sorted(map(code_of, responses)) == ["200", "CALL_ALREADY_ACCEPTED"]
        assert caller.end(call_id)["endReason"] == "hangup"
        assert rows(hosts_people, call_id) == 2


@criterion("R1.4", "R2.4", "R11.5")
def test_accept_against_timeout(hosts_people, hosts, pool):
    """Accepts on both hosts about when the calls ring out, and both sweepers: one outcome each."""
    calls = [hosts_people.ringing() for _ in range(20)]
    ids = [call["callId"] for _, _, call in calls]
    delays = [random.uniform(0.25, 0.6) for _ in calls]
    # Some ring out before their accept and are found by a sweeper, some by the accept, some not.
    for number, call_id in enumerate(ids):
        key = stored(hosts.data, call_id)
        due = f"UTC_TIMESTAMP(3) + INTERVAL {100_000 + 20_000 * number} MICROSECOND"
        hosts.data.sql(f"UPDATE calls SET deadline_at = {due} WHERE id = %s", key)

    def accept(number: int):
        time.sleep(delays[number])
        callee = at(hosts.both[number % 2], calls[number][1])
        return code_of(callee.post(f"/calls/{ids[number]}/accept", {}))

    codes = together(pool, *(lambda n=n: accept(n) for n in range(len(calls))))
    assert set(codes) <= {"200", "CALL_TIMEOUT"}
    for code, (caller, callee, call) in zip(codes, calls, strict=True):
        if code == "200":
            at(hosts.b, caller).end(call["callId"])
        status = {"200": "ended", "CALL_TIMEOUT": "missed"}[code]
        assert callee.details(call["callId"])["status"] == status
        assert rows(hosts_people, call["callId"]) == 2
        device = Device(at(hosts.b, callee))
        device.socket.heartbeat()
        assert caller.active() is None and at(hosts.b, callee).active() is None


@criterion("R1.4", "R11.5")
def test_a_timeout_with_two_sweepers(hosts_people, hosts):
    """Thirty calls ring out at one moment: each is missed once, and both sides hear it once."""
    calls = [hosts_people.ringing() for _ in range(30)]
    caller, callee, call = calls[0]
    devices = [Device(at(h, p)) for h, p in zip(hosts.both, (caller, callee), strict=True)]
    users = [person.id for one, other, _ in calls for person in (one, other)]
    among = ", ".join(["%s"] * len(users))
    # Both wake up at the same moment, and find the same calls.
    with halted(hosts.a.pid("SUPERVISOR")), halted(hosts.b.pid("SUPERVISOR")):
        shift(hosts.data, "calls", f"caller_id IN ({among})", tuple(users), 61)
        time.sleep(0.3)  # more than what lies between two passes
    over = f"call_events WHERE event_type = 'call_timeout' AND user_id IN ({among})"
    wait_until(lambda: hosts.count(over, *users) >= 60, 60, 0.05, "time-outs")
    for device in devices:
        device.socket.take("call_timeout", callId=call["callId"])
    assert callee.details(call["callId"])["status"] == "missed"
    bell = at(hosts.b, caller).call(callee)
    devices[1].socket.take("call_invitation", callId=bell["callId"])
    assert devices[1].types == ["call_invitation", "call_timeout", "call_invitation"]
    assert hosts.count(over, *users) == 60
    assert hosts.count(f"call_history WHERE user_id IN ({among})", *users) == 60
