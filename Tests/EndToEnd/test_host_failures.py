"""Two hosts of which one dies or is cut off: the other goes on, no event is lost (design §2, §3).

What is killed stays away until the test lets it come back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import time

import pytest
from websockets.exceptions import ConnectionClosed

from support import expect
from support.clock import shift_call, shift_user
from support.hosts import Device, answers, at, without
from support.outages import stopped
from support.pauses import Pauses
from support.people import People, Person
from support.races import together
from support.stack import wait_until

pytestmark = [pytest.mark.xdist_group("hosts"), pytest.mark.timeout(300)]
criterion = pytest.mark.criterion


@pytest.fixture(params=["a", "b"])
def victim(request, hosts):
    """The host to which it happens."""
    return getattr(hosts, request.param)


@dataclasses.dataclass
class Scene:
    """A caller and a callee with a device each, and how far their call has got."""

    caller: Person
    callee: Person
    mine: Device
    theirs: Device
    call_id: str = ""

    def call(self) -> None:
        self.call_id = self.caller.call(self.callee)["callId"]

    def ring(self) -> None:
        self.call()
        self.theirs.await_event("call_invitation")
        self.mine.await_event("call_ringing")

    def accept(self) -> None:
        self.callee.accept(self.call_id, deviceId="phone")

    def talk(self) -> None:
        self.ring()
        self.accept()
        expect.succeeded(self.caller.set_status(self.call_id, "connected"))
        self.theirs.await_event("call_status_updated")

    def finish(self) -> None:
        """On to the end, with an event for each at last, and nothing missing on the way."""
        self.theirs.await_event("call_invitation")
        self.mine.await_event("call_ringing")
        if self.callee.details(self.call_id)["status"] == "ringing":
            result = self.theirs.socket.command("call.accept", callId=self.call_id)
            assert result["status"] == 200, result
        self.mine.await_event("call_accepted")
        expect.succeeded(self.caller.report(self.call_id, "veryBad"))
        self.theirs.await_event("call_quality_warning", networkQuality="veryBad")
        self.callee.end(self.call_id)
        self.mine.await_event("call_ended")
        assert self.mine.types == ["call_ringing", "call_accepted", "call_ended"]
        assert self.caller.active() is None and self.callee.active() is None


def scene(people: People, callers, callees=None) -> Scene:
    """A pair with their devices on these hosts."""
    caller, callee = people.pair()
    caller, callee = at(callers, caller), at(callees or callers, callee)
    return Scene(caller, callee, Device(caller), Device(callee, "phone"))


INVITED = ["call_invitation", "call_quality_warning"]
TALKED = ["call_invitation", "call_status_updated"] + ["call_quality_warning"] * 2


@criterion("R1.3", "R2.1", "R2.2", "R11.1", "R11.2", "R11.4")
def test_a_sidecar_killed(hosts_people, hosts, victim, pool):
    """Killed while calls ring, go on, and in the very moment of a call or an accept.

    Half of the clients come back to the other host at once, half to the same one once it is back.
    """
    other = hosts.other(victim)
    chance = random.Random(victim.directory.name)
    rings, talks, calls, accepts, commands = (
        [scene(hosts_people, victim) for _ in range(count)] for count in (2, 2, 6, 6, 6)
    )
    for one in rings + accepts + commands:
        one.ring()
    for one in talks:
        one.talk()

    def soon(action):
        time.sleep(chance.uniform(0, 0.02))
        with contextlib.suppress(ConnectionClosed):
            action()

    def command(one: Scene) -> None:
        one.theirs.socket.send({"type": "call.accept", "data": {"callId": one.call_id}})

    with contextlib.ExitStack() as outage:
        together(
            pool,
            *(lambda s=one: soon(s.call) for one in calls),
            *(lambda s=one: soon(s.accept) for one in accepts),
            *(lambda s=one: soon(lambda: command(s)) for one in commands),
            lambda: soon(lambda: outage.enter_context(without(victim, "SIGNALING"))),
        )
        everybody = rings + talks + calls + accepts + commands
        for one in everybody:
            one.mine.lost()
            one.theirs.lost()
        for one in talks:
            expect.succeeded(at(other, one.caller).report(one.call_id, "bad"))
        come_back(everybody[::2], other)
    come_back(everybody[1::2], victim)
    for one in everybody:
        assert one.theirs.types == (TALKED if one in talks else INVITED)


def come_back(scenes: list[Scene], host) -> None:
    for one in scenes:
        one.mine.connect(host)
        one.theirs.connect(host)
    for one in scenes:
        one.finish()


@criterion("R1.4", "R11.5")
def test_supervisor_and_workers_killed(hosts_people, hosts, victim):
    """The other host serves all, also those whose sockets are on this one, time-outs included."""
    other = hosts.other(victim)
    here, there = scene(hosts_people, victim), scene(hosts_people, other, victim)
    here.ring()
    with without(victim, "SUPERVISOR"):
        refused = here.caller.get("/calls/active")
        expect.refused(refused, 503, "SERVICE_UNAVAILABLE")
        there.callee = at(other, there.callee)
        there.ring()
        there.finish()
        shift_call(hosts.data, here.call_id, 61)
        for device in (here.mine, here.theirs):
            device.await_event("call_timeout", callId=here.call_id)
        assert at(other, here.caller).active() is None
    wait_until(lambda: answers(victim), 60, 0.1, "the workers again")
    assert here.caller.details(here.call_id)["status"] == "missed"


@criterion("R2.2", "R2.3", "R5.3", "R11.2", "R11.3", "R11.4")
def test_without_sidecars_and_redis(hosts_people, hosts):
    """Calls are made, answered and ended over REST meanwhile; all of it is told afterwards."""
    places = [(hosts.a,), hosts.both, (hosts.b,)]
    everybody = rings, talks, waits = [scene(hosts_people, *place) for place in places]
    rings.ring()
    talks.talk()
    with contextlib.ExitStack() as outage:
        for host in hosts.both:
            outage.enter_context(without(host, "SIGNALING"))
        outage.enter_context(stopped(hosts.data, "REDIS"))
        for one in everybody:
            one.mine.lost()
            one.theirs.lost()
        rings.accept()
        talks.callee.end(talks.call_id)
        waits.call()
        at(hosts.a, waits.callee).reject(waits.call_id, reason="unavailable", deviceId="phone")
        assert all(p.active() is None for one in (talks, waits) for p in (one.caller, one.callee))
    for one, host in zip(everybody, (hosts.b, hosts.a, hosts.b), strict=True):
        one.mine.connect(host)
        one.theirs.connect(host)
    rings.finish()
    talks.mine.await_event("call_ended", endedBy=talks.callee.id)
    waits.mine.await_event("call_rejected", reason="unavailable")
    waits.theirs.await_event("call_invitation")
    assert talks.mine.types == ["call_ringing", "call_accepted", "call_ended"]
    assert waits.mine.types == ["call_rejected"] and waits.theirs.types == ["call_invitation"]
    assert rings.theirs.types == INVITED


# A host that is cut off. Its programs live on, and nobody can tell it from one that has no power.


def wait_until_seen(hosts, one: Scene) -> None:
    """Until both are known to have a connection, which is noted once a second."""
    users = one.caller.id, one.callee.id
    seen = "user_lines WHERE user_id IN (%s, %s) AND seen_at IS NOT NULL"
    wait_until(lambda: hosts.count(seen, *users) == 2, interval=0.05, message="presence")


@criterion("R5.3", "R11.4")
def test_a_fallen_host(hosts_people, hosts, victim):
    """Calls between two of its users are lost after the presence window, and nobody stays busy."""
    other = hosts.other(victim)
    inside, across = scene(hosts_people, victim), scene(hosts_people, victim, other)
    inside.talk()
    across.talk()
    wait_until_seen(hosts, inside)
    sockets = inside.mine.socket, inside.theirs.socket
    with hosts.cut(victim, "clients", "data"):
        assert not answers(victim, patience=0.5)
        # As if two minutes had gone by.
        shift_user(hosts.data, [inside.caller.id, inside.callee.id], 120)
        caller, callee = (at(other, person) for person in (inside.caller, inside.callee))
        wait_until(lambda: caller.active() is None, 40, 0.1, "the call's end")
        assert caller.details(inside.call_id)["endReason"] == "connection_lost"
        assert callee.active() is None
        inside.mine.connect(other)
        inside.theirs.connect(other)
        for device in (inside.mine, inside.theirs):
            device.await_event("call_ended", endReason="connection_lost", endedBy=None)
        again = callee.call(caller)["callId"]
        inside.mine.await_event("call_invitation", callId=again)
        caller.reject(again)
        # Who is on the other host goes on, and hangs up when nothing is heard any more.
        assert across.callee.active()["callId"] == across.call_id
        across.callee.end(across.call_id)
        across.mine.connect(other)
        across.mine.await_event("call_ended")
        assert at(other, across.caller).active() is None
        assert across.mine.types == ["call_ringing", "call_accepted", "call_ended"]
    # The sockets that were open all the time hear of it as well, when TCP sends again what was lost: after as long as
    # the link was cut (RFC 6298, 5.5).
    for socket in sockets:
        socket.take("call_ended", 120, endReason="connection_lost")


@criterion("R2.1", "R11.1", "R11.4")
def test_a_host_without_its_data(hosts_people, hosts, victim):
    """Its sockets stay open and hear of everything once the link is back; nobody is logged out."""
    other = hosts.other(victim)
    one = scene(hosts_people, other, victim)
    with hosts.cut(victim, "data"):
        one.call()
        at(other, one.callee).accept(one.call_id)
        expect.succeeded(one.caller.set_status(one.call_id, "connected"))
        one.caller.end(one.call_id)
        assert one.theirs.socket.heartbeat() and one.theirs.types == []
        assert not answers(victim, patience=1)
    for kind in ("call_invitation", "call_answered_elsewhere", "call_status_updated", "call_ended"):
        one.theirs.socket.take(kind, 120)
    wait_until(lambda: answers(victim), 60, 0.1, "the host's service again")


@criterion("R5.1", "R5.4")
def test_a_host_that_falls_in_the_midst_of_a_transaction(hosts_people, hosts, pool):
    """What it had locked is free again in seconds, and the call is ended once."""
    victim, other = hosts.both
    caller, callee, call = hosts_people.connected()
    path = f"/calls/{call['callId']}/end"
    first, last = sorted((caller.id, callee.id))
    line = "SELECT user_id FROM user_lines WHERE user_id = %s FOR UPDATE"
    holder = hosts.data.connect()
    with holder.cursor() as cursor:
        holder.begin()
        cursor.execute(line, (last,))
        doomed = pool.submit(lambda: at(victim, caller).post(path, {}, timeout=6))
        wait_until(lambda: not hosts.data.sql(f"{line} SKIP LOCKED", first))
        with hosts.cut(victim, "data"):
            holder.rollback()  # the lock is now the victim's, and it will never hear so
            with Pauses() as pauses:
                assert at(other, callee).end(call["callId"])["endReason"] == "hangup"
                assert pauses.took < 12
            assert at(other, caller).active() is None
    holder.close()
    with contextlib.suppress(OSError):  # an answer that may come as late as it likes
        doomed.result()
    assert at(other, caller).history()["pagination"]["total"] == 1
