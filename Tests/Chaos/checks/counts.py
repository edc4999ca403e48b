"""Statistics, history pages and badges are what the calls add up to (contract 4, 7.2, 11.1)."""

from __future__ import annotations

import collections

from Chaos.ledger import Ledger, history_status
from Chaos.records import Records
from Chaos.stage import Stage
from support import expect
from support.people import Person

STATUSES = ("completed", "missed", "rejected", "failed")


def check(stage: Stage, book: Ledger, records: Records) -> None:
    for person in stage.people:
        for place in stage.places(person).values():
            statistics(place, book, records)
            pages(place, book, records)
            badge(place, stage, records)
    tables(stage, book, records)


def statistics(person: Person, book: Ledger, records: Records) -> None:
    """As the API gives them, of all calls, deleted entries included."""
    said = person.statistics(period="day")
    calls = book.of(person.id)
    expected = {
        "totalCalls": len(calls),
        "callsByType": {
            kind: sum(c["call_type"] == kind for c in calls) for kind in ("audio", "video")
        },
        "callsByStatus": {
            status: sum(history_status(c, person.id) == status for c in calls)
            for status in STATUSES
        },
    }
    minutes = sum(call["duration_seconds"] for call in calls) / 60
    differs = abs(said["totalDurationMinutes"] - minutes) > 1
    if differs or any(said[name] != value for name, value in expected.items()):
        records.violation(
            "statistics are the history's", f"{person.id}: {said}, {expected}, {minutes}"
        )


def pages(person: Person, book: Ledger, records: Records) -> None:
    """A walk through the history finds each entry once, newest first."""
    found, cursor, total = [], None, None
    while True:
        page = person.history(limit=100, **({"cursor": cursor} if cursor else {}))
        found += page["calls"]
        total = page["pagination"]["total"]
        cursor = page["pagination"]["nextCursor"]
        if not cursor:
            break
    ids = [entry["callId"] for entry in found]
    expected = {call_id for user, call_id in book.history if user == person.id}
    times = [entry["timestamp"] for entry in found]
    if len(ids) != len(set(ids)) or set(ids) != expected or times != sorted(times, reverse=True):
        records.violation("a walk finds every entry once", f"{person.id}: {set(ids) ^ expected}")
    if total != len(expected):
        records.violation(
            "the total is the entries counted", f"{person.id}: {total}, {len(expected)}"
        )


def badge(person: Person, stage: Stage, records: Records) -> None:
    """What the API says is what the table has, whose rows `invariants` counts."""
    said = expect.succeeded(person.get("/calls/history/unseen"))["missed"]
    rows = stage.stack.sql(
        "SELECT unseen_missed FROM call_history_totals WHERE user_id = %s", person.id
    )
    if said != (rows[0]["unseen_missed"] if rows else 0):
        records.violation("the badge is the table's", f"{person.id}: {said}, {rows}")


def tables(stage: Stage, book: Ledger, records: Records) -> None:
    """The counters behind both: per hour, per day, and per kind of entry."""
    spans = collections.Counter()
    for call in book.calls.values():
        for user in (call["caller_id"], call["callee_id"]):
            spans[user, call["call_type"], history_status(call, user)] += 1
    for span in ("hour", "day"):
        rows = stage.stack.sql("SELECT * FROM call_statistics WHERE span = %s", span)
        compare(f"statistics per {span}", rows, spans, records)
    entries = collections.Counter(
        (user, row["call_type"], row["status"]) for (user, _), row in book.history.items()
    )
    compare(
        "history totals", stage.stack.sql("SELECT * FROM call_history_totals"), entries, records
    )


def compare(what: str, rows: list[dict], expected: collections.Counter, records: Records) -> None:
    found = collections.Counter()
    for row in rows:
        for kind in ("audio", "video"):
            for status in STATUSES:
                found[row["user_id"], kind, status] += row[f"{kind}_{status}"]
    for which in found.keys() | expected.keys():
        if found[which] != expected[which]:
            records.violation(
                f"{what} add up", f"{which}: {found[which]}, {expected[which]} in fact"
            )
