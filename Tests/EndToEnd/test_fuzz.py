"""Random requests and frames, made from valid ones: contract codes, never a 5xx (R12.1, R12.3)."""

from __future__ import annotations

import contextlib
import json
import random

import pytest
from websockets.exceptions import ConnectionClosed

from support import expect, routes

criterion = pytest.mark.criterion

ATOMS = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63 - 1,
    -(2**63),
    2**64,
    1e-300,
    1e300,
    0.1,
    "",
    " ",
    "a",
    "0",
    "-1",
    "null",
    "video",
    "connected",
    "veryBad",
    "\u0000",
    "\u2028",
    "💥" * 40,
    "a" * 300,
    "%s%n",
    "'",
]
FIELDS = """userId calleeId callType channelId role expirationSeconds oldToken deviceId reason
status networkQuality packetLossRate roundTripTime timestamp callId data type""".split()


def value(chance: random.Random, depth: int = 0):
    """Any JSON value, not too deep."""
    kind = chance.random()
    if kind < 0.75 or depth > 3:
        return chance.choice(ATOMS)
    if kind < 0.87:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(FIELDS): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def mutated(chance: random.Random, body: dict | None) -> bytes:
    """A body with members changed, added and left out; now and then with a byte changed."""
    made = dict(body or {})
    for _ in range(chance.randrange(4)):
        made[chance.choice(FIELDS)] = value(chance)
    if made and chance.random() < 0.2:
        made.pop(chance.choice(list(made)))
    text = bytearray(json.dumps(made, ensure_ascii=chance.random() < 0.5).encode())
    if chance.random() < 0.2:
        text[chance.randrange(len(text))] = chance.randrange(256)
    return bytes(text)


@criterion("R12.1", "R12.3")
@pytest.mark.parametrize("seed", range(6))
def test_requests(people, seed):
    """Every route with bodies and queries like none that anybody would send."""
    chance = random.Random(seed)
    for number in range(60):
        if number % 4 == 0:
            caller, callee, call = people.connecting()
        method, path, body = chance.choice(routes.ROUTES)
        call_id = chance.choice([call["callId"], call["callId"], "x", str(number)])
        if "channelId" in (body or {}):
            body = body | {"channelId": call["channelId"]}
        query = {
            name: chance.choice(ATOMS)
            for name in ("page", "limit", "cursor", "callType", "status", "period", "userId")
            if chance.random() < 0.15
        }
        response = chance.choice([caller, callee]).send(
            method,
            routes.at(path, call_id),
            params=query,
            data=mutated(chance, body) if body is not None or chance.random() < 0.1 else None,
            headers={"Content-Type": "application/json"},
        )
        assert response.status_code < 500, (response.request.body, expect.described(response))
        envelope = expect.envelope(response)
        assert envelope["success"] is (response.status_code < 300), expect.described(response)


@criterion("R12.1")
@pytest.mark.parametrize("seed", range(4))
def test_frames(people, seed):
    """Frames of any JSON: the connection answers or closes, and a fresh one works."""
    chance = random.Random(seed)
    caller, callee, call = people.connected()
    for _ in range(4):
        socket = caller.socket()
        with contextlib.suppress(ConnectionClosed):
            for _ in range(15):
                kind = chance.choice(["heartbeat", "call.accept", "call.end", "call.reject", "x"])
                frame = {"type": kind, "requestId": chance.choice(["r", 1, None, {}])}
                frame["data"] = {"callId": chance.choice(["x", 5, None, call["callId"] + "x"])}
                socket.send(mutated(chance, frame).decode(errors="replace"))
            socket.listen(0.1)
        for frame in socket.frames:
            if frame["type"] == "command_result":
                assert frame["data"]["status"] < 500, frame
    assert callee.socket().heartbeat()
