"""/ws/chat, the path of the existing app: the same in upper case (contract §6.5, §7.8)."""

from __future__ import annotations

import pytest

from support import expect

criterion = pytest.mark.criterion


@criterion("R11.1", "R11.2", "R7.4")
def test_chat_is_in_upper_case(people):
    """The existing app reads callType, networkQuality and statuses in upper case."""
    caller, callee = people.pair()
    mine, theirs = caller.socket(path="/chat"), callee.socket(path="/chat")
    lower = callee.socket()
    call = caller.call(callee, "audio")
    call_id = call["callId"]
    assert theirs.take("call_invitation")["data"]["callType"] == "AUDIO"
    assert lower.take("call_invitation")["data"]["callType"] == "audio"
    result = theirs.command("call.accept", callId=call_id)
    assert result["body"]["data"]["status"] == "CONNECTING"
    mine.take("call_accepted")
    expect.succeeded(caller.set_status(call_id, "connected"))
    assert theirs.take("call_status_updated")["data"]["status"] == "CONNECTED"
    assert lower.take("call_status_updated")["data"]["status"] == "connected"
    active = callee.socket(path="/chat").greeting["activeCall"]
    assert (active["status"], active["callType"]) == ("CONNECTED", "AUDIO")
    expect.succeeded(caller.report(call_id, "veryBad"))
    assert theirs.take("call_quality_warning")["data"]["networkQuality"] == "VERY_BAD"
    assert lower.take("call_quality_warning")["data"]["networkQuality"] == "veryBad"
    expect.succeeded(callee.report(call_id, "poor"))
    assert mine.take("call_quality_warning")["data"]["networkQuality"] == "POOR"
    result = theirs.command("call.end", callId=call_id)
    assert result["body"]["data"]["status"] == "ENDED"
    assert mine.take("call_ended")["data"]["endReason"] == "hangup"


def test_chat_replays_in_upper_case(people):
    caller, callee, call = people.warned(1)
    socket = callee.socket(path="/chat", last_event_id=0)
    assert socket.take("call_invitation")["data"]["callType"] == "VIDEO"
    assert socket.take("call_status_updated")["data"]["status"] == "CONNECTED"
    assert socket.take("call_quality_warning")["data"]["networkQuality"] == "POOR"
