"""Agora's notifications (contract §9.1–§9.3): what is taken, and what calls make of it."""

from __future__ import annotations

import json
import random
import re
import time

import pytest
import requests

from support import expect, invariants
from support.clock import shift_call
from support.notices import (
    BY_ITSELF,
    CHANNEL_CREATE,
    JOINS,
    LEAVES,
    RECONNECTS,
    TIMED_OUT,
    Agora,
)
from support.people import send
from support.programs import ctl
from support.stack import wait_until
from support.variants import variant

noticed = variant("noticed")
ABSENCE_SECONDS = 2
# An absence, the sweeper's interval, and a machine that has other things to do.
OVER_WITHIN = ABSENCE_SECONDS + 15


@pytest.fixture
def agora(stack) -> Agora:
    return Agora(stack)


def media(person, call) -> tuple[str | None, str | None]:
    found = person.details(call["callId"])["media"]
    assert set(found) == {"caller", "callee"}
    return found["caller"], found["callee"]


def status(person, call) -> str:
    return person.details(call["callId"])["status"]


def over(people, person, call) -> dict:
    return people.wait_for_status(person, call["callId"], "ended", OVER_WITHIN)


def not_over_within(seconds: float, person, call) -> None:
    """The call goes on for so long: there is no event that tells."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert status(person, call) != "ended"
        time.sleep(0.1)


def reporters(caller, callee, call) -> list[str | None]:
    """Ends the call and gives who, of all that the callee was told of it, had reported a status."""
    caller.end(call["callId"])
    socket = callee.socket(last_event_id=0)
    socket.take("call_ended", callId=call["callId"])
    updates = [event for event in socket.events if event["type"] == "call_status_updated"]
    return [event["data"]["updatedBy"] for event in updates]


# What is taken (§9.1).


def test_without_the_setting_there_is_nothing(stack):
    """§9.1: 404, whatever is sent."""
    url = stack["OPS_URL"].rstrip("/") + "/hooks/agora"
    error = expect.refused(send(stack, "POST", url, data=b"{}"), 404, "RESOURCE_NOT_FOUND")
    assert error["details"] == {"resource": "route"}


@pytest.mark.parametrize("path", ["/hooks", "/hooks/", "/hooks/agora/", "/api/v1/hooks/agora"])
@pytest.mark.usefixtures("stack")
def test_no_other_address(people, path):
    url = people.stack["OPS_URL"].rstrip("/") + path
    assert requests.post(url, data=b"{}", verify=people.stack["CA_FILE"]).status_code == 404


class TestTaking:
    pytestmark = noticed

    def test_health_check(self, agora):
        """§9.1: Agora's own, of a channel that is none of ours, with the documentation's payloads."""
        documented = {"channelName": "test_webhook", "ts": 1560399999}
        user = documented | {"uid": 12121212, "platform": 1, "clientSeq": 1625051035369}
        agora.deliver(
            agora.notice(CHANNEL_CREATE, documented),
            agora.notice(102, documented | {"lastUid": 12121212}),
            *(agora.notice(event, user) for event in JOINS),
            *(agora.notice(event, user | {"reason": 1, "duration": 600}) for event in LEAVES),
            agora.notice(111, user),
            agora.notice(112, user),
        )

    def test_unknown_is_taken(self, agora):
        """§9.1: other events, other products, payloads of any kind."""
        agora.deliver(
            agora.notice(0, {}),
            agora.notice(2**40, {"channelName": "c"}),
            agora.notice(103, {}, productId=17),
            agora.notice(103, {"channelName": 7, "uid": "x"}),
            agora.notice(103, {}, sid=None, more=[1]),
        )

    @pytest.mark.parametrize(
        "signature",
        ["0" * 64, "none", "Bearer x", "{body}", "{body}0"],
        ids=["zeros", "word", "bearer", "another body's", "longer"],
    )
    def test_wrong_signature(self, agora, signature):
        """§9.1: 401, and nothing else is looked at."""
        for body in (json.dumps(agora.notice(101, {})).encode(), b"not json", b""):
            wrong = signature.format(body=agora.sign(body + b" "))
            error = expect.refused(agora.post(body, wrong), 401, "AUTHENTICATION_FAILED")
            assert agora.stack["AGORA_WEBHOOK_SECRET"] not in json.dumps(error)

    def test_missing_signature(self, agora):
        """§9.1: neither Agora's older signature nor a login stands for it."""
        body = json.dumps(agora.notice(101, {})).encode()
        response = agora.post(body, "")
        expect.refused(response, 401, "AUTHENTICATION_FAILED")
        assert response.headers["WWW-Authenticate"] == "Agora-Signature-V2"
        expect.refused(
            agora.post(body, "", **{"Agora-Signature": "0" * 40}), 401, "AUTHENTICATION_FAILED"
        )

    def test_signature_in_upper_case(self, agora):
        body = json.dumps(agora.notice(101, {})).encode()
        assert agora.post(body, agora.sign(body).upper()).content == b"{}"

    def test_signature_of_what_came(self, agora):
        """§9.1: of the raw body, whatever its blanks and escapes are."""
        text = json.dumps(agora.notice(101, {"channelName": "ä", "ts": 1}), indent=3)
        for body in (text.encode(), text.replace("\\u00e4", "ä").encode(), b"\n" + text.encode()):
            assert agora.post(body).content == b"{}"

    @pytest.mark.parametrize("body", [b"", b"{", b"{}x", b"\xff", b'{"a":01}'])
    def test_not_json(self, agora, body):
        expect.refused(agora.post(body), 400, "MALFORMED_JSON")

    @pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"'])
    def test_no_object(self, agora, body):
        expect.invalid(agora.post(body), body="INVALID_BODY")

    def test_malformed(self, agora):
        """§9.1: 400, with every member that is at fault."""
        members = ("noticeId", "productId", "eventType", "notifyMs", "payload")
        missing = dict.fromkeys(members, "REQUIRED")
        expect.invalid(agora.post(b"{}"), **missing)
        expect.invalid(agora.post(json.dumps(dict.fromkeys(members)).encode()), **missing)
        wrong = {
            "noticeId": [1, "", "x" * 256, {}],
            "productId": ["1", 1.5, []],
            "eventType": ["107", True, {}],
            "notifyMs": ["1611566412672", -1, 0.5],
            "payload": ["{}", [], 1],
        }
        for name, values in wrong.items():
            for value in values:
                body = json.dumps(agora.notice(101, {}) | {name: value}).encode()
                expect.invalid(agora.post(body), **{name: "INVALID_TYPE"})

    def test_length(self, agora):
        """§9.1: 64 KiB are taken, a byte more is 413, signed or not."""
        body = json.dumps(agora.notice(101, {})).encode()
        whole = body + b" " * (65_536 - len(body))
        assert agora.post(whole).content == b"{}"
        for longer in (whole + b" ", whole * 3, whole * 40):
            for signature in (None, ""):
                response = agora.post(longer, signature)
                expect.refused(response, 413, "PAYLOAD_TOO_LARGE")

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    def test_methods(self, agora, method):
        url = agora.stack["OPS_URL"].rstrip("/") + "/hooks/agora"
        response = send(agora.stack, method, url, data=b"{}")
        expect.refused(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["Allow"] == "POST"

    def test_no_login_and_no_limit(self, agora):
        """§9.1: a bad JWT does not matter, and three hundred notices are none too many."""
        body = json.dumps(agora.notice(101, {})).encode()
        assert agora.post(body, Authorization="Bearer nonsense").content == b"{}"
        for _ in range(300):
            assert agora.post(body).status_code == 200


# What calls make of it (§9.2, §9.3).


class TestConnected:
    pytestmark = noticed

    @pytest.mark.parametrize("event", JOINS)
    def test_both_join(self, people, agora, event):
        """§9.2: connected, both are told, by nobody; §9.3: and who is there."""
        caller, callee, call = people.connecting()
        sockets = [person.socket() for person in (caller, callee)]
        assert media(caller, call) == (None, None)
        agora.deliver(agora.joins(callee, call, event))
        assert media(callee, call) == (None, "joined")
        assert status(caller, call) == "connecting"
        agora.deliver(agora.joins(caller, call, event))
        assert media(caller, call) == ("joined", "joined")
        assert caller.active()["media"] == {"caller": "joined", "callee": "joined"}
        details = caller.details(call["callId"])
        assert details["status"] == "connected" and expect.recent(details["startTime"])
        for socket in sockets:
            data = socket.take("call_status_updated", callId=call["callId"])["data"]
            assert data == {"callId": call["callId"], "status": "connected", "updatedBy": None}
        assert caller.socket().greeting["activeCall"]["media"]["callee"] == "joined"

    def test_agora_first(self, people, agora):
        """§9.2: what a client reports afterwards is 200 and told to nobody."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        for person in (caller, callee):
            expect.succeeded(person.set_status(call["callId"], "connected"))
        assert reporters(caller, callee, call) == [None]

    def test_client_first(self, people, agora):
        """§9.2: if a client has reported it before, nothing happens."""
        caller, callee, call = people.connected()
        before = caller.details(call["callId"])
        agora.both_join(caller, callee, call)
        after = caller.details(call["callId"])
        assert after.pop("media") == {"caller": "joined", "callee": "joined"}
        assert before.pop("media") == {"caller": None, "callee": None}
        assert after == before
        assert reporters(caller, callee, call) == [caller.id]

    def test_at_once(self, people, agora, pool):
        """§9.2: both join while both clients report it: one change, told to each once at the most."""
        for _ in range(15):
            caller, callee, call = people.connecting()
            notices = [agora.joins(person, call) for person in (caller, callee)]
            acts = [(agora.deliver, notice) for notice in notices * 2]
            acts += [
                (person.set_status, call["callId"], "connected") for person in (caller, callee)
            ]
            random.shuffle(acts)
            for outcome in [pool.submit(*act) for act in acts]:
                outcome.result()
            assert status(caller, call) == "connected"
            caller.end(call["callId"])
            rows = people.stack.sql(
                "SELECT user_id, data FROM call_events WHERE call_id = %s "
                "AND event_type = 'call_status_updated'",
                call["callId"],
            )
            assert len(rows) == len({row["user_id"] for row in rows}), rows
            reporters = {json.loads(row["data"])["updatedBy"] for row in rows}
            assert len(reporters) == 1, rows

    def test_before_the_answer(self, people, agora):
        """§9.2: a callee's phone that joins while its accept is on the way."""
        caller, callee, call = people.ringing()
        agora.both_join(caller, callee, call)
        assert status(caller, call) in ("initiating", "ringing")
        callee.accept(call["callId"])
        people.wait_for_status(caller, call["callId"], "connected", 15)

    def test_a_third_uid(self, people, agora):
        """§9.2: a recording's, or a stranger's, is nobody's."""
        caller, callee, call = people.connecting()
        agora.deliver(agora.joins(caller, call), agora.joins(caller, call, uid=99))
        assert media(caller, call) == ("joined", None)
        assert status(caller, call) == "connecting"
        caller.end(call["callId"])


class TestOrder:
    pytestmark = noticed

    def test_once(self, people, agora):
        """§9.2: a noticeId counts once, whatever it says the second time."""
        caller, callee, call = people.connecting()
        joins = agora.joins(caller, call)
        agora.deliver(joins, joins, joins | {"notifyMs": joins["notifyMs"] + 5000})
        again = agora.leaves(caller, call) | {"noticeId": joins["noticeId"]}
        agora.deliver(again)
        assert media(caller, call) == ("joined", None)
        caller.end(call["callId"])

    def test_sequence(self, people, agora):
        """§9.2: of one uid the highest clientSeq holds, in every order and each notice twice."""
        caller, callee, call = people.connecting()
        agora.deliver(agora.joins(callee, call))
        notices = [
            agora.joins(caller, call, clientSeq=1),
            agora.leaves(caller, call, RECONNECTS, clientSeq=2),
            agora.joins(caller, call, clientSeq=3),
            agora.leaves(caller, call, RECONNECTS, clientSeq=4),
            agora.joins(caller, call, clientSeq=2**64 - 1),
        ]
        random.shuffle(notices)
        agora.deliver(*notices, *notices)
        assert media(caller, call) == ("joined", "joined")
        agora.deliver(agora.leaves(caller, call, clientSeq=2**64 - 1))
        assert media(caller, call) == ("joined", "joined")
        caller.end(call["callId"])

    def test_leave_before_join(self, people, agora):
        """§9.2: a join that is older than the leave that has come."""
        caller, callee, call = people.connecting()
        joins, leaves = agora.joins(callee, call), agora.leaves(callee, call)
        agora.deliver(agora.joins(caller, call), leaves, joins)
        assert media(caller, call) == ("joined", "left")
        assert status(caller, call) == "connecting"
        caller.end(call["callId"])


class TestAbsence:
    pytestmark = noticed

    @pytest.mark.parametrize(
        "first, last, reason",
        [
            (TIMED_OUT, BY_ITSELF, "hangup"),
            (BY_ITSELF, TIMED_OUT, "connection_lost"),
            (BY_ITSELF, BY_ITSELF, "hangup"),
            (TIMED_OUT, TIMED_OUT, "connection_lost"),
        ],
    )
    def test_both_leave(self, people, agora, first, last, reason):
        """§9.2: over when the last has been gone for long enough; how is the last one's to say."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        sockets = [person.socket() for person in (caller, callee)]
        shift_call(people.stack, call["callId"], 30)
        agora.deliver(agora.leaves(caller, call, first))
        assert media(caller, call) == ("left", "joined")
        leaves = agora.leaves(callee, call, last)
        agora.deliver(leaves)
        details = over(people, caller, call)
        assert details["endReason"] == reason
        assert abs(expect.milliseconds(details["endTime"]) - leaves["notifyMs"]) <= 1000
        assert 29 <= details["durationSeconds"] <= 45
        assert media(caller, call) == ("left", "left")
        for socket in sockets:
            data = socket.take("call_ended", callId=call["callId"])["data"]
            assert (data["endedBy"], data["endReason"]) == (None, reason)
            assert data["durationSeconds"] == details["durationSeconds"]
        for person in (caller, callee):
            assert person.active() is None
            (entry,) = person.history()["calls"]
            assert (entry["status"], entry["endReason"]) == ("completed", reason)
            assert entry["durationSeconds"] == details["durationSeconds"]
            figures = expect.succeeded(person.get("/calls/statistics"))
            assert figures["callsByStatus"]["completed"] == figures["totalCalls"] == 1

    def test_who_comes_back(self, people, agora):
        """§9.2: in time keeps the call; and is missed when gone again."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        agora.deliver(
            agora.leaves(caller, call, RECONNECTS),
            agora.leaves(callee, call, RECONNECTS),
            agora.joins(callee, call),
        )
        not_over_within(ABSENCE_SECONDS + 3, caller, call)
        assert media(caller, call) == ("left", "joined")
        agora.deliver(agora.leaves(callee, call, TIMED_OUT))
        assert over(people, caller, call)["endReason"] == "connection_lost"

    def test_one_leaves(self, people, agora):
        """§9.2: the other is there."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        agora.deliver(agora.leaves(caller, call, TIMED_OUT))
        not_over_within(ABSENCE_SECONDS + 2, caller, call)
        caller.end(call["callId"])

    def test_only_one_was_ever_there(self, people, agora):
        """§9.2: whom Agora has never reported is not in the channel either."""
        caller, callee, call = people.connecting()
        agora.deliver(agora.joins(caller, call), agora.leaves(caller, call))
        assert over(people, caller, call)["endReason"] == "hangup"

    def test_gone_before_the_answer(self, people, agora):
        """§9.2: an unanswered call rings on; from its answer on there is time to come back."""
        caller, callee, call = people.ringing()
        agora.deliver(agora.joins(caller, call), agora.leaves(caller, call, RECONNECTS))
        not_over_within(ABSENCE_SECONDS + 1, caller, call)
        back = [agora.joins(person, call) for person in (caller, callee)]
        callee.accept(call["callId"])
        agora.deliver(*back)
        assert status(caller, call) == "connected"
        not_over_within(ABSENCE_SECONDS + 1, caller, call)
        caller.end(call["callId"])

    def test_nobody_was_reported(self, people, agora):
        """§9.2: a call of which Agora has said nothing is untouched, another's notices or not."""
        caller, callee, call = people.connected()
        agora.deliver(agora.destroys(call), agora.leaves(caller, call, uid=99))
        not_over_within(ABSENCE_SECONDS + 2, caller, call)
        assert media(caller, call) == (None, None)
        caller.end(call["callId"])

    def test_disconnecting(self, people, agora):
        """§9.2: a client that said so and a network that is gone."""
        caller, callee, call = people.disconnecting()
        agora.both_join(caller, callee, call)
        agora.deliver(agora.leaves(caller, call), agora.leaves(callee, call, TIMED_OUT))
        assert over(people, caller, call)["endReason"] == "connection_lost"


