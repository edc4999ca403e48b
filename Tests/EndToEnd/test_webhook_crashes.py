"""Webhooks while the programs and the database are killed (contract 8.2): each event is delivered at least once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from support.outages import halted, kill, stopped
from support.pauses import Pauses
from support.receiver import prepared_call
from support.stack import alive, wait_until
from support.variants import variant

pytestmark = variant("webhooks")


def sender(stack) -> int:
    """The process that sends; it is a child of the supervisor's."""

    def found():
        for pid in stack.children(stack.pid("SUPERVISOR")):
            try:
                if os.readlink(f"/proc/{pid}/exe").endswith("chattrix-webhooks"):
                    return pid
            except OSError:
                continue
        return None

    return wait_until(found, 60, message="chattrix-webhooks")


def delivered(receiver, call) -> None:
    """All of a call's webhooks came, in order, each at least once under its one id."""
    receiver.wait(call["callId"], "call.ended", timeout=90)
    requests = receiver.of(call["callId"])
    firsts = list(dict.fromkeys(request.type for request in requests))
    assert firsts[0] == "call.invitation" and firsts[-1] == "call.ended"
    assert firsts[1] == "call.stopped_ringing"
    assert len({request.id for request in requests}) == len(firsts)


def test_killed_in_the_middle_of_a_request(people, receiver, stack):
    """What was under way is sent again at once, under the same id; the API notices nothing."""
    caller, callee, call = prepared_call(people, receiver, "hang")
    receiver.wait(call["callId"], "call.invitation")
    before = sender(stack)
    with Pauses() as pauses:
        kill(before)
        caller.end(call["callId"])
        wait_until(lambda: receiver.types(call["callId"]).count("call.invitation") == 2, 60)
        took = pauses.took
    # Its lease would last for twenty seconds.
    assert took < 15
    delivered(receiver, call)
    assert sender(stack) != before


def test_killed_again_and_again_under_load(people, receiver, stack):
    """Twelve kills while calls are made and ended."""
    calls = []
    for _ in range(12):
        for _ in range(4):
            caller, callee, call = people.connecting()
            caller.end(call["callId"])
            calls.append(call)
        kill(sender(stack))
    for call in calls:
        delivered(receiver, call)


def test_the_supervisor_is_killed(people, receiver, stack):
    """The sender goes with it, and the next supervisor starts another."""
    before, pid = sender(stack), stack.pid("SUPERVISOR")
    caller, callee, call = people.connecting()
    kill(pid)
    wait_until(lambda: stack.pid("SUPERVISOR") != pid, 60, 0.05)
    wait_until(lambda: not alive(before))
    wait_until(lambda: callee.get("/calls/active").status_code == 200, 60)
    caller.end(call["callId"])
    delivered(receiver, call)
    assert sender(stack) != before


def test_the_database_is_killed(people, receiver, stack):
    """What is committed is sent once the database is back, what is under way is settled then."""
    calls = []
    for _ in range(5):
        caller, callee, call = prepared_call(people, receiver, "hang")
        caller.end(call["callId"])
        calls.append(call)
    for call in calls:
        receiver.wait(call["callId"], "call.invitation")
    with stopped(stack, "MYSQL"):
        receiver.gate.set()
        receiver.gate.clear()
    for call in calls:
        delivered(receiver, call)


def test_a_reload_replaces_the_program(people, receiver, stack):
    """SIGHUP: a new process, and nothing is lost or sent twice."""
    before = sender(stack)
    with Pauses() as pauses:
        caller, callee, call = people.connecting()
        os.kill(stack.pid("SUPERVISOR"), signal.SIGHUP)
        caller.end(call["callId"])
        wait_until(lambda: not alive(before), 60)
        delivered(receiver, call)
    types = receiver.types(call["callId"])
    if pauses.longest > 4:  # the sender may have waited for an answer in vain
        types = list(dict.fromkeys(types))
    assert types == ["call.invitation", "call.stopped_ringing", "call.ended"]


def test_a_sender_that_stands_still_holds_up_nothing_else(people, receiver, stack):
    """Its hangs are nobody else's: calls are made and ended meanwhile, and told of afterwards."""
    with halted(sender(stack)):
        caller, callee, call = people.connected()
        caller.end(call["callId"])
        assert receiver.of(call["callId"]) == []
    delivered(receiver, call)


def test_its_memory_is_small(receiver, stack):
    """A process of its own, with a connection to MySQL and threads that wait."""
    status = Path(f"/proc/{sender(stack)}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0])
    assert resident < 40_000, "kB"
