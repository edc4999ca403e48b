"""Kicks at Agora (contract 9.4), against a REST API of the tests'."""

from __future__ import annotations

import base64
import itertools
import time

import pytest

from support import clock, expect
from support.logs import program_lines
from support.programs import ctl
from support.receiver import CUSTOMER
from support.stack import wait_until
from support.variants import variant

pytestmark = [*variant("webhooks"), pytest.mark.timeout(120)]


@pytest.fixture
def agora(stack):
    return stack.receiver


def kicked(agora, call):
    wait_until(lambda: agora.kicks(call["channelId"]), 60, message="a kick")
    return agora.kicks(call["channelId"])


def test_an_operator_ends_a_call(people, agora, stack):
    """Contract 9.4: one request for the whole channel, for as long as its longest token lives."""
    caller, callee, call = people.connected()
    token = caller.post("/agora/token/generate", {"channelId": call["channelId"]})
    expires = expect.moment(expect.succeeded(token)["expiresAt"]).timestamp()
    asked = time.time()
    ctl(stack, "calls", "end", call["callId"])
    (request,) = kicked(agora, call)
    assert request.path == "/agora/dev/v1/kicking-rule"
    wanted = base64.b64encode(":".join(CUSTOMER).encode()).decode()
    assert request.headers["authorization"] == f"Basic {wanted}"
    assert "webhook-signature" not in request.headers
    body = request.json
    lifetime = body.pop("time_in_seconds")
    assert expires - request.at - 1 <= lifetime <= expires - asked + 1
    assert body == {
        "appid": stack["AGORA_APP_ID"],
        "cname": call["channelId"],
        "privileges": ["join_channel"],
    }
    agora.wait(call["callId"], "call.ended")
    assert len(agora.kicks(call["channelId"])) == 1


def test_without_a_token_the_rule_is_short(people, agora, stack):
    """Contract 9.4: 10 s at the least."""
    _, _, call = people.connecting()
    ctl(stack, "calls", "end", call["callId"])
    (request,) = kicked(agora, call)
    assert request.json["time_in_seconds"] == 10


def test_the_system_ends_a_call(people, agora, stack):
    """Contract 9.4: at the maximum duration."""
    caller, _, call = people.connected()
    clock.shift_call(stack, call["callId"], 601)
    people.wait_for_status(caller, call["callId"], "ended")
    assert caller.details(call["callId"])["endReason"] == "max_duration"
    kicked(agora, call)


def test_a_person_ends_a_call(people, agora, stack):
    """Contract 9.4: no kick where a person hung up, whichever reason they gave, or nobody answered."""
    calls = []
    caller, callee, call = people.connected()
    caller.end(call["callId"])
    calls.append(call)
    caller, callee, call = people.connected()
    callee.end(call["callId"], reason="connection_lost")
    calls.append(call)
    caller, callee, call = people.disconnecting()
    clock.shift_call(stack, call["callId"], 11)
    people.wait_for_status(caller, call["callId"], "ended")
    calls.append(call)
    caller, callee, call = people.ringing()
    ctl(stack, "calls", "end", call["callId"])
    calls.append(call)
    _, _, last = people.connecting()
    ctl(stack, "calls", "end", last["callId"])
    kicked(agora, last)
    for call in calls:
        agora.wait(call["callId"], "call.ended")
        assert agora.kicks(call["channelId"]) == []
        assert not stack.sql(
            "SELECT 1 FROM webhook_events WHERE call_id = %s AND event_type = 'agora.kick'",
            call["callId"],
        )


def test_agora_fails_and_then_its_other_address_answers(people, agora, stack):
    """Contract 9.4: again after 1, 3 and 6 s, then at the other address."""
    _, _, call = people.connecting()
    channel = call["channelId"]
    agora.when(
        lambda r: r.path.startswith("/agora") and r.json["cname"] == channel,
        (500, {}),
        (404, {}),
        (429, {}),
        (503, {}),
    )
    ctl(stack, "calls", "end", call["callId"])
    wait_until(lambda: len(agora.kicks(channel)) == 5, 90, 0.1)
    requests = agora.kicks(channel)
    assert [request.path.split("/")[1] for request in requests] == ["agora"] * 4 + ["fallback"]
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(requests)]
    for gap, least in zip(gaps, [1, 3, 6], strict=False):
        assert least - 0.1 < gap, gaps
    wait_until(
        lambda: stack.sql(
            "SELECT 1 FROM webhook_events WHERE call_id = %s AND event_type = 'agora.kick' "
            "AND state = 'delivered'",
            call["callId"],
        )
    )


def test_no_more_than_ten_a_second(people, agora, stack):
    """Contract 9.4: at most ten a second, and none is lost."""
    calls = [people.connecting()[2] for _ in range(25)]
    for call in calls:
        stack.sql(
            "INSERT INTO webhook_events (call_id, sequence, event_type, queue, created_at, due_at) "
            "VALUES (%s, 5, 'agora.kick', 'kick', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 SECOND)",
            call["callId"],
        )
    wanted = {call["callId"]: call["channelId"] for call in calls}

    def noted() -> dict[str, float]:
        """By call, how many seconds the sender waited for the answer."""
        lines = [line for line in program_lines(stack) if line["event"] == "kicked"]
        waits = {line["callId"]: line["milliseconds"] / 1000 for line in lines}
        return waits if wanted.keys() <= waits.keys() else {}

    waits = wait_until(noted, 60, 0.2, "25 kicks in the log")
    # A request was sent at some moment between its arrival and as much before as the sender waited: a busy machine may
    # hold up what has arrived. PlacesTests counts them where they are sent.
    arrivals = {call_id: agora.kicks(channel)[0].at for call_id, channel in wanted.items()}
    sent = sorted((at - waits[call_id], at) for call_id, at in arrivals.items())
    for first, _ in sent:
        assert sum(first <= begin and end < first + 0.6 for begin, end in sent) <= 10, sent
    assert max(end for _, end in sent) - sent[0][0] > 1.6, sent
