"""Every REST route of the contract, for tests that go through all of them."""

from __future__ import annotations

import uuid

# method, path ({id}: a call id), a body that is valid, whether it names a call in its path
ROUTES = [
    ("POST", "/agora/token/generate", {"channelId": "some-channel"}),
    ("POST", "/agora/token/refresh", {"channelId": "some-channel", "oldToken": "007eJx"}),
    ("POST", "/calls/initiate", {"calleeId": "nobody", "callType": "audio"}),
    ("POST", "/calls/{id}/accept", {}),
    ("POST", "/calls/{id}/reject", {}),
    ("POST", "/calls/{id}/end", {}),
    ("PATCH", "/calls/{id}/status", {"status": "connected"}),
    ("POST", "/calls/{id}/quality", {"networkQuality": "good"}),
    ("GET", "/calls/active", None),
    ("GET", "/calls/{id}", None),
    ("GET", "/calls/history", None),
    ("DELETE", "/calls/history/{id}", None),
    ("GET", "/calls/history/unseen", None),
    ("POST", "/calls/history/seen", {}),
    ("GET", "/calls/statistics", None),
    ("GET", "/me/availability", None),
    ("PUT", "/me/availability", {"doNotDisturb": False}),
    ("POST", "/signaling/ticket", {}),
]

CALL_ROUTES = [route for route in ROUTES if route[1].startswith("/calls/{id}")]
BODY_ROUTES = [route for route in ROUTES if route[0] in ("POST", "PUT", "PATCH")]
BODILESS_ROUTES = [route for route in ROUTES if route not in BODY_ROUTES]
# Those whose body has members of its own (the ticket's has none).
FIELD_ROUTES = [route for route in BODY_ROUTES if "ticket" not in route[1]]

# path → the methods that it has
METHODS: dict[str, set[str]] = {}
for method, path, _ in ROUTES:
    METHODS.setdefault(path, set()).add(method)


def named(routes) -> dict:
    """Arguments for `parametrize`, with readable ids."""
    return {
        "argvalues": routes,
        "ids": [f"{route[0]} {route[1]}" for route in routes],
    }


def at(path: str, call_id: str | None = None) -> str:
    """The path with a call id in it; one that no call has where none is given."""
    return path.replace("{id}", call_id or str(uuid.uuid4()))
