"""Logins that end soon, and the sockets that they opened (contract §10)."""

from __future__ import annotations

import time

import pytest

from support import expect, keys
from support.wire import Ended, Wire

LEEWAY = 30
EXPIRED = 4401
# Seconds of a login that is to end during a test; what has to be done before may be held up by ten of them.
LASTS = 14
# Seconds of a login that ended long ago.
ENDED = -60


def login(person, seconds: int, **claims) -> tuple[str, str]:
    """A token that is good for so many seconds, less than one of them gone, and when it ends."""
    expiry = int(time.time()) + seconds - LEEWAY
    token = keys.token(person.stack["JWT_SECRET"], person.id, exp=expiry, **claims)
    return token, moment(expiry + LEEWAY)


def moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def ended(end: str) -> bool:
    return time.time() > expect.milliseconds(end) / 1000


def wait_for(end: str) -> None:
    """Until a login has ended, and the server had time to see it."""
    time.sleep(max(0, expect.milliseconds(end) / 1000 - time.time()) + 1)


def renewed(result: dict) -> str | None:
    assert result["status"] == 200, result
    assert result["body"]["success"] is True and result["body"]["requestId"]
    return result["body"]["data"]["authenticatedUntil"]


def refused(result: dict, status: int, code: str) -> dict:
    assert result["status"] == status, result
    assert result["body"]["success"] is False and result["body"]["error"]["code"] == code, result
    return result["body"]["error"]


def connected(person, token: str, address: str, **options) -> tuple[Wire, dict]:
    wire = Wire(person.stack, token, door=address, **options)
    wire.accepted()
    frame = wire.frame()
    assert frame["type"] == "connected"
    return wire, frame["data"]


def close_code(wire: Wire) -> int | None:
    with pytest.raises(Ended) as end:
        while True:
            wire.frame()
    return end.value.close.code if end.value.close else None
