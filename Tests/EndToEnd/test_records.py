"""`chattrix-ctl cdr`: the calls that ended in a period, for accounting."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import subprocess
import uuid
from datetime import timedelta

import pytest

from support import expect
from support.clock import shift_call
from support.programs import ctl, program, stack_environment

COLUMNS = """callId channelId callerId calleeId callType status endReason createdAt acceptedAt
connectedAt endedAt ringSeconds durationSeconds acceptedDevice averageScore averagePacketLossRate
averageRoundTripTime samples meanOpinionScore""".split()


def run(stack, *arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [program("chattrix-ctl"), "cdr", *arguments],
        env=os.environ | stack_environment(stack) | options.pop("settings", {}),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=120,
        **options,
    )


def exported(stack, start: str, end: str, *options: str) -> list[dict]:
    """The lines of a period, by either format."""
    done = run(stack, "--from", start, "--to", end, *options, stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    if "jsonl" in options or "--json" in options:
        assert text == "" or text.endswith("}\n")
        return [json.loads(line) for line in text.split("\n")[:-1]]
    assert text.count("\n") == text.count("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert rows[0] == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:]]


def by_id(lines: list[dict]) -> dict[str, dict]:
    found = {line["callId"]: line for line in lines}
    assert len(found) == len(lines), "a call twice"
    return found


def around(people, *calls: tuple) -> tuple[str, str]:
    """A period that has the ends of these calls: (participant, call id)."""
    ends = [expect.moment(person.details(call_id)["endTime"]) for person, call_id in calls]
    return min(ends).isoformat(), (max(ends) + timedelta(milliseconds=1)).isoformat()


def test_every_kind_of_call(people):
    """Completed with its quality, cancelled, rejected and busy: every member as the API has it."""
    caller, callee, talked = people.connecting()
    expect.succeeded(caller.set_status(talked["callId"], "connected"))
    expect.succeeded(caller.report(talked["callId"], "good", packetLossRate=0.02, roundTripTime=80))
    expect.succeeded(callee.report(talked["callId"], "poor", packetLossRate=0, roundTripTime=120))
    busy = people.friend_of(callee)
    expect.refused(busy.initiate(callee), 409, "USER_BUSY")
    busy_call = busy.history()["calls"][0]["callId"]
    caller.end(talked["callId"])
    cancelled = caller.call(callee, "audio")
    caller.end(cancelled["callId"])
    rejected = caller.call(callee)
    callee.reject(rejected["callId"], reason="unavailable")
    calls = [(caller, c["callId"]) for c in (talked, cancelled, rejected)] + [(busy, busy_call)]
    start, end = around(people, *calls)
    rows, lines = (
        by_id(exported(people.stack, start, end, *options))
        for options in ([], ["--format", "jsonl"])
    )
    # Of other tests' calls one may have been written, or moved in time, between the two.
    assert {call_id for _, call_id in calls} <= rows.keys() & lines.keys()
    for person, call_id in calls:
        details, row, line = person.details(call_id), rows[call_id], lines[call_id]
        assert list(line) == COLUMNS
        # The same in both formats, an absent value as an empty field.
        assert {name: "" if value is None else value for name, value in line.items()} == {
            name: type(line[name])(row[name]) if line[name] is not None else row[name]
            for name in COLUMNS
        }
        for name in ("callerId", "calleeId", "channelId", "callType", "status", "endReason"):
            assert line[name] == details[name], name
        assert line["endedAt"] == details["endTime"]
        assert line["createdAt"] == details["createdAt"]
        assert line["acceptedAt"] == details["acceptedAt"]
        assert line["durationSeconds"] == details["durationSeconds"]
        assert line["samples"] == details["quality"]["samples"]
    line = lines[talked["callId"]]
    assert line["connectedAt"] is not None and line["averageScore"] == 3.5
    assert (line["averagePacketLossRate"], line["averageRoundTripTime"]) == (0.01, 100)
    assert line["meanOpinionScore"] == 4.25
    for call_id in (cancelled["callId"], rejected["callId"], busy_call):
        line = lines[call_id]
        assert line["acceptedAt"] is line["connectedAt"] is line["meanOpinionScore"] is None
        assert line["samples"] == line["durationSeconds"] == 0
    assert lines[busy_call]["endReason"] == "busy"


def test_ring_seconds(people):
    """From the invitation to the answer or, where nobody answered, to the end."""
    caller, callee, call = people.ringing()
    shift_call(people.stack, call["callId"], 21)
    callee.accept(call["callId"])
    caller.end(call["callId"])
    other_caller, _, missed = people.ringing()
    shift_call(people.stack, missed["callId"], 33)
    other_caller.end(missed["callId"])
    start, end = around(people, (caller, call["callId"]), (other_caller, missed["callId"]))
    lines = by_id(exported(people.stack, start, end, "--json"))
    for call_id, until, least in (
        (call["callId"], "acceptedAt", 21),
        (missed["callId"], "endedAt", 33),
    ):
        line = lines[call_id]
        rang = expect.milliseconds(line[until]) - expect.milliseconds(line["createdAt"])
        assert line["ringSeconds"] == rang // 1000 >= least


def test_a_period_is_half_open(people):
    """FROM is in it, TO is not: days that follow one another have each call once."""
    caller, callee, call = people.ended()
    moment = expect.moment(caller.details(call["callId"])["endTime"])
    step = timedelta(milliseconds=1)

    def has(start, end) -> bool:
        return call["callId"] in by_id(exported(people.stack, start.isoformat(), end.isoformat()))

    assert has(moment, moment + step)
    assert not has(moment - step, moment)
    assert not has(moment + step, moment + 2 * step)
    assert not has(moment, moment)
    edges = [moment + number * timedelta(seconds=20) for number in (-2, -1, 0, 1, 2)]
    parts = [
        exported(people.stack, one.isoformat(), next_one.isoformat(), "--json")
        for one, next_one in itertools.pairwise(edges)
    ]
    together = [line["callId"] for part in parts for line in part]
    assert together.count(call["callId"]) == 1 and len(set(together)) == len(together)
    ends = [line["endedAt"] for part in parts for line in part]
    assert ends == sorted(ends)


def test_live_calls_are_not_in_it(people):
    caller, callee, call = people.connected()
    start, end = "2000-01-01T00:00Z", "2100-01-01T00:00Z"
    assert call["callId"] not in by_id(exported(people.stack, start, end))
    caller.end(call["callId"])
    assert call["callId"] in by_id(exported(people.stack, start, end))


@pytest.mark.parametrize(
    "text", ["{}T{}:{}Z", "{}T{}:{}", "{} {}:{}+00", "{}T{}:{}:00.000+0000", "{}T{}:{}:00-00:00"]
)
def test_forms_of_a_time(people, text):
    """§7.16: with or without seconds, fraction and offset."""
    # A day on which nobody called, and to which no test moves a call.
    start, end = text.format("2001-05-04", "03", "02"), text.format("2001-05-04", "03", "03")
    assert exported(people.stack, start, end) == []


def test_texts_that_others_chose(people):
    """Commas, quotes and formulas in ids and device names; JSON has them as they are."""
    tail = uuid.uuid4().hex[:12]
    caller = people.person(id=f'=cmd,"{tail}"')
    callee = people.person(id=f"+49{int(tail, 16)}")
    people.befriend(caller, callee)
    call = caller.call(callee)
    device = '@SUM(A1:"B2"),é'
    callee.accept(call["callId"], deviceId=device)
    caller.end(call["callId"])
    period = around(people, (caller, call["callId"]))
    row = by_id(exported(people.stack, *period))[call["callId"]]
    assert row["callerId"] == "'" + caller.id
    assert row["calleeId"] == callee.id
    assert row["acceptedDevice"] == "'" + device
    line = by_id(exported(people.stack, *period, "--format", "jsonl"))[call["callId"]]
    assert (line["callerId"], line["acceptedDevice"]) == (caller.id, device)


def test_no_names(people):
    """Privacy: users are their ids, and the help says so."""
    caller, _, call = people.ended()
    done = run(people.stack, *("--from", "2000-01-01T00:00Z", "--to", "2100-01-01T00:00Z"),
               stdout=subprocess.PIPE)  # fmt: skip
    assert call["callId"].encode() in done.stdout
    assert caller.full_name.encode() not in done.stdout
    assert re.search(r"by their ids\s+only", ctl(people.stack, "cdr", "--help"))


def test_a_young_period_may_grow(people):
    """A warning where calls may still be written; none for a period that is over for good."""
    caller, _, call = people.ended()
    start, _ = around(people, (caller, call["callId"]))
    done = run(people.stack, "--from", start, "--to", "2100-01-01T00:00Z", stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert b"may still be written" in done.stderr
    done = run(people.stack, *("--from", "2001-01-01T00:00Z", "--to", "2002-01-01T00:00Z"),
               stdout=subprocess.PIPE)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("is_ignored", [False, True], ids=["sigpipe", "ignored"])
def test_a_reader_that_has_seen_enough(people, is_ignored):
    """`| head`: it ends quietly, with and without SIGPIPE."""
    people.ended()
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = run(
            people.stack,
            *("--from", "2000-01-01T00:00Z", "--to", "2100-01-01T00:00Z"),
            stdout=output,
            restore_signals=not is_ignored,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk(people):
    """What could not be written is a failure."""
    people.ended()
    with open("/dev/full", "wb") as output:
        done = run(
            people.stack,
            *("--from", "2000-01-01T00:00Z", "--to", "2100-01-01T00:00Z"),
            stdout=output,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--from", "2026-05-04T00:00Z"],
        ["--to", "2026-05-04T00:00Z"],
        ["--from", "yesterday", "--to", "2026-05-04T00:00Z"],
        ["--from", "2026-05-04T00:00Z", "--to", "2026-02-30T00:00Z"],
        ["--from", "2026-05-04T00:00Z", "--to", "2026-05-03T23:59Z"],
        ["--from", "2026-05-04T00:00Z", "--to", "2026-05-05T00:00Z", "--format", "xml"],
        ["--from", "2026-05-04T00:00Z", "--to", "2026-05-05T00:00Z", "x"],
    ],
)
def test_wrong_usage(stack, arguments):
    done = run(stack, *arguments, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (64, b"")
    assert b"Usage: chattrix-ctl cdr" in done.stderr


def test_without_a_database(stack):
    done = run(
        stack,
        *("--from", "2026-05-04T00:00Z", "--to", "2026-05-05T00:00Z"),
        stdout=subprocess.PIPE,
        settings={"MYSQL_SOCKET": "/none/mysql.sock"},
    )
    assert done.returncode == 69 and done.stdout == b""
