"""How often a request asks MySQL: counted by a relay in front of it, with a worker of its own.

With the database on another host each is a millisecond, and while a call is changed both users' lines are locked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from pathlib import Path

import pytest

from support import expect
from support.notices import Agora
from support.programs import program, stack_environment
from support.stack import ROOT

sys.path.insert(0, str(ROOT / "Tests" / "Bench"))

from roundtrips import Worker

SECRET = "agoras-secret"


@pytest.fixture
def worker(stack):
    environment = stack_environment(stack) | {"AGORA_WEBHOOK_SECRET": SECRET}
    worker = Worker(environment, Path(program("chattrix-worker")))
    yield worker
    worker.stop()


class Caller:
    """Asks the worker as one person and notes what each operation costs."""

    def __init__(self, worker: Worker, person):
        self.worker, self.person = worker, person

    def ask(self, method: str, path: str, **body) -> tuple[int, dict]:
        content = json.dumps(body).encode() if body else b""
        trips, _, answer = self.worker.cost(method, f"/api/v1{path}", self.person.token, content)
        return trips, json.loads(answer)["data"]


def a_whole_call(worker, people) -> dict[str, int]:
    """Every operation once, by two users who have never called: round trips of each."""
    one, other = people.pair()
    caller, callee = Caller(worker, one), Caller(worker, other)
    costs = {}
    costs["initiate, first call"], call = caller.ask(
        "POST", "/calls/initiate", calleeId=other.id, callType="video"
    )
    path = f"/calls/{call['callId']}"
    costs["accept"], _ = callee.ask("POST", f"{path}/accept")
    costs["generate"], token = caller.ask(
        "POST", "/agora/token/generate", channelId=call["channelId"]
    )
    costs["refresh"], _ = caller.ask(
        "POST", "/agora/token/refresh", channelId=call["channelId"], oldToken=token["token"]
    )
    costs["status"], _ = caller.ask("PATCH", f"{path}/status", status="connected")
    costs["quality"], _ = caller.ask("POST", f"{path}/quality", networkQuality="bad")
    costs["active"], _ = caller.ask("GET", "/calls/active")
    costs["details"], _ = caller.ask("GET", path)
    costs["end"], _ = caller.ask("POST", f"{path}/end")
    costs["history"], _ = caller.ask("GET", "/calls/history?page=1&limit=20")
    costs["history, filtered"], _ = caller.ask("GET", "/calls/history?status=completed")
    costs["delete"], _ = caller.ask("DELETE", f"/calls/history/{call['callId']}")
    costs["initiate"], call = caller.ask(
        "POST", "/calls/initiate", calleeId=other.id, callType="audio"
    )
    costs["cancel"], _ = caller.ask("POST", f"/calls/{call['callId']}/end")
    costs["unseen"], unseen = callee.ask("GET", "/calls/history/unseen")
    assert unseen == {"missed": 1}
    costs["seen"], _ = callee.ask("POST", "/calls/history/seen")
    costs["availability"], _ = callee.ask("GET", "/me/availability")
    costs["do not disturb"], _ = callee.ask("PUT", "/me/availability", doNotDisturb=False)
    _, call = caller.ask("POST", "/calls/initiate", calleeId=other.id, callType="audio")
    costs["reject"], _ = callee.ask("POST", f"/calls/{call['callId']}/reject")
    return costs


def test_round_trips(worker, people):
    """A change of a call is two, a read one, whatever it writes and however long the history is."""
    a_whole_call(worker, people)  # prepares the statements
    costs = a_whole_call(worker, people)
    reads = ("generate", "refresh", "active", "details", "history", "history, filtered", "unseen")
    # A change of one user's own rows is a single statement.
    reads += ("delete", "seen", "availability", "do not disturb")
    expected = {name: 1 if name in reads else 2 for name in costs}
    assert costs == expected


def test_a_busy_callee(worker, people, stack):
    """Three, of which one records the call."""
    trips = {}
    for _ in range(2):
        one, other = people.pair()
        third = people.friend_of(other)
        call = expect.succeeded(third.initiate(other), 201)
        body = json.dumps({"calleeId": other.id, "callType": "video"}).encode()
        worker.relay.take()
        status, content = worker.ask("POST", "/api/v1/calls/initiate", one.token, body)
        trips = worker.relay.take()
        assert (status, json.loads(content)["error"]["code"]) == (409, "USER_BUSY")
        third.end(call["callId"])
    assert trips == 3


def test_notices(worker, people, stack):
    """§9.2: a notice of Agora's is two, three where the call changes, and none where it means nothing."""
    agora = Agora(stack)

    def cost(notice: dict) -> int:
        body = json.dumps(notice).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        fields = {"HTTP_AGORA_SIGNATURE_V2": signature}
        trips, _, answer = worker.cost("POST", "/hooks/agora", "", body, fields)
        assert answer == b"{}"
        return trips

    found = []
    for _ in range(2):
        caller, callee, call = people.connecting()
        one, other = (agora.joins(person, call) for person in (caller, callee))
        gone = [agora.leaves(person, call) for person in (caller, callee)]
        notices = [one, one, other, *gone, agora.destroys(call)]
        found = [cost(notice) for notice in notices]
        assert caller.details(call["callId"])["status"] == "ended"
        assert cost(agora.notice(101, {"channelName": call["channelId"]})) == 0
        assert cost(agora.joins(caller, call, channelName="test_webhook")) <= 2
    assert found == [2, 2, 3, 2, 2, 3]


def test_a_callee_who_is_not_to_be_disturbed(worker, people):
    """Three as well."""
    for _ in range(2):
        one, other = people.pair()
        other.quiet()
        body = json.dumps({"calleeId": other.id, "callType": "video"}).encode()
        worker.relay.take()
        status, content = worker.ask("POST", "/api/v1/calls/initiate", one.token, body)
        trips = worker.relay.take()
        assert (status, json.loads(content)["error"]["code"]) == (409, "USER_UNAVAILABLE")
    assert trips == 3


def test_joining_the_callees_call(worker, people):
    """Four: what initiate asks, and an accept."""
    for _ in range(2):
        one, other = people.pair()
        other.call(one)
        asked = {"calleeId": other.id, "callType": "video", "joinIncoming": True}
        trips, data = Caller(worker, one).ask("POST", "/calls/initiate", **asked)
        assert data["joined"] is True
    assert trips == 4
