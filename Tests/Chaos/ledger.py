"""The database after a run, read whole."""

from __future__ import annotations

import collections
from datetime import UTC, datetime

from support.stack import Stack

LIVE = {"initiating", "ringing", "connecting", "connected", "disconnecting"}


def outbox(stack: Stack) -> dict[str, dict[int, dict]]:
    """User → number → the row of the event."""
    found: dict[str, dict[int, dict]] = collections.defaultdict(dict)
    for row in stack.sql("SELECT * FROM call_events ORDER BY user_id, event_id"):
        found[row["user_id"]][row["event_id"]] = row
    return found


def seconds(moment: datetime) -> float:
    """A DATETIME in UTC as seconds since the epoch."""
    return moment.replace(tzinfo=UTC).timestamp()


def iso(moment: datetime | None) -> str | None:
    """As the API writes it."""
    return (
        None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    )


def stamp(moment: float) -> str:
    """Seconds since the epoch as the API writes them."""
    return iso(datetime.fromtimestamp(moment, UTC))


def history_status(call: dict, user_id: str) -> str:
    """How a call that is over reads in a participant's history (contract 7.2, 11.2)."""
    is_caller = call["caller_id"] == user_id
    reason = call["end_reason"]
    if not call["invited"]:
        return "rejected" if is_caller else "missed"
    if call["status"] == "failed":
        return "failed"
    if call["accepted_at"] is not None:
        return "completed"
    if reason in ("declined", "unavailable"):
        return "rejected"
    if reason == "busy":
        return "rejected" if is_caller else "missed"
    return "missed"


class Ledger:
    """Rows by what they are looked for by."""

    def __init__(self, stack: Stack):
        self.calls = {row["id"]: row for row in stack.sql("SELECT * FROM calls")}
        self.history = {
            (row["user_id"], row["call_id"]): row for row in stack.sql("SELECT * FROM call_history")
        }
        self.events = outbox(stack)
        self.by_call: dict[str, list[dict]] = collections.defaultdict(list)
        for row in (row for rows in self.events.values() for row in rows.values()):
            self.by_call[row["call_id"]].append(row)
        self.webhooks: dict[str, list[dict]] = collections.defaultdict(list)
        for row in stack.sql("SELECT * FROM webhook_events ORDER BY call_id, sequence"):
            self.webhooks[row["call_id"]].append(row)
        self.metrics: collections.Counter = collections.Counter()
        for row in stack.sql("SELECT call_id, user_id FROM call_quality_metrics"):
            self.metrics[row["call_id"], row["user_id"]] += 1
        audits = stack.sql("SELECT request_id FROM token_audit")
        self.tokens = collections.Counter(row["request_id"] for row in audits)

    def events_of(self, call_id: str) -> list[dict]:
        call = self.calls[call_id]
        users = (call["caller_id"], call["callee_id"])
        return [row for row in self.by_call[call_id] if row["user_id"] in users]

    def of(self, user_id: str) -> list[dict]:
        """A user's calls that are over."""
        return [
            call
            for call in self.calls.values()
            if user_id in (call["caller_id"], call["callee_id"]) and call["status"] not in LIVE
        ]
