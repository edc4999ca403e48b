"""Signaling handshakes: tickets, and the HTTP errors that refuse one (contract §6.1)."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus

from support import expect
from support.sockets import Socket


def not_admitted(stack, status: int, code: str, **options) -> None:
    """No upgrade: an HTTP error with the error body."""
    with pytest.raises(InvalidStatus) as refusal:
        Socket(stack, **options)
    response = refusal.value.response
    assert response.status_code == status, (response.status_code, response.body)
    assert response.headers["Content-Type"].startswith("application/json")
    body = json.loads(response.body)
    assert body["success"] is False and body["error"]["code"] == code, body
    assert body["error"]["message"] and body["requestId"]
    assert response.headers["X-Request-Id"] == body["requestId"]


def ticket(person) -> str:
    return expect.succeeded(person.post("/signaling/ticket", {}))["ticket"]
