"""What dies and comes back: workers, sidecar, supervisor, Redis, MariaDB (design §1, §2, §5).

Every test kills something and then asks for the whole service again; the stack is its own.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter

import pytest

from support import expect, hints
from support.clock import shift_call
from support.load import Load
from support.logs import files, settle
from support.outages import (
    POOL,
    at_leisure,
    halted,
    healthy,
    kill,
    parent,
    readiness,
    signals,
    stopped,
)
from support.pauses import Pauses
from support.people import send
from support.sockets import Socket
from support.stack import alive, wait_until
from support.variants import SETTINGS, variant

pytestmark = [*variant("fragile"), pytest.mark.usefixtures("whole_stack")]
criterion = pytest.mark.criterion
TIMEOUT = int(SETTINGS["fragile"]["CALL_TIMEOUT_SECONDS"])
# For how long a call rings on that is to ring out while something is away.
RINGS_ON_SECONDS = 5


# Workers.


def test_a_killed_worker(people, stack):
    """The pool is whole within 2 s, and only the request in hand is lost."""
    with Load(people) as load:
        for _ in range(3):
            victim = stack.workers()[0]
            lost = len(load.lost)
            with Pauses() as pauses:
                kill(victim)
                wait_until(
                    lambda v=victim: len(stack.workers()) == POOL and v not in stack.workers()
                )
                took = pauses.took
            assert took < at_leisure(2), "the pool took too long"
            asked = len(load.codes)
            wait_until(lambda a=asked: len(load.codes) > a + 40, 60)
            assert len(load.lost) - lost <= 1, load.lost
    assert Counter(load.codes)[201] > 10


def test_all_workers_killed_at_once(people, stack):
    """A pool that died as a whole is whole again within 2 s."""
    victims = stack.workers()
    with Pauses() as pauses:
        for victim in victims:
            kill(victim)
        wait_until(lambda: len(stack.workers()) == POOL and not set(victims) & set(stack.workers()))
        took = pauses.took
    assert took < at_leisure(2)
    assert people.person().active() is None


def test_no_request_is_lost_in_a_replacement(people, stack):
    """SIGHUP: the workers are replaced one by one, without losing a request."""
    before = set(stack.workers())
    with Load(people) as load:
        stack.kill("SUPERVISOR", signal.SIGHUP)
        wait_until(
            lambda: len(stack.workers()) == POOL and not before & set(stack.workers()), 60, 0.05
        )
        asked = len(load.codes)
        wait_until(lambda: len(load.codes) > asked + 40, 60)
    assert load.lost == []


def test_a_worker_is_killed_in_the_midst_of_a_call(people, stack):
    """A call is as it was: its state is in the database, not in a process."""
    caller, callee, call = people.connected()
    for victim in stack.workers():
        kill(victim)
    wait_until(lambda: healthy(stack), 60, 0.1)
    assert caller.active()["status"] == "connected"
    assert callee.end(call["callId"])["endReason"] == "hangup"
    assert caller.history()["pagination"]["total"] == 1


# The sidecar.


@criterion("R11.1")
def test_a_killed_sidecar(people, stack):
    """Devices connect again to its successor and lose no event."""
    caller, callee, call = people.connected()
    socket = callee.socket()
    expect.succeeded(caller.report(call["callId"], "poor"))
    last = socket.take("call_quality_warning")["id"]
    victim = stack.kill("SIGNALING")
    socket.closed()
    expect.succeeded(caller.report(call["callId"], "bad"))
    wait_until(lambda: stack.pid("SIGNALING") != victim and signals(stack), 60, 0.05)
    again = callee.socket(last_event_id=last)
    again.take("call_quality_warning", networkQuality="bad")
    caller.end(call["callId"])
    again.take("call_ended")
    assert again.types == ["call_quality_warning", "call_ended"]


def test_a_sidecar_that_is_told_to_end(people, stack):
    """§6.4: at shutdown the server closes with 1001."""
    sockets = [people.person().socket() for _ in range(5)]
    victim = stack.kill("SIGNALING", signal.SIGTERM)
    assert [socket.closed() for socket in sockets] == [1001] * 5
    wait_until(lambda: stack.pid("SIGNALING") != victim)


def test_no_token_in_nginxs_log_while_the_sidecar_is_away(people, stack):
    """Tokens and tickets never reach a log, nginx's complaint about its upstream included."""
    person = people.person()
    ticket = expect.succeeded(person.post("/signaling/ticket", {}))["ticket"]
    with halted(parent(stack.pid("SIGNALING"))):  # who would start it again at once
        victim = stack.kill("SIGNALING")
        wait_until(lambda: not alive(victim))
        for query in ({"token": person.token}, {"ticket": ticket}):
            for _ in range(5):
                with contextlib.suppress(Exception):
                    Socket(stack, query=query).close()
    wait_until(lambda: signals(stack), 60, 0.1)
    signature = person.token.rpartition(".")[2]
    settle(stack)
    for path in files(stack):
        text = path.read_bytes().decode(errors="replace")
        assert signature not in text and ticket not in text, path


