"""What the sockets hear of calls: each event, who gets it, who does not (contract §6.2; R11).

Where a test shows that nothing came, a later event on the same socket is the fence: events come in
order per user, so what did not come before it was never sent.
"""

from __future__ import annotations

import pytest

from support import expect

criterion = pytest.mark.criterion


@criterion("R11.1", "R1.3", "R2.1")
@pytest.mark.parametrize("kind", ["audio", "video"])
def test_call_invitation(people, kind):
    """R11.1: the callee is invited, with the caller's details; the caller's sockets are not."""
    caller, callee = people.pair()
    mine, theirs = caller.socket(), callee.socket()
    call = caller.call(callee, kind)
    invitation = theirs.take("call_invitation")
    assert invitation["data"] == {
        "callId": call["callId"],
        "channelId": call["channelId"],
        "callerId": caller.id,
        "callerName": caller.full_name,
        "callerAvatar": caller.avatar,
        "callType": kind,
        "expiresAt": call["expiresAt"],
    }
    mine.take("call_ringing", callId=call["callId"])
    assert mine.types == ["call_ringing"] and theirs.types == ["call_invitation"]


@criterion("R1.3")
def test_call_ringing(people):
    """The caller hears that a device of the callee rings, once, however many do."""
    caller, callee = people.pair()
    mine = caller.socket()
    devices = [callee.socket(device=name) for name in ("phone", "tablet", "desk")]
    call = caller.call(callee)
    for device in devices:
        device.take("call_invitation", callId=call["callId"])
    assert mine.take("call_ringing")["data"] == {"callId": call["callId"]}
    callee.accept(call["callId"])
    mine.take("call_accepted")
    assert mine.types == ["call_ringing", "call_accepted"]


@criterion("R1.3")
def test_no_ringing_without_a_device(people):
    """While no device of the callee is connected, the call is not said to ring."""
    caller, callee = people.pair()
    mine = caller.socket()
    call = caller.call(callee)
    callee.accept(call["callId"])
    mine.take("call_accepted")
    assert mine.types == ["call_accepted"]


@criterion("R11.2", "R2.2")
def test_call_accepted(people):
    """R11.2: the caller hears of the acceptance, on every device."""
    caller, callee = people.pair()
    mine = [caller.socket(), caller.socket()]
    call = caller.call(callee)
    callee.accept(call["callId"])
    for socket in mine:
        assert socket.take("call_accepted")["data"] == {
            "callId": call["callId"],
            "channelId": call["channelId"],
            "acceptedBy": callee.id,
        }


@criterion("R11.3", "R2.3")
@pytest.mark.parametrize("reason", ["busy", "declined", "unavailable", "timeout"])
def test_call_rejected(people, reason):
    """R11.3: the caller hears of the rejection, with the reason."""
    caller, callee = people.pair()
    mine = caller.socket()
    call = caller.call(callee)
    callee.reject(call["callId"], reason=reason)
    assert mine.take("call_rejected")["data"] == {
        "callId": call["callId"],
        "rejectedBy": callee.id,
        "reason": reason,
    }


@criterion("R11.3")
def test_an_end_by_the_callee_before_the_answer_is_a_rejection(people):
    caller, callee = people.pair()
    mine = caller.socket()
    call = caller.call(callee)
    callee.end(call["callId"])
    assert mine.take("call_rejected")["data"]["reason"] == "declined"


@criterion("R11.4", "R5.3")
@pytest.mark.parametrize("who", [0, 1], ids=["caller", "callee"])
@pytest.mark.parametrize("status", ["connecting", "connected", "disconnecting"])
def test_call_ended(people, who, status):
    """R11.4: the other participant hears of the end; the one who ended it does not."""
    parties = people.in_status(status)
    person, other, call_id = parties[who], parties[1 - who], parties[2]["callId"]
    mine, theirs = person.socket(), other.socket()
    ended = person.end(call_id)
    assert theirs.take("call_ended")["data"] == {
        "callId": call_id,
        "endedBy": person.id,
        "endReason": "hangup",
        "durationSeconds": ended["durationSeconds"],
    }
    bell = people.friend_of(person).call(person)
    assert mine.until(bell["callId"]) == []


@criterion("R11.4")
def test_a_cancelled_call(people):
    """The caller's cancellation ends the ringing on all devices of the callee."""
    caller, callee = people.pair()
    devices = [callee.socket(device=name) for name in ("phone", "tablet")]
    call = caller.call(callee)
    for device in devices:
        device.take("call_invitation")
    caller.end(call["callId"])
    for device in devices:
        assert device.take("call_ended")["data"] == {
            "callId": call["callId"],
            "endedBy": caller.id,
            "endReason": "cancelled",
            "durationSeconds": 0,
        }


