"""Calls: nobody in two at once, none past its deadline, both history rows, the events that each must have."""

from __future__ import annotations

import collections
import itertools

from Chaos.ledger import LIVE, Ledger, history_status, seconds
from Chaos.records import Records
from Chaos.stage import MAXIMUM_SECONDS, Stage
from support import invariants

# Of time in which nothing was broken, from the deadline to the end.
LATE_SECONDS = 3.0
# Rules that deleted entries break by rights; `history` below takes them into account.
OTHERS = {"a call that is over has two history rows"}


def check(stage: Stage, book: Ledger, records: Records) -> None:
    for rule, rows in invariants.broken(stage.stack).items():
        if rule not in OTHERS:
            records.violation(rule, rows)
    for call in book.calls.values():
        if call["status"] in LIVE:
            records.violation("no call is live any more", call)
        else:
            deadline(call, book, records)
            ending(call, book, records)
    overlaps(book, records)
    history(book, records)


def deadline(call: dict, book: Ledger, records: Records) -> None:
    """Ended by the sweeper no later than a few seconds of uptime after its time."""
    if call["end_reason"] == "timeout":
        since = seconds(call["expires_at"])
    elif call["end_reason"] == "max_duration":
        since = seconds(call["accepted_at"]) + MAXIMUM_SECONDS
    elif call["accepted_at"] is None and call["ended_at"] > call["expires_at"]:
        records.violation("nobody answers or cancels a call that has expired", call)
        return
    else:
        return
    # `ended_at` may be earlier than when it was written.
    written = [seconds(row["created_at"]) for row in book.events_of(call["id"])]
    late = records.uptime(since, max(written))
    if late > LATE_SECONDS:
        records.violation("no call is live past its deadline", f"{late:.1f} s: {call}")


def overlaps(book: Ledger, records: Records) -> None:
    """From when a call was made until it was over, its two users were in no other."""
    spans: dict[str, list[dict]] = collections.defaultdict(list)
    for call in book.calls.values():
        if call["invited"] and call["ended_at"] is not None:
            spans[call["caller_id"]].append(call)
            spans[call["callee_id"]].append(call)
    for user, found in spans.items():
        found.sort(key=lambda call: call["created_at"])
        for earlier, later in itertools.pairwise(found):
            if later["created_at"] < earlier["ended_at"]:
                records.violation("no user is in two calls at once", f"{user}: {earlier}, {later}")


def history(book: Ledger, records: Records) -> None:
    """Two rows for each call that is over, but for those that their users deleted."""
    deleted = {(a.user, a.call_id): a.succeeded for a in records.of("delete") if not a.succeeded}
    deleted |= {(a.user, a.call_id): True for a in records.of("delete") if a.succeeded}
    for call in book.calls.values():
        for user in (call["caller_id"], call["callee_id"]):
            row = book.history.get((user, call["id"]))
            if row is None and (user, call["id"]) not in deleted:
                records.violation("a call that is over has both history rows", f"{user}: {call}")
            if row is not None and deleted.get((user, call["id"])):
                records.violation("an entry that was deleted is gone", row)
            if row is not None:
                same(row, call, user, records)
    for user, call_id in book.history:
        if call_id not in book.calls:
            records.violation("a history row has its call", f"{user} {call_id}")


def same(row: dict, call: dict, user: str, records: Records) -> None:
    """An entry says what its call says."""
    is_caller = call["caller_id"] == user
    expected = {
        "remote_user_id": call["callee_id"] if is_caller else call["caller_id"],
        "direction": "outgoing" if is_caller else "incoming",
        "status": history_status(call, user),
        "end_reason": call["end_reason"],
        "timestamp": call["created_at"],
        "duration_seconds": call["duration_seconds"],
        "call_type": call["call_type"],
    }
    if any(row[name] != value for name, value in expected.items()):
        records.violation("an entry says what its call says", f"{row}, {call}")


def ending(call: dict, book: Ledger, records: Records) -> None:
    """The events that a call's course asks for are there, and no others (contract 6.2)."""
    rows = book.events_of(call["id"])
    found = collections.Counter(row["event_type"] for row in rows)
    expected: collections.Counter = collections.Counter()
    if call["invited"]:
        expected["call_invitation"] = 1
        if call["accepted_at"] is not None:
            expected |= {"call_accepted": 1, "call_answered_elsewhere": 1}
        if call["end_reason"] == "timeout":
            expected["call_timeout"] = 2
        elif call["status"] == "rejected":
            expected |= {"call_rejected": 1, "call_answered_elsewhere": 1}
    for kind in (
        "call_invitation",
        "call_accepted",
        "call_timeout",
        "call_rejected",
        "call_answered_elsewhere",
    ):
        if found[kind] != expected[kind]:
            records.violation(
                "a call's events are those of its course", f"{kind} {found[kind]}: {call}"
            )
    ends = (
        0
        if not call["invited"] or call["end_reason"] == "timeout" or call["status"] == "rejected"
        else 1
    )
    if (
        (found["call_ended"] > 0) != (ends > 0)
        or found["call_ended"] > 2
        or found["call_ringing"] > 1
    ):
        records.violation("a call's events are those of its course", f"{dict(found)}: {call}")
    for row in rows:
        if row["event_type"] == "call_ringing" and row["user_id"] != call["caller_id"]:
            records.violation("a call's events are those of its course", row)
