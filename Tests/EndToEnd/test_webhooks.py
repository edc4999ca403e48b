"""Webhooks (contract, section 8): what a receiver is told of a call, signed, in order, at least once."""

from __future__ import annotations

import itertools
import time

import pytest

from support import clock, expect
from support.pauses import Pauses
from support.people import send
from support.programs import ctl
from support.receiver import prepared_call
from support.stack import wait_until
from support.variants import SETTINGS, variant

pytestmark = variant("webhooks")
RING_SECONDS = int(SETTINGS["webhooks"]["CALL_TIMEOUT_SECONDS"])


def told(receiver, call_id: str) -> list[str]:
    """The types of a call's webhooks as they came, one that came several times (contract 8.2) once."""
    return list({request.id: request.type for request in receiver.of(call_id)}.values())


def test_an_invitation_reaches_the_receiver_of_a_sleeping_phone(people, receiver):
    """Contract 8.1: signed with each secret, while the callee has no socket."""
    caller, callee, call = people.ringing("audio")
    data = receiver.data(call["callId"], "call.invitation")
    assert data == {
        "callId": call["callId"],
        "channelId": call["channelId"],
        "callerId": caller.id,
        "callerName": caller.full_name,
        "callerAvatar": caller.avatar,
        "calleeId": callee.id,
        "callType": "audio",
        "createdAt": call["createdAt"],
        "expiresAt": call["expiresAt"],
        "calleeConnections": 0,
    }
    request = receiver.of(call["callId"])[0]
    assert request.path == "/webhooks?from=tests"
    assert request.headers["content-type"] == "application/json"
    assert len(request.headers["webhook-signature"].split()) == len(receiver.secrets)
    made = expect.moment(call["createdAt"]).timestamp()
    assert int(made) <= int(request.headers["webhook-timestamp"]) <= request.at
    assert request.json["timestamp"].endswith("Z")
    caller.end(call["callId"])


def test_open_sockets_are_counted(people, receiver):
    """Contract 8.1: calleeConnections, so that the receiver may leave the push out."""
    caller, callee = people.pair()
    sockets = [callee.socket() for _ in range(3)]
    sockets.pop().close()

    def counted() -> int:
        call = caller.call(callee)
        data = receiver.data(call["callId"], "call.invitation")
        caller.end(call["callId"])
        return data["calleeConnections"]

    wait_until(lambda: counted() == 2, 60, 0.1)
    for socket in sockets:
        socket.close()
    wait_until(lambda: counted() == 0, 60, 0.1)


@pytest.mark.parametrize("outcome", ["accepted", "rejected", "cancelled", "missed"])
def test_the_end_of_the_ringing(people, receiver, stack, outcome):
    """Contract 8.1: call.stopped_ringing however the invitation is over, once, before call.ended."""
    caller, callee, call = people.ringing()
    identity = call["callId"]
    device = None
    if outcome == "accepted":
        device = "phone-of-the-callee"
        callee.accept(identity, deviceId=device)
        caller.end(identity)
    elif outcome == "rejected":
        callee.reject(identity, deviceId="phone-of-the-callee")
    elif outcome == "cancelled":
        caller.end(identity)
    else:
        clock.shift_call(stack, identity, RING_SECONDS)
    data = receiver.data(identity, "call.stopped_ringing")
    wanted = {"callId": identity, "calleeId": callee.id, "outcome": outcome, "deviceId": device}
    assert data == wanted
    receiver.wait(identity, "call.ended")
    missed = ["call.missed"] if outcome in ("missed", "cancelled") else []
    order = ["call.invitation", "call.stopped_ringing", *missed, "call.ended"]
    assert told(receiver, identity) == order


def test_a_missed_call(people, receiver):
    """Contract 8.1: call.missed where the callee's history says so."""
    caller, callee, call = people.ringing("audio")
    caller.end(call["callId"])
    data = receiver.data(call["callId"], "call.missed")
    assert data == {
        "unseenMissed": 1,
        "callId": call["callId"],
        "callerId": caller.id,
        "callerName": caller.full_name,
        "calleeId": callee.id,
        "callType": "audio",
        "createdAt": call["createdAt"],
    }


def test_a_callee_who_is_not_to_be_disturbed_is_not_woken(people, receiver):
    """Contract 8.1, 11.2: call.missed with the badge and call.ended, no invitation."""
    caller, callee = people.pair()
    callee.quiet()
    for number in (1, 2):
        expect.refused(caller.initiate(callee), 409, "USER_UNAVAILABLE")
        identity = caller.history()["calls"][0]["callId"]
        receiver.wait(identity, "call.missed", "call.ended")
        assert told(receiver, identity) == ["call.missed", "call.ended"]
        assert receiver.data(identity, "call.missed")["unseenMissed"] == number
        ended = receiver.data(identity, "call.ended")
        assert (ended["status"], ended["endReason"]) == ("rejected", "unavailable")