@criterion("R5.3")
def test_end_again_says_nothing_again(people):
    caller, callee, call = people.connected()
    theirs = callee.socket()
    for _ in range(3):
        caller.end(call["callId"])
    theirs.take("call_ended")
    bell = people.friend_of(callee).call(callee)
    assert [frame["type"] for frame in theirs.until(bell["callId"])] == ["call_ended"]


def test_call_status_updated(people):
    """The other participant hears of `connected` and `disconnecting`; once."""
    caller, callee, call = people.connecting()
    mine, theirs = caller.socket(), callee.socket()
    call_id = call["callId"]
    expect.succeeded(caller.set_status(call_id, "connected"))
    assert theirs.take("call_status_updated")["data"] == {
        "callId": call_id,
        "status": "connected",
        "updatedBy": caller.id,
    }
    expect.succeeded(callee.set_status(call_id, "connected"))  # changes nothing
    expect.succeeded(callee.set_status(call_id, "disconnecting"))
    assert mine.take("call_status_updated")["data"] == {
        "callId": call_id,
        "status": "disconnecting",
        "updatedBy": callee.id,
    }
    assert mine.types == ["call_status_updated"]
    caller.end(call_id)
    theirs.take("call_ended")
    assert theirs.types == ["call_status_updated", "call_ended"]


def answered_elsewhere(sockets, call_id, outcome):
    for socket in sockets:
        data = socket.take("call_answered_elsewhere")["data"]
        assert data == {"callId": call_id, "outcome": outcome}


def silent(people, person, sockets, *types):
    """Nothing but these events came on the sockets; another call is the fence."""
    bell = people.friend_of(person).call(person)
    for socket in sockets:
        events = socket.until(bell["callId"])
        assert tuple(frame["type"] for frame in events) == types


@criterion("R11.2")
@pytest.mark.parametrize("outcome", ["accepted", "rejected"])
def test_answered_elsewhere_over_rest(people, outcome):
    """§7.6: the callee's sockets hear of the answer, except those of the device that gave it."""
    caller, callee = people.pair()
    phone, phone2 = callee.socket(device="phone"), callee.socket(device="phone")
    tablet, plain = callee.socket(device="tablet"), callee.socket()
    mine = caller.socket()
    call = caller.call(callee)
    for socket in (phone, phone2, tablet, plain):
        socket.take("call_invitation")
    answer = callee.accept if outcome == "accepted" else callee.reject
    answer(call["callId"], deviceId="phone")
    answered_elsewhere((tablet, plain), call["callId"], outcome)
    mine.take("call_accepted" if outcome == "accepted" else "call_rejected")
    caller.end(call["callId"])
    after = ["call_ended"] if outcome == "accepted" else []
    silent(people, callee, (phone, phone2), "call_invitation", *after)
    bell = people.friend_of(caller).call(caller)
    assert "call_answered_elsewhere" not in [f["type"] for f in mine.until(bell["callId"])]


@criterion("R11.2")
@pytest.mark.parametrize("outcome", ["accepted", "rejected"])
def test_answered_elsewhere_over_a_socket(people, outcome):
    """§7.6: not on the socket that sent the command, nor on those of the same device."""
    caller, callee = people.pair()
    phone, phone2 = callee.socket(device="phone"), callee.socket(device="phone")
    tablet = callee.socket(device="tablet")
    call = caller.call(callee)
    for socket in (phone, phone2, tablet):
        socket.take("call_invitation")
    command = "call.accept" if outcome == "accepted" else "call.reject"
    assert phone.command(command, callId=call["callId"])["status"] == 200
    answered_elsewhere((tablet,), call["callId"], outcome)
    caller.end(call["callId"])
    after = ["call_ended"] if outcome == "accepted" else []
    silent(people, callee, (phone, phone2), "call_invitation", *after)


@criterion("R11.2")
def test_answered_on_a_socket_without_a_device(people):
    """§7.6: two sockets that name no device are two devices: the other one is told."""
    caller, callee = people.pair()
    one, two = callee.socket(), callee.socket()
    call = caller.call(callee)
    for socket in (one, two):
        socket.take("call_invitation")
    assert one.command("call.accept", callId=call["callId"])["status"] == 200
    answered_elsewhere((two,), call["callId"], "accepted")
    caller.end(call["callId"])
    silent(people, callee, (one,), "call_invitation", "call_ended")


@criterion("R11.2")
def test_an_accept_without_a_device_tells_all_sockets(people):
    """Over REST and without a deviceId, every socket of the callee is another one."""
    caller, callee = people.pair()
    sockets = [callee.socket(), callee.socket(device="tablet")]
    call = caller.call(callee)
    callee.accept(call["callId"])
    answered_elsewhere(sockets, call["callId"], "accepted")


