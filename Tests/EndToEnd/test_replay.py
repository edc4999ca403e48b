"""Reconnecting: replay, invitations again, resync (contract §6.4, §7.8; R2.1, R11)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import InvalidStatus

from support import expect

criterion = pytest.mark.criterion


def test_replay(people):
    """`lastEventId` replays in order all that was missed since, before anything new."""
    caller, callee, call = people.warned(4)
    everything = callee.socket(last_event_id=0)
    warnings = [everything.take("call_quality_warning") for _ in range(4)]
    assert everything.types[0] == "call_invitation", "0 replays all that is kept"
    for missed in range(4):
        socket = callee.socket(last_event_id=warnings[missed]["id"])
        assert socket.greeting.get("resync") is not True
        rest = [socket.take("call_quality_warning") for _ in range(3 - missed)]
        assert rest == warnings[missed + 1 :]
    caller.end(call["callId"])
    ended = socket.take("call_ended")
    assert int(ended["id"]) > int(warnings[-1]["id"])
    assert socket.types == ["call_ended"]


def test_replay_while_events_arrive(people):
    """What happens during the replay comes after it, and nothing comes twice or not at all."""
    caller, callee, call = people.warned(10)
    with ThreadPoolExecutor(2) as pool:
        more = pool.submit(
            lambda: [expect.succeeded(caller.report(call["callId"], "bad")) for _ in range(20)]
        )
        sockets = [callee.socket(last_event_id=0) for _ in range(5)]
        more.result()
    caller.end(call["callId"])
    for socket in sockets:
        socket.take("call_ended")
        numbers = [int(frame["id"]) for frame in socket.events]
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        # The invitation, answered elsewhere, connected, thirty warnings and the end.
        assert len(socket.types) == 34


def test_without_last_event_id_nothing_is_replayed(people):
    caller, callee, call = people.warned(2)
    socket = callee.socket()
    caller.end(call["callId"])
    socket.take("call_ended")
    assert socket.types == ["call_ended"]


@criterion("R2.1", "R11.1")
def test_invited_again(people):
    """A call that still rings for the user is sent again, under its first id."""
    caller, callee = people.pair()
    first = callee.socket()
    call = caller.call(callee)
    invitation = first.take("call_invitation")
    first.close()
    again = callee.socket()
    assert again.take("call_invitation") == invitation
    assert again.greeting["activeCall"]["callId"] == call["callId"]
    callee.accept(call["callId"])
    later = callee.socket()
    caller.end(call["callId"])
    later.take("call_ended")
    assert later.types == ["call_ended"]


@criterion("R2.1", "R1.3")
def test_invited_when_coming_online(people):
    """A callee who connects while the call waits is invited."""
    caller, callee, call = people.ringing()
    mine = caller.socket()
    callee.socket().take("call_invitation", callId=call["callId"])
    mine.take("call_ringing", callId=call["callId"])


@criterion("R2.1")
def test_not_invited_again_with_a_last_event_id(people):
    """§6.4: who says what it has seen is sent what it has not, and nothing else."""
    caller, callee = people.pair()
    first = callee.socket()
    call = caller.call(callee)
    invitation = first.take("call_invitation")
    first.close()
    again = callee.socket(last_event_id=invitation["id"])
    behind = callee.socket(last_event_id=int(invitation["id"]) - 1)
    caller.end(call["callId"])
    again.take("call_ended")
    behind.take("call_ended")
    assert again.types == ["call_ended"]
    assert behind.types == ["call_invitation", "call_ended"]


@criterion("R1.3", "R2.1")
def test_a_replayed_invitation_rings(people):
    """A callee who comes back with a lastEventId gets the invitation, and the caller hears so."""
    caller, callee, call = people.ringing()
    mine = caller.socket()
    callee.socket(last_event_id=0).take("call_invitation", callId=call["callId"])
    mine.take("call_ringing", callId=call["callId"])
    people.wait_for_status(caller, call["callId"], "ringing")


def test_a_caller_is_not_invited_to_an_own_call(people):
    caller, _, _ = people.ringing()
    socket = caller.socket()
    bell = people.person().socket()
    assert bell.heartbeat() and socket.heartbeat()
    assert socket.types in ([], ["call_ringing"])


def test_resync(people):
    """When something after the given id is no longer kept, `connected` says resync: true."""
    _, callee, _ = people.warned(4)
    newest = int(callee.socket().greeting["lastEventId"])
    people.stack.sql(
        "DELETE FROM call_events WHERE user_id = %s AND event_id <= %s", callee.id, newest - 2
    )
    for last, expected in [
        (0, True),
        (newest - 3, True),
        (newest - 2, False),
        (newest, False),
    ]:
        socket = callee.socket(last_event_id=last)
        assert (socket.greeting.get("resync") is True) is expected, last
        for number in range(max(last, newest - 2) + 1, newest + 1):
            assert socket.take("call_quality_warning")["id"] == str(number)


def test_what_is_older_than_a_day_is_not_kept(people):
    """Whether or not the sweeper has been there."""
    _, callee, _ = people.warned(4)
    newest = int(callee.socket().greeting["lastEventId"])
    people.stack.sql(
        "UPDATE call_events SET created_at = created_at - INTERVAL 25 HOUR "
        "WHERE user_id = %s AND event_id <= %s",
        callee.id,
        newest - 2,
    )
    for last, expected in [(0, True), (newest - 3, True), (newest - 2, False)]:
        socket = callee.socket(last_event_id=last)
        assert (socket.greeting.get("resync") is True) is expected, last
        assert socket.take("call_quality_warning")["id"] == str(newest - 1)
        assert socket.take("call_quality_warning")["id"] == str(newest)
        assert len(socket.events) == 2


def test_odd_last_event_ids(people, stack):
    """An id from the future or no id at all harms nobody."""
    _, callee, _ = people.warned(1)
    for odd in ("99999999", "abc", "-1", "9" * 30, ""):
        try:
            assert callee.socket(last_event_id=odd).greeting["userId"] == callee.id
        except InvalidStatus as refusal:
            assert refusal.response.status_code == 400
