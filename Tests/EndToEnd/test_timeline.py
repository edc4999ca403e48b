"""`chattrix-ctl calls show`: one call's timeline, for support."""

from __future__ import annotations

import json

from support import expect
from support.logs import program_lines
from support.programs import ctl
from support.stack import wait_until


def shown(people, call_id: str) -> dict:
    return json.loads(ctl(people.stack, "calls", "show", call_id, "--json"))


def test_a_timeline(people):
    """Every event of either participant, the device that caused it, tokens, quality; by time."""
    caller, callee = people.pair()
    phone, tablet = callee.socket(device="phone"), callee.socket(device="tablet")
    call_id = caller.call(callee)["callId"]
    phone.take("call_invitation")
    people.wait_for_status(caller, call_id, "ringing")
    assert phone.command("call.accept", callId=call_id)["status"] == 200
    tablet.take("call_answered_elsewhere")
    channel = caller.active()["channelId"]
    token = caller.post("/agora/token/generate", {"channelId": channel})
    expect.succeeded(token)
    expect.succeeded(callee.set_status(call_id, "connected"))
    expect.succeeded(caller.report(call_id, "veryBad", packetLossRate=0.3, roundTripTime=400))
    expect.succeeded(caller.report(call_id, "good", packetLossRate=0.1, roundTripTime=100))
    caller.end(call_id)
    found = shown(people, call_id)
    assert (found["id"], found["status"], found["endReason"]) == (call_id, "ended", "hangup")
    assert (found["caller"], found["callee"]) == (caller.id, callee.id)
    timeline = found["timeline"]
    assert [entry["time"] for entry in timeline] == sorted(entry["time"] for entry in timeline)
    assert {(entry["kind"], entry["name"], entry["user"]) for entry in timeline} == {
        ("call", "initiated", caller.id),
        ("event", "call_invitation", callee.id),
        ("event", "call_ringing", caller.id),
        ("call", "accepted", callee.id),
        ("event", "call_accepted", caller.id),
        ("event", "call_answered_elsewhere", callee.id),
        ("token", "generate", caller.id),
        ("call", "connected", None),
        ("event", "call_status_updated", caller.id),
        ("event", "call_quality_warning", callee.id),
        ("call", "ended", None),
        ("event", "call_ended", callee.id),
    }
    by_name = {entry["name"]: entry for entry in timeline}
    assert by_name["accepted"]["device"] == "phone"
    assert by_name["call_answered_elsewhere"]["device"] == "phone"
    assert by_name["call_status_updated"]["details"] == "status=connected"
    assert by_name["call_quality_warning"]["details"] == "networkQuality=veryBad"
    (quality,) = found["quality"]
    assert (quality["user"], quality["samples"], quality["score"]) == (caller.id, "2", "2.5")
    assert (quality["loss"], quality["highestLoss"]) == ("0.2", "0.3")
    assert (quality["roundTrip"], quality["highestRoundTrip"]) == ("250.0", "400.0")
    assert 1 <= float(quality["meanOpinionScore"]) < 3

    request_id = by_name["generate"]["requestId"]
    assert request_id == token.headers["X-Request-Id"]

    def logged():
        lines = [line for line in program_lines(people.stack) if "requestId" in line]
        return [line for line in lines if line["requestId"] == request_id]

    assert wait_until(logged)[0]["route"] == "/agora/token/generate"


def test_as_text(people):
    """What the command said before, then the timeline as a table; quality only where there is some."""
    caller, callee, call = people.ringing()
    lines = ctl(people.stack, "calls", "show", call["callId"]).splitlines()
    assert lines[0].split() == ["id", call["callId"]]
    assert lines[13].split() == ["durationSeconds", "0"]
    assert [line.split() for line in lines[14:16]] == [["callerMedia", "-"], ["calleeMedia", "-"]]
    assert lines[16] == ""
    assert lines[17].split() == "TIME KIND NAME USER DEVICE EVENTID REQUESTID DETAILS".split()
    assert lines[18].split()[1:4] == ["call", "initiated", caller.id]
    assert lines[19].split()[1:4] == ["event", "call_invitation", callee.id]
    assert len(lines) == 20
    caller.end(call["callId"])


def test_no_such_call(people):
    ctl(people.stack, "calls", "show", "01a22ab1-5bcc-7d51-b66f-e536ae9ebf5b", status=1)