# Redis.


@criterion("R11.1", "R11.2", "R11.4")
def test_without_redis(people, stack):
    """Calls go on: events come by the poll; tickets are 503; /readyz says degraded."""
    caller, callee = people.pair()
    mine, theirs = caller.socket(), callee.socket()
    with stopped(stack, "REDIS"):
        call = caller.call(callee)
        theirs.take("call_invitation", callId=call["callId"])
        callee.accept(call["callId"])
        mine.take("call_accepted")
        expect.succeeded(caller.set_status(call["callId"], "connected"))
        expect.succeeded(caller.report(call["callId"], "poor"))
        theirs.take("call_quality_warning")
        body = {"channelId": call["channelId"]}
        expect.succeeded(caller.post("/agora/token/generate", body))
        response = caller.post("/signaling/ticket", {})
        expect.refused(response, 503, "SERVICE_UNAVAILABLE")
        assert int(response.headers["Retry-After"]) >= 1
        assert readiness(stack) == (200, "degraded")
        third = people.friend_of(caller).socket()
        assert third.heartbeat()
        caller.end(call["callId"])
        theirs.take("call_ended")

    def met_by_all() -> dict | None:
        """A ticket, where a score of requests find workers that all have met it again."""
        for _ in range(20):
            response = caller.post("/signaling/ticket", {})
            if readiness(stack) != (200, "ready") or response.status_code != 200:
                return None
        return expect.succeeded(response)

    ticket = wait_until(met_by_all, 60, 0.1, "a Redis that all have met again")
    assert Socket(stack, query={"ticket": ticket["ticket"]}).greeting["userId"] == caller.id


@criterion("R11.1")
def test_hints_are_back_after_redis_was(people, stack):
    """After a restart of Redis invitations are quick again: the relay has subscribed anew."""
    with stopped(stack, "REDIS"):
        pass

    def sample() -> float:
        caller, callee = people.pair()
        return hints.delay(caller, callee, lambda: hints.listeners(stack, callee) == 1)

    wait_until(lambda: hints.are_prompt(sample), 90, 0.1, "quick invitations")


def test_a_redis_that_hangs(people, stack):
    """A Redis that does not answer makes nothing hang: calls go on."""
    caller, callee = people.pair()
    with halted(stack.pid("REDIS")), Pauses() as pauses:
        call = caller.call(callee)
        assert callee.accept(call["callId"])["status"] == "connecting"
        caller.end(call["callId"])
        took = pauses.took
    assert took < at_leisure(8)
    assert caller.active() is None


# MariaDB.