def test_joining_stops_the_ringing(people, receiver):
    """Contract 8.1, 11.3: as the accept that it is, by the device that joined."""
    caller, callee, call = people.ringing()
    expect.succeeded(callee.initiate(caller, joinIncoming=True, deviceId="phone"))
    data = receiver.data(call["callId"], "call.stopped_ringing")
    assert (data["outcome"], data["deviceId"]) == ("accepted", "phone")
    caller.end(call["callId"])


def test_a_call_that_has_ended(people, receiver):
    """Contract 8.1: call.ended says what the API says."""
    caller, callee, call = people.connected()
    expect.succeeded(caller.report(call["callId"], "good", packetLossRate=0.1, roundTripTime=80))
    callee.end(call["callId"])
    data = receiver.data(call["callId"], "call.ended")
    details = caller.details(call["callId"])
    names = ["callId", "callerId", "calleeId", "callType", "status", "endReason", "createdAt"]
    names += ["acceptedAt", "durationSeconds", "quality"]
    wanted = {name: details[name] for name in names} | {"endedAt": details["endTime"]}
    assert data == wanted
    assert data["quality"]["samples"] == 1


def test_a_busy_callee_is_not_woken(people, receiver, stack):
    """Contract 8.1: call.missed and call.ended, no invitation."""
    _, callee, first = people.connected()
    other = people.friend_of(callee)
    expect.refused(other.initiate(callee), 409, "USER_BUSY")
    entry = other.history()["calls"][0]
    receiver.wait(entry["callId"], "call.missed", "call.ended")
    assert told(receiver, entry["callId"]) == ["call.missed", "call.ended"]
    assert receiver.data(entry["callId"], "call.ended")["endReason"] == "busy"
    callee.end(first["callId"])


# Delivery (contract 8.2).


@pytest.mark.parametrize(
    "action",
    [(500, {}), (404, {}), (302, {"Location": "https://127.0.0.1:1/"}), "close", "half"],
    ids=["500", "404", "redirect", "closed", "half"],
)
def test_a_failure_is_tried_again(people, receiver, action):
    """Contract 8.2: again after a second, with the same id, and nothing overtakes it in its call."""
    # A connection that was kept may have been closed for its age: there the request is sent once more at once.
    actions = [action, action] if action in ("close", "half") else [action]
    caller, callee, call = prepared_call(people, receiver, *actions)
    caller.end(call["callId"])
    requests = receiver.wait(call["callId"], "call.ended", timeout=90)
    order = ["call.invitation", "call.stopped_ringing", "call.missed", "call.ended"]
    assert [kind for kind, _ in itertools.groupby(request.type for request in requests)] == order
    invitations = [request for request in requests if request.type == "call.invitation"]
    assert len(invitations) == len(actions) + 1
    assert len({request.id for request in invitations}) == 1
    assert invitations[-1].at - invitations[0].at > 0.75
    for request in requests:
        receiver.verify(request)


def test_a_receiver_that_hangs_holds_up_its_own_call_only(people, receiver):
    """Contract 8.2: no answer within 10 s is a failure; other calls are told meanwhile."""
    # On a machine that stands still for ten seconds the requests that hang are given up meanwhile.
    for _ in range(3):
        with Pauses() as pauses:
            hanging = [prepared_call(people, receiver, "hang") for _ in range(3)]
            for _, _, call in hanging:
                receiver.wait(call["callId"], "call.invitation")
            caller, callee, call = people.ringing()
            caller.end(call["callId"])
            receiver.wait(call["callId"], "call.ended")
            hang = [len(receiver.of(stuck["callId"])) == 1 for _, _, stuck in hanging]
        if all(hang):
            break
        assert pauses.seconds > 1, "a call waited for others"
    assert all(hang)
    for _, _, stuck in hanging:
        wait_until(lambda c=stuck: len(receiver.of(c["callId"])) > 1, 90, 0.1)
        invitations = [r for r in receiver.of(stuck["callId"]) if r.type == "call.invitation"]
        assert len({request.id for request in invitations}) == 1
        first, second = (int(each.headers["webhook-timestamp"]) for each in invitations[:2])
        assert second - first >= 10


def test_the_receiver_says_when(people, receiver):
    """Contract 8.2: Retry-After holds in place of the schedule."""
    _, _, call = prepared_call(people, receiver, (503, {"Retry-After": "3"}))
    wait_until(lambda: len(receiver.of(call["callId"])) > 1, 60)
    first, second = receiver.of(call["callId"])[:2]
    assert second.at - first.at > 2.9


def test_gone_drops_the_event(people, receiver, stack):
    """Contract 8.2: 410 gives this event up, and the next ones are sent; an operator sends it again."""
    caller, callee, call = prepared_call(people, receiver, (410, {}))
    caller.end(call["callId"])
    requests = receiver.wait(call["callId"], "call.ended")
    assert [request.type for request in requests].count("call.invitation") == 1
    failed = requests[0].id

    def listed() -> bool:
        return failed in ctl(stack, "webhooks", "list", "--failed", "--limit", "1000")

    assert wait_until(listed)
    ctl(stack, "webhooks", "retry", failed)
    wait_until(lambda: receiver.types(call["callId"]).count("call.invitation") == 2)
    wait_until(lambda: not listed())
    assert receiver.of(call["callId"])[-1].id == failed
    ctl(stack, "webhooks", "retry", f"{call['callId']}-9", status=1)
    ctl(stack, "webhooks", "retry", "nonsense", status=64)


