"""Whether a frame of the server is one that asyncapi.json describes."""

from __future__ import annotations

import functools
import json
from urllib.parse import urlsplit

from description.documents import asyncapi


@functools.cache
def payloads(path: str, action: str) -> dict[str, dict]:
    """Type → schema of the frames that go one way at a path: what the server sends or receives."""
    content = asyncapi().content
    found = {}
    for operation in content["operations"].values():
        channel = asyncapi().resolve(operation["channel"])
        if channel["address"] != path:
            continue
        sent = operation["messages"] if operation["action"] == action else []
        if action == "send":
            sent = sent + operation.get("reply", {}).get("messages", [])
        for message in sent:
            payload = asyncapi().resolve(message)["payload"]
            found[payload["properties"]["type"]["const"]] = payload
    return found


def faults(path: str, frame: dict, action: str = "send") -> list[str]:
    """What about a frame is not as described; nothing where all is."""
    described = payloads(path, action)
    if frame.get("type") not in described:
        return [f"type {frame.get('type')!r} is not described"]
    return asyncapi().faults(described[frame["type"]], frame)


def check(url: str, frame: dict) -> None:
    """Fails the test whose connection was sent a frame that is not as described."""
    found = faults(urlsplit(url).path, frame)
    assert not found, (
        f"not as asyncapi.json describes it: {'; '.join(found)}\n{json.dumps(frame)[:1000]}"
    )