class TestChannelGone:
    pytestmark = noticed

    def test_at_once(self, people, agora):
        """§9.2: all have left, and the channel is gone."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        agora.deliver(
            agora.leaves(caller, call, TIMED_OUT), agora.leaves(callee, call), agora.destroys(call)
        )
        details = caller.details(call["callId"])
        assert (details["status"], details["endReason"]) == ("ended", "hangup")

    def test_at_once_where_notices_are_late(self, people, agora):
        """§9.2: they tell the second only, and all three happened in the same one."""
        caller, callee, call = people.connecting()
        shift_call(people.stack, call["callId"], 30)
        at = int(time.time()) - 5
        agora.deliver(
            agora.joins(caller, call, at=at - 9),
            agora.joins(callee, call, at=at - 9),
            agora.leaves(caller, call, TIMED_OUT, ts=at),
            agora.leaves(callee, call, ts=at),
            agora.destroys(call, ts=at),
        )
        details = caller.details(call["callId"])
        assert (details["status"], details["endReason"]) == ("ended", "hangup")

    def test_without_a_leave(self, people, agora):
        """§9.2: nobody said why: the connection was lost."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        agora.deliver(agora.destroys(call))
        assert over(people, caller, call)["endReason"] == "connection_lost"
        assert media(caller, call) == ("left", "left")

    def test_before_the_leaves(self, people, agora):
        """§9.2: notices come in any order: who left, and why, may follow."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        notices = [agora.leaves(caller, call), agora.leaves(callee, call), agora.destroys(call)]
        agora.deliver(*reversed(notices))
        assert over(people, caller, call)["endReason"] == "hangup"

    def test_older_than_a_join(self, people, agora):
        """§9.2: the end of a channel that has been made anew since."""
        caller, callee, call = people.connecting()
        now = time.time()
        gone = [
            agora.joins(caller, call, at=now - 9),
            agora.leaves(caller, call, RECONNECTS, at=now - 6),
        ]
        destroyed = agora.destroys(call, at=now - 6)
        back = [agora.joins(person, call) for person in (caller, callee)]
        shift_call(people.stack, call["callId"], 30)
        agora.deliver(*gone, *back, destroyed)
        not_over_within(ABSENCE_SECONDS + 2, caller, call)
        assert media(caller, call) == ("joined", "joined")
        caller.end(call["callId"])


class TestAfterwards:
    pytestmark = noticed

    def test_an_operator_sees_it(self, people, agora):
        """`calls show` prints what Agora has reported, with its code of why somebody left."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        agora.deliver(agora.leaves(caller, call, RECONNECTS))
        shown = ctl(people.stack, "calls", "show", call["callId"])
        assert re.search(r"^callerMedia +left \S+Z \(reason 10\)$", shown, re.MULTILINE)
        assert re.search(r"^calleeMedia +joined \S+Z$", shown, re.MULTILINE)
        caller.end(call["callId"])

    def test_over_is_over(self, people, agora):
        """§9.2: what comes after the end changes nothing of the call."""
        caller, callee, call = people.connecting()
        agora.both_join(caller, callee, call)
        caller.end(call["callId"])
        before = caller.details(call["callId"])
        last = callee.socket().greeting["lastEventId"]
        agora.deliver(
            agora.leaves(caller, call), agora.leaves(callee, call, TIMED_OUT), agora.destroys(call)
        )
        time.sleep(ABSENCE_SECONDS + 1)
        after = caller.details(call["callId"])
        assert after.pop("media") == {"caller": "left", "callee": "left"}
        del before["media"]
        assert after == before
        assert callee.socket().greeting["lastEventId"] == last
        assert len(caller.history()["calls"]) == 1

    def test_rows(self, people, agora):
        """Unknown channels and uids write nothing, and everything holds at the end."""
        stack = people.stack
        counting = "SELECT COUNT(*) AS n FROM agora_notices"
        before = stack.sql(counting)[0]["n"]
        caller, _, call = people.connecting()
        agora.deliver(
            agora.joins(caller, call, channelName="test_webhook"),
            agora.joins(caller, call, channelName="x" * 5000),
            agora.joins(caller, call, uid=1),
        )
        assert stack.sql(counting)[0]["n"] == before
        caller.end(call["callId"])
        rules = wait_until(lambda: not invariants.broken(stack) or None, 10, message="the rules")
        assert rules, invariants.broken(stack)