def waiting(stack, call_id: str) -> list[dict]:
    return stack.sql(
        "SELECT event_type, state, attempts, due_at FROM webhook_events WHERE call_id = %s "
        "ORDER BY sequence",
        call_id,
    )


def test_an_invitation_is_not_sent_long_after_it_expired(people, receiver, stack):
    """Contract 8.2: a minute after expiresAt it is given up; call.missed and call.ended are sent."""
    receiver.close()
    try:
        caller, _, call = people.ringing()
        caller.end(call["callId"])
        wait_until(lambda: waiting(stack, call["callId"])[0]["attempts"] > 0)
        clock.shift_call(stack, call["callId"], 3600)
    finally:
        receiver.open()
    receiver.wait(call["callId"], "call.ended", timeout=90)
    assert told(receiver, call["callId"]) == ["call.missed", "call.ended"]
    states = [row["state"] for row in waiting(stack, call["callId"])]
    assert states[:2] == ["failed", "failed"]


def test_a_receiver_that_is_away_for_a_moment(people, receiver):
    """Contract 8.2: nothing is lost and nothing is out of order in its call."""
    receiver.close()
    calls = []
    try:
        for _ in range(10):
            caller, callee, call = people.connecting()
            caller.end(call["callId"])
            calls.append(call["callId"])
    finally:
        receiver.open()
    for call in calls:
        receiver.wait(call, "call.ended", timeout=90)
        assert told(receiver, call) == ["call.invitation", "call.stopped_ringing", "call.ended"]


def later(stack, calls: list[str], seconds: int) -> None:
    """As if so much time had gone by since the last attempts."""
    stack.sql(
        "UPDATE webhook_events SET due_at = due_at - INTERVAL %s SECOND "
        "WHERE due_at IS NOT NULL AND leased_by IS NULL AND call_id IN %s",
        seconds,
        calls,
    )


def test_a_receiver_that_is_away_for_ten_minutes(people, receiver, stack):
    """Contract 8.2: what is worth telling is told; invitations are given up. Time goes by in the database."""
    receiver.close()
    calls = []
    try:
        for _ in range(10):
            caller, callee, call = people.connecting()
            caller.end(call["callId"])
            calls.append(call["callId"])

        def attempts() -> list[int]:
            return [waiting(stack, call)[-1]["attempts"] for call in calls]

        def has_been_tried(times: int) -> bool:
            later(stack, calls, 130)
            return min(attempts()) >= times

        wait_until(lambda: has_been_tried(4), 150, 0.5)
        assert not any(receiver.of(call) for call in calls)
    finally:
        receiver.open()
    later(stack, calls, 800)
    for call in calls:
        receiver.wait(call, "call.ended", timeout=90)
        assert told(receiver, call) == ["call.ended"]

        def states(call=call) -> list[str]:
            return [row["state"] for row in waiting(stack, call)]

        wait_until(lambda s=states: s() == ["failed", "failed", "delivered"])


def test_no_more_than_so_many_at_once(people, receiver):
    """Contract 8.2: at most WEBHOOK_CONCURRENCY (16) requests at once."""
    calls = [prepared_call(people, receiver, "hang") for _ in range(24)]
    ids = {call["callId"] for _, _, call in calls}

    def begun() -> int:
        return sum(1 for call in ids if receiver.of(call))

    def most_at_once() -> int:
        """Of the calls' first requests, begun within five seconds by the sender's clock: none is answered, and none is
        given up before ten."""
        firsts = [found[0] for call in ids if (found := receiver.of(call))]
        times = [int(request.headers["webhook-timestamp"]) for request in firsts]
        return max(sum(begin <= time_ < begin + 5 for time_ in times) for begin in times)

    wait_until(lambda: begun() >= 12, 90)
    time.sleep(1)
    assert most_at_once() <= 16
    receiver.gate.set()
    try:
        wait_until(lambda: begun() == 24, 90, 0.1)
    finally:
        receiver.gate.clear()
    for caller, _, call in calls:
        caller.end(call["callId"])


def test_the_figures(people, receiver, stack):
    """Contract 8.2: what was sent and given up stands in /metrics."""
    caller, _, call = people.ringing()
    caller.end(call["callId"])
    receiver.wait(call["callId"], "call.ended")
    text = send(stack, "GET", stack["OPS_URL"].rstrip("/") + "/metrics").text
    for name in (
        'chattrix_webhook_requests_total{outcome="delivered"}',
        'chattrix_webhook_requests_total{outcome="failed"}',
        "chattrix_webhooks_given_up_total",
        "chattrix_webhooks_pending",
        "chattrix_webhook_lag_seconds",
    ):
        assert name in text
    delivered = text.split('requests_total{outcome="delivered"} ')[1].split()[0]
    assert int(delivered) > 0
