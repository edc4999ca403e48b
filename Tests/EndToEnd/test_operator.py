"""chattrix-ctl against a running stack (design §1), and what only the host itself is answered."""

from __future__ import annotations

import re
import uuid

import pytest

from support import expect
from support.people import Person, send
from support.programs import ctl
from support.stack import ROOT

criterion = pytest.mark.criterion


@criterion("R9.1")
def test_a_token_of_the_tool(people):
    """`jwt --user` mints what the API takes, for as long as asked for."""
    person = people.person()
    token = ctl(people.stack, "jwt", "--user", person.id, "--ttl", "120").strip()
    expect.succeeded(send(people.stack, "GET", "/calls/active", token))


@criterion("R1.1")
def test_users_and_contacts_of_the_tool(people):
    """For installations without their own tables: users, contacts, a block."""
    ids = [f"ctl-{uuid.uuid4().hex[:16]}" for _ in range(2)]
    for number, identity in enumerate(ids):
        ctl(
            people.stack,
            *("user", "add", identity, "--username", f"n{identity}"),
            *("--full-name", f"Name {number}", "--avatar", "https://a.example/p.png"),
        )
    one, two = (Person(people.stack, identity, "", None) for identity in ids)
    expect.refused(one.initiate(two), 403, "NOT_CONTACTS")
    ctl(people.stack, "contact", "add", *ids)
    call = one.call(two)
    assert (call["callerName"], call["calleeName"]) == ("Name 0", "Name 1")
    one.end(call["callId"])
    ctl(people.stack, "contact", "block", ids[1], ids[0])
    expect.refused(one.initiate(two), 403, "NOT_CONTACTS")


@criterion("R5.3", "R5.4")
def test_an_operator_ends_a_call(people):
    """`calls end`: both are told, both histories have it; the system ended it."""
    caller, callee, call = people.connected()
    sockets = [person.socket() for person in (caller, callee)]
    assert call["callId"] in ctl(people.stack, "calls", "list", "--limit", "100000")
    ctl(people.stack, "calls", "end", call["callId"])
    for socket in sockets:
        assert socket.take("call_ended", callId=call["callId"])["data"]["endedBy"] is None
    assert caller.active() is None and callee.active() is None
    assert len(caller.history()["calls"]) == len(callee.history()["calls"]) == 1
    assert call["callId"] not in ctl(people.stack, "calls", "list", "--limit", "100000")


def test_purge_keeps_what_is_young(people):
    """`purge` deletes what is past its retention and nothing else."""
    caller, callee, call = people.connected()
    expect.succeeded(caller.report(call["callId"], "poor"))
    ctl(people.stack, "purge")
    socket = callee.socket(last_event_id=0)
    socket.take("call_quality_warning")
    assert socket.greeting.get("resync") is not True


def test_events_are_kept_for_a_day(people):
    """§6.4: what is older than 24 h goes, and a client that asks for it is told to resync."""
    caller, callee, call = people.connected()
    expect.succeeded(caller.report(call["callId"], "poor"))
    last = int(callee.socket().greeting["lastEventId"])
    aged = "UPDATE call_events SET created_at = created_at - INTERVAL {} WHERE user_id = %s"
    people.stack.sql(aged.format("23 HOUR"), callee.id)
    ctl(people.stack, "purge")
    assert callee.socket(last_event_id=0).greeting.get("resync") is not True
    people.stack.sql(aged.format("2 HOUR"), callee.id)
    ctl(people.stack, "purge")
    socket = callee.socket(last_event_id=0)
    assert socket.greeting["resync"] is True
    assert int(socket.greeting["lastEventId"]) == last
    expect.succeeded(caller.report(call["callId"], "bad"))
    assert int(socket.take("call_quality_warning")["id"]) == last + 1
    assert callee.socket(last_event_id=last).greeting.get("resync") is not True


def test_wrong_usage(stack):
    """What the tool does not know is 64 (EX_USAGE)."""
    ctl(stack, "dance", status=64)
    ctl(stack, "calls", "dance", status=64)


def test_operations_are_for_loopback_only():
    """§1: nginx lets nobody but loopback at /healthz, /readyz and /metrics.

    A test has no other address than loopback to come from, so this one reads the configuration.
    """
    text = "\n".join(path.read_text() for path in sorted((ROOT / "nginx").rglob("*.conf")))
    assert re.search(r"allow\s+127\.0\.0\.0/8;|allow\s+127\.0\.0\.1;", text)
    assert re.search(r"allow\s+::1;", text)
    assert re.search(r"deny\s+all;", text)