@criterion("R11.2")
def test_a_patch_to_connecting_tells_like_an_accept(people):
    caller, callee = people.pair()
    mine, theirs = caller.socket(), callee.socket()
    call = caller.call(callee)
    people.wait_for_status(caller, call["callId"], "ringing")
    expect.succeeded(callee.set_status(call["callId"], "connecting"))
    mine.take("call_accepted", acceptedBy=callee.id)
    theirs.take("call_answered_elsewhere", outcome="accepted")


@criterion("R7.4")
@pytest.mark.parametrize("who", [0, 1], ids=["caller", "callee"])
def test_call_quality_warning(connected, who):
    """R7.4: poor, bad and veryBad warn the other participant, and nobody else of anything."""
    person, other, call_id = connected[who], connected[1 - who], connected[2]["callId"]
    mine, theirs = person.socket(), other.socket()
    for quality in ("excellent", "poor", "good", "bad", "unknown", "veryBad"):
        expect.succeeded(person.report(call_id, quality))
    for quality in ("poor", "bad", "veryBad"):
        assert theirs.take("call_quality_warning")["data"] == {
            "callId": call_id,
            "participantId": person.id,
            "networkQuality": quality,
        }
    other.end(call_id)
    mine.take("call_ended")
    assert mine.types == ["call_ended"]
    assert theirs.types == ["call_quality_warning"] * 3


@criterion("R11.1", "R11.2", "R11.4")
def test_every_device_hears_everything_in_order(people):
    """Delivery to every connected device of the user, in order, under the same ids."""
    caller, callee, call = people.connecting()
    devices = [callee.socket(device=f"device {number}") for number in range(4)]
    call_id = call["callId"]
    expect.succeeded(caller.set_status(call_id, "connected"))
    for quality in ("poor", "bad"):
        expect.succeeded(caller.report(call_id, quality))
    caller.end(call_id)
    for device in devices:
        device.take("call_ended")
    kinds = ["call_status_updated", "call_quality_warning", "call_quality_warning", "call_ended"]
    ids = [[frame["id"] for frame in device.events] for device in devices]
    assert all(device.types == kinds for device in devices)
    assert all(other == ids[0] for other in ids)
    assert ids[0] == sorted(ids[0], key=int) and len(set(ids[0])) == 4


@criterion("R11.1")
def test_strangers_hear_nothing(people):
    """A third user, a contact of both, hears nothing of a call between two others."""
    caller, callee = people.pair()
    third = people.friend_of(caller)
    people.befriend(third, callee)
    socket = third.socket()
    call = caller.call(callee)
    callee.accept(call["callId"])
    caller.end(call["callId"])
    silent(people, third, (socket,))


@criterion("R11.1")
def test_names_in_events_are_utf8(people):
    caller, callee = people.person(full_name='Ünï "𝔠" \\ 👩‍🚀'), people.person()
    people.befriend(caller, callee)
    socket = callee.socket()
    caller.call(callee)
    assert socket.take("call_invitation")["data"]["callerName"] == caller.full_name


@criterion("R11.1")
def test_timestamps_and_ids_of_frames(people):
    """`timestamp` is the moment of the event; ids rise by one, without gaps."""
    caller, callee, call = people.connected()
    socket = callee.socket()
    for quality in ("poor", "bad", "poor"):
        expect.succeeded(caller.report(call["callId"], quality))
    frames = [socket.take("call_quality_warning") for _ in range(3)]
    assert all(expect.recent(frame["timestamp"]) for frame in frames)
    numbers = [int(frame["id"]) for frame in frames]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > int(socket.greeting["lastEventId"])


def test_a_failed_request_tells_nobody(people):
    """What is refused has no events."""
    caller, callee = people.pair()
    mine, theirs = caller.socket(), callee.socket()
    call = caller.call(callee)
    theirs.take("call_invitation")
    mine.take("call_ringing")
    call_id = call["callId"]
    expect.refused(caller.post(f"/calls/{call_id}/accept", {}), 403, "UNAUTHORIZED_ACCESS")
    expect.refused(caller.set_status(call_id, "connected"), 409, "INVALID_STATUS_TRANSITION")
    expect.refused(caller.report(call_id), 409, "NO_ACTIVE_CALL")
    expect.invalid(callee.post(f"/calls/{call_id}/reject", {"reason": "x"}), reason=None)
    caller.end(call_id)
    theirs.take("call_ended")
    assert theirs.types == ["call_invitation", "call_ended"]
    silent(people, caller, (mine,), "call_ringing")
