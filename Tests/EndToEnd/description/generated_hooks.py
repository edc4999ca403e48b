"""Hooks of schemathesis (docs: "Extending Schemathesis"): whose requests the generated ones are.

A generator knows no users. Here its requests are given logins that make them mean something: a call
is initiated between two contacts, accepted by its callee, ended by a participant, and
where a request is valid but for an id that does not exist, a call is brought about that it fits.
What was generated to be wrong stays as it is. A request that is generated again gets the same
treatment, because schemathesis repeats walks and expects the same answers.

The users come from the file GENERATED_PEOPLE, pairs of contacts: [[{"id", "token"}, …], …].
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
import schemathesis

PAIRS = json.loads(Path(os.environ["GENERATED_PEOPLE"]).read_text())
API_URL = os.environ["API_URL"]
# What differs from run to run.
IDENTIFIERS = {"calleeId", "channelId", "oldToken", "userId"}

pairs = itertools.cycle(PAIRS)
pair_of = {pair[0]["id"]: pair for pair in PAIRS}
session = requests.Session()
session.trust_env = False
session.verify = os.environ["CA_FILE"]


@dataclasses.dataclass
class Call:
    """A call between the two of a pair, and the tokens that they were given for it."""

    id: str
    channel: str
    caller: dict
    callee: dict
    tokens: list[tuple[dict, str]] = dataclasses.field(default_factory=list)

    def participant(self, number: int) -> dict:
        return (self.caller, self.callee)[number % 2]


calls: dict[str, Call] = {}
channels: dict[str, Call] = {}


def remember(data: dict) -> Call:
    """A call that an answer told of."""
    call = calls.get(data["callId"])
    if call is None:
        call = Call(data["callId"], data["channelId"], *pair_of[data["callerId"]])
        calls[call.id] = channels[call.channel] = call
    return call


def ask(person: dict, method: str, path: str, body: dict | None = None):
    """A request of our own, to bring a call about; gives its data."""
    headers = {"Authorization": f"Bearer {person['token']}"}
    response = session.request(method, API_URL + path, json=body, headers=headers, timeout=20)
    assert response.ok, response.text
    return response.json()["data"]


def fresh_pair() -> list[dict]:
    """Two who have never called anybody, as long as there are such."""
    return next(pairs)


def staged(steps: int) -> Call:
    """A new call: 0 is unanswered, 1 accepted, 2 connected, 3 disconnecting, 4 over."""
    caller, callee = fresh_pair()
    body = {"calleeId": callee["id"], "callType": "audio"}
    call = remember(ask(caller, "POST", "/calls/initiate", body))
    path = f"/calls/{call.id}"
    if steps >= 1:
        ask(callee, "POST", path + "/accept", {"deviceId": "staged"})
        for person in (caller, callee):
            data = ask(person, "POST", "/agora/token/generate", {"channelId": call.channel})
            call.tokens.append((person, data["token"]))
    if steps >= 2:
        ask(caller, "PATCH", path + "/status", {"status": "connected"})
    if steps == 3:
        ask(caller, "PATCH", path + "/status", {"status": "disconnecting"})
    if steps == 4:
        ask(caller, "POST", path + "/end", {})
    return call


@schemathesis.auth()
class Login:
    """Every request has a login; `before_call` changes it where another fits better."""

    def get(self, case, context):
        return PAIRS[0][0]["token"]

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


def is_valid(case) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def number_of(case) -> int:
    """The same for the same request, whatever ids are in it."""
    parts = [case.operation.label]
    for members in (case.query, case.body):
        if isinstance(members, dict):
            members = {k: v for k, v in members.items() if k not in IDENTIFIERS}
        parts.append(repr(members))
    return zlib.crc32("\n".join(parts).encode(errors="replace"))


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers
    if not (headers or {}).get("Authorization", "").startswith("Bearer ey"):
        return  # a probe without a login, or with a wrong one
    number = number_of(case)
    person = actor(case, number)
    headers["Authorization"] = f"Bearer {person['token']}"
    if not is_valid(case) or number % 7 == 0:
        return
    for members in (case.query, case.body):
        if isinstance(members, dict) and members.get("userId") is not None:
            members["userId"] = person["id"]


def actor(case, number: int) -> dict:
    """Who sends the request; where it is valid, with ids that exist put in."""
    path = case.operation.path
    if path == "/calls/initiate":
        return initiator(case, number)
    if path.startswith("/agora/"):
        return joiner(case, number)
    if "{callId}" in path:
        return participant(case, number)
    if path == "/me/availability" and case.method == "PUT" and is_valid(case):
        case.body["until"] = an_hour_from_now() if case.body["doNotDisturb"] else None
    if number % 5 == 0:
        return fresh_pair()[number % 2]
    return staged(4 if path == "/calls/history" else 2).participant(number)


def an_hour_from_now() -> str:
    """A schema cannot say that a time lies ahead."""
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def initiator(case, number: int) -> dict:
    caller, callee = fresh_pair()
    if is_valid(case) and isinstance(case.body, dict) and number % 11 != 0:
        case.body["calleeId"] = callee["id"]
    return caller


def participant(case, number: int) -> dict:
    parameters = case.path_parameters
    call = calls.get(str(parameters.get("callId")))
    if call is None and is_valid(case) and number % 11 != 0:
        choices = (0, 1, 2, 3, 4)
        if case.operation.path.endswith(("/accept", "/reject")):
            choices = (0, 0, 1, 4)
        elif case.method == "DELETE":
            choices = (4,)
        call = staged(choices[number % len(choices)])
        parameters["callId"] = call.id
    if call is None:
        return PAIRS[number % len(PAIRS)][0]
    if case.operation.path.endswith(("/accept", "/reject")) and number % 6 != 0:
        return call.callee
    return call.participant(number)


def joiner(case, number: int) -> dict:
    body = case.body if isinstance(case.body, dict) else {}
    call = channels.get(str(body.get("channelId")))
    for person, token in call.tokens if call else []:
        if token == body.get("oldToken"):
            return person
    if not is_valid(case) or (call is None and number % 11 == 0):
        return call.participant(number) if call else PAIRS[number % len(PAIRS)][0]
    if call is None or ("oldToken" in body and not call.tokens):
        call = staged(1 + number % 2)
        body["channelId"] = call.channel
    if "oldToken" in body:
        person, body["oldToken"] = call.tokens[number % len(call.tokens)]
        return person
    return call.participant(number)


@schemathesis.hook
def after_call(context, case, response):
    """Notes the calls and tokens that generated requests made, for those that follow by a link."""
    if response.status_code not in (200, 201):
        return
    path = case.operation.path
    if path == "/calls/initiate":
        remember(response.json()["data"])
    elif path.startswith("/agora/"):
        data = response.json()["data"]
        bearer = response.request.headers["Authorization"].removeprefix("Bearer ")
        call = channels.get(data["channelId"])
        if call is not None:
            people = (call.caller, call.callee)
            call.tokens += [(one, data["token"]) for one in people if one["token"] == bearer]