def test_without_the_database(people, stack):
    """503 SERVICE_UNAVAILABLE with Retry-After; service is back by itself."""
    caller, callee, call = people.connected()
    socket = callee.socket()
    last = socket.greeting["lastEventId"]
    with stopped(stack, "MYSQL"):
        for response in (
            caller.get("/calls/active"),
            caller.post(f"/calls/{call['callId']}/end", {}),
            caller.get("/calls/history"),
            caller.post("/agora/token/generate", {"channelId": call["channelId"]}),
        ):
            expect.refused(response, 503, "SERVICE_UNAVAILABLE")
            assert int(response.headers["Retry-After"]) >= 1
        assert readiness(stack)[0] == 503
        assert send(stack, "GET", stack["OPS_URL"].rstrip("/") + "/healthz").status_code == 200
        expect.refused(send(stack, "GET", "/calls/active"), 401, "AUTHENTICATION_FAILED")
        assert socket.heartbeat(), "a connection outlives the database"
    wait_until(lambda: readiness(stack) == (200, "ready"), 60, 0.1, "ready again")
    assert caller.active()["status"] == "connected"
    caller.end(call["callId"])
    try:
        socket.take("call_ended")
    except Exception:
        callee.socket(last_event_id=last).take("call_ended")


@criterion("R1.4", "R11.5")
def test_a_deadline_during_an_outage_of_the_database(people, stack):
    """A call that rings out while the database is away is missed once it is back."""
    caller, callee, call = people.ringing()
    shift_call(stack, call["callId"], TIMEOUT - RINGS_ON_SECONDS)
    with stopped(stack, "MYSQL"):
        due = expect.moment(call["createdAt"]).timestamp() + RINGS_ON_SECONDS
        wait_until(lambda: time.time() > due)
    people.wait_for_status(caller, call["callId"], "missed")
    assert caller.active() is None and callee.active() is None
    callee.socket(last_event_id=0).take("call_timeout", callId=call["callId"])


def test_a_database_that_hangs_does_not_stop_the_reaping(people, stack):
    """A worker that dies while every query hangs is replaced all the same, within 2 s."""
    assert people.person().active() is None
    with halted(stack.pid("MYSQL")), Pauses() as pauses:
        victim = stack.workers()[0]
        kill(victim)
        wait_until(lambda: len(stack.workers()) == POOL and victim not in stack.workers())
        took = pauses.took
    assert took < at_leisure(2)
    assert people.person().active() is None


def test_a_database_that_hangs_is_told_of_in_time(people, stack):
    """R12: 503 before clients lose patience, though nobody refuses a connection."""
    person = people.person()
    for _ in range(12 * POOL):
        assert person.active() is None  # so that no worker has its connection still to make
    with halted(stack.pid("MYSQL")), Pauses() as pauses:
        response = person.get("/calls/active")
        took = pauses.took
    expect.refused(response, 503, "SERVICE_UNAVAILABLE")
    # The statement's time-out of 7 s and the 2 s of a new connection, on whatever machine.
    assert took < 14


# The supervisor.


def test_hangups_end_nothing(people, stack):
    """SIGHUP is the supervisor's; a worker or sidecar that gets it goes on."""
    socket = people.person().socket()
    before = stack.workers()
    for pid in [*before, stack.pid("SIGNALING")]:
        kill(pid, signal.SIGHUP)
    assert socket.heartbeat()
    time.sleep(0.5)
    assert stack.workers() == before and alive(stack.pid("SIGNALING"))


