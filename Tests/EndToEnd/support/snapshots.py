"""Whether `connected` agrees with the events: one moment, seen twice (contract §6.2, §7.8)."""

from __future__ import annotations

# How far a call can have got.
ORDER = ["initiating", "ringing", "connecting", "connected", "disconnecting", "over"]
TELLS = {
    "call_invitation": "initiating",
    "call_ringing": "ringing",
    "call_accepted": "connecting",
    "call_rejected": "over",
    "call_timeout": "over",
    "call_ended": "over",
}


def told(event: dict) -> int | None:
    """How far a call has got by what its participant is told, as an index of ORDER."""
    if event["type"] == "call_quality_warning":
        return None
    if event["type"] == "call_answered_elsewhere":
        return ORDER.index("connecting" if event["data"]["outcome"] == "accepted" else "over")
    return ORDER.index(TELLS.get(event["type"]) or event["data"]["status"])


def is_by_time(event: dict) -> bool:
    """Whether a deadline has ended the call: of ringing, of the call, of its hanging up."""
    data = event["data"]
    by_the_system = event["type"] == "call_ended" and data["endedBy"] is None
    return event["type"] == "call_timeout" or (
        by_the_system and data["endReason"] in ("max_duration", "hangup")
    )


def agrees(greeting: dict, events: list[dict]) -> bool:
    """Whether `activeCall` is as far as the events up to `lastEventId` tell, and not as far as the
    next one tells; `events` are all those of the user."""
    newest = int(greeting["lastEventId"])
    moves = [event for event in events if told(event) is not None]
    past = [event for event in moves if int(event["id"]) <= newest][-1:]
    future = [event for event in moves if int(event["id"]) > newest][:1]
    call = greeting["activeCall"]
    if call is None:
        # Whose time is up is over before anybody has said so (§4). Otherwise a call that goes on was
        # not over.
        goes_on = past and future and past[0]["data"]["callId"] == future[0]["data"]["callId"]
        return not goes_on or is_by_time(future[0])
    now = ORDER.index(call["status"])
    return all(told(e) <= now for e in past if e["data"]["callId"] == call["callId"]) and all(
        now < told(e) for e in future if e["data"]["callId"] == call["callId"]
    )
