"""Agora's side of its notifications: what it POSTs about a call's channel, signed (contract §9.1).

Source: docs.agora.io, "Channel event types" (the bodies) and "Add signature verification".
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
import uuid

import requests

from support import agora
from support.people import Person, send
from support.stack import Stack

CHANNEL_CREATE, CHANNEL_DESTROY = 101, 102
JOINS, LEAVES = (103, 105, 107), (104, 106, 108)
BY_ITSELF, TIMED_OUT, RECONNECTS = 1, 2, 10


class Agora:
    """Agora's servers, as far as they know of one stack."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.sequences = itertools.count(time.time_ns() // 1_000_000)

    def notice(self, event: int, payload: dict, **members) -> dict:
        """A body, with the members that Agora documents."""
        return {
            "noticeId": f"{uuid.uuid4().int % 10**10}:{uuid.uuid4().int % 10**5}:{event}",
            "productId": 1,
            "eventType": event,
            "notifyMs": time.time_ns() // 1_000_000,
            "sid": uuid.uuid4().hex.upper(),
            "payload": payload,
        } | members

    def post(self, body: bytes, signature: str | None = None, **headers) -> requests.Response:
        """Sends a body; signed, unless another signature is given."""
        if signature is None:
            signature = self.sign(body)
        if signature:
            headers["Agora-Signature-V2"] = signature
        url = self.stack["OPS_URL"].rstrip("/") + "/hooks/agora"
        headers["Content-Type"] = "application/json"
        return send(self.stack, "POST", url, data=body, headers=headers)

    def sign(self, body: bytes) -> str:
        secret = self.stack["AGORA_WEBHOOK_SECRET"].encode()
        return hmac.new(secret, body, hashlib.sha256).hexdigest()

    def deliver(self, *notices: dict) -> None:
        """Sends notices one after the other, and sees them taken."""
        for notice in notices:
            response = self.post(json.dumps(notice).encode())
            assert response.status_code == 200, response.text
            assert response.content == b"{}"

    # Notices of what happens in a call's channel, to be delivered in any order.

    def event(self, call: dict, event: int, person: Person | None = None, **payload) -> dict:
        at = payload.pop("at", time.time())
        members = {"channelName": call["channelId"], "ts": int(at)} | payload
        if person is not None:
            number = next(self.sequences)
            members = {"uid": uid(person, call), "platform": 1, "clientSeq": number} | members
        return self.notice(event, members, notifyMs=int(at * 1000))

    def joins(self, person: Person, call: dict, event: int = 107, **payload) -> dict:
        return self.event(call, event, person, **payload)

    def leaves(
        self, person: Person, call: dict, reason: int = BY_ITSELF, event: int = 108, **payload
    ) -> dict:
        return self.event(call, event, person, reason=reason, duration=600, **payload)

    def destroys(self, call: dict, **payload) -> dict:
        return self.event(call, CHANNEL_DESTROY, lastUid=7, **payload)

    def both_join(self, caller: Person, callee: Person, call: dict) -> None:
        self.deliver(self.joins(caller, call), self.joins(callee, call))


def uid(person: Person, call: dict) -> int:
    """The uid that the person's token for the channel is for, read out of the token."""
    cached = person.__dict__.setdefault("uids", {})
    if call["channelId"] not in cached:
        response = person.post("/agora/token/generate", {"channelId": call["channelId"]})
        cached[call["channelId"]] = int(agora.read(response.json()["data"]["token"]).uid)
    return cached[call["channelId"]]