@criterion("R1.4", "R11.5")
def test_a_killed_supervisor(people, stack):
    """The service resumes by itself, no call is stuck, and a ringing call's deadline is kept."""
    talking, _, call = people.connected()
    caller, callee, ringing = people.ringing()
    shift_call(stack, ringing["callId"], TIMEOUT - RINGS_ON_SECONDS)
    mine = caller.socket(last_event_id=0)
    workers = stack.workers()
    with Pauses() as pauses:
        victim = stack.kill("SUPERVISOR")
        wait_until(lambda: stack.pid("SUPERVISOR") != victim and healthy(stack), 60, 0.1)
        wait_until(lambda: not any(alive(pid) for pid in workers), message="orphans ended")
        assert talking.active()["status"] == "connected"
        mine.take("call_timeout", callId=ringing["callId"])
    details = caller.details(ringing["callId"])
    assert details["status"] == "missed"
    due = expect.milliseconds(ringing["createdAt"]) / 1000 + RINGS_ON_SECONDS
    late = expect.milliseconds(details["endTime"]) / 1000 - due
    assert late < at_leisure(5) + pauses.seconds
    assert caller.active() is None and callee.active() is None
    assert talking.end(call["callId"])["endReason"] == "hangup"


def test_a_supervisor_that_is_told_to_end(people, stack):
    """SIGTERM drains: what is being answered is answered; its successor takes over."""
    with Load(people, threads=2) as load:
        victim = stack.kill("SUPERVISOR", signal.SIGTERM)
        wait_until(lambda: stack.pid("SUPERVISOR") != victim and healthy(stack), 60, 0.1)
        asked = len(load.codes)
        wait_until(lambda: len(load.codes) > asked + 20, 60)
    # Between the two nginx finds nobody; nothing that was accepted is cut off in the midst.
    assert not [text for text in load.lost if "gave 500" in text], load.lost


@criterion("R2.4", "R5.4")
def test_a_late_look_while_the_sweeper_rests(people, stack):
    """Who asks after the deadline is told that the call is missed, and so is everybody else."""
    caller, callee, call = people.with_device_ringing()
    mine = caller.socket(last_event_id=0)
    with halted(stack.pid("SUPERVISOR")):
        shift_call(stack, call["callId"], TIMEOUT)
        for person in (callee, caller):
            details = person.details(call["callId"])
            assert (details["status"], details["endReason"]) == ("missed", "timeout")
            assert person.history()["pagination"]["total"] == 1
        mine.take("call_timeout", callId=call["callId"])
        assert mine.heartbeat() and mine.types.count("call_timeout") == 1


@criterion("R2.4", "R8.2")
def test_a_late_patch_while_the_sweeper_rests(people, stack):
    """Missed from then on: there is no transition any more, whoever finds that out."""
    caller, callee, call = people.with_device_ringing()
    with halted(stack.pid("SUPERVISOR")):
        shift_call(stack, call["callId"], TIMEOUT)
        for _ in range(2):
            response = callee.set_status(call["callId"], "connecting")
            error = expect.refused(response, 409, "INVALID_STATUS_TRANSITION")
            assert error["details"]["from"] == "missed"
        assert len(caller.history()["calls"]) == 1


@criterion("R2.4")
def test_a_late_accept_while_the_sweeper_rests(people, stack):
    """R2.4: missed from then on, also where no sweeper has been there; events included."""
    caller, callee, call = people.with_device_ringing()
    mine = caller.socket(last_event_id=0)
    with halted(stack.pid("SUPERVISOR")):
        shift_call(stack, call["callId"], TIMEOUT)
        response = callee.post(f"/calls/{call['callId']}/accept", {})
        expect.refused(response, 410, "CALL_TIMEOUT")
        assert caller.details(call["callId"])["status"] == "missed"
        mine.take("call_timeout", callId=call["callId"])
        assert caller.active() is None and callee.active() is None
        assert len(callee.history()["calls"]) == 1


def test_everything_killed_at_once(people, stack):
    """Supervisor, workers and sidecar together: all of it comes back."""
    caller, callee, call = people.connected()
    for pid in [stack.pid("SUPERVISOR"), stack.pid("SIGNALING"), *stack.workers()]:
        with contextlib.suppress(ProcessLookupError):
            kill(pid)
    wait_until(lambda: healthy(stack), 60, 0.1)
    socket = callee.socket()
    assert socket.greeting["activeCall"]["callId"] == call["callId"]
    caller.end(call["callId"])
    socket.take("call_ended")
