"""Two participants whose ids hash alike (contract §4: the callee takes the next number; R3.2)."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from support import agora, expect

criterion = pytest.mark.criterion


def hashed(user_id: str) -> int:
    """How this program hashes: the first 32 bits of SHA-256, with the highest bit set."""
    return int.from_bytes(hashlib.sha256(user_id.encode()).digest()[:4], "big") | 2**31


def collision() -> tuple[str, str]:
    """Two ids that hash alike: of 2³¹ values some 50,000 tries give one."""
    prefix, seen = uuid.uuid4().hex[:16], {}
    number = 0
    while True:
        identity = f"{prefix}-{number}"
        uid = hashed(identity)
        if uid in seen and uid < 2**32 - 1:
            return seen[uid], identity
        seen[uid] = identity
        number += 1


@criterion("R3.2")
def test_the_callee_steps_aside(people):
    """R3.2: in that call the callee's uid is one higher, also in a refresh; elsewhere it is not."""
    ids = collision()
    one, two = (people.person(id=identity) for identity in ids)
    people.befriend(one, two)
    for caller, callee in ((one, two), (two, one)):
        call = caller.call(callee)
        callee.accept(call["callId"])
        body = {"channelId": call["channelId"]}
        uids = {}
        for person in (caller, callee):
            data = expect.succeeded(person.post("/agora/token/generate", body))
            uids[person.id] = data["uid"]
            assert agora.read(data["token"]).uid == str(data["uid"])
            old = {"oldToken": data["token"]}
            again = expect.succeeded(person.post("/agora/token/refresh", body | old))
            assert again["uid"] == data["uid"]
        assert uids == {caller.id: hashed(caller.id), callee.id: hashed(caller.id) + 1}
        caller.end(call["callId"])
    other = people.friend_of(two)
    call = other.call(two)
    body = {"channelId": call["channelId"]}
    alone = expect.succeeded(two.post("/agora/token/generate", body))
    assert alone["uid"] == hashed(two.id)
