"""Webhooks: each came at least once, in the order of its call, and says what the call says (contract 8)."""

from __future__ import annotations

import collections
import contextlib
import time

import pymysql

from Chaos.ledger import Ledger, history_status, iso, seconds
from Chaos.records import Records
from Chaos.stage import Stage

# What is tried again in half a minute or later is due at once when the run is over.
WAIT_SECONDS = 120
NOT_WORTH_IT_SECONDS = 60


def wait(stage: Stage, records: Records) -> None:
    """Until nothing is pending."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        # A cluster gives it up for what a sender at another node has settled.
        with contextlib.suppress(pymysql.err.OperationalError):
            stage.stack.sql(
                "UPDATE webhook_events SET due_at = UTC_TIMESTAMP(3) WHERE state = 'pending' "
                "AND queue <> 'kick' AND leased_by IS NULL AND due_at > UTC_TIMESTAMP(3)"
            )
        rows = stage.stack.sql("SELECT * FROM webhook_events WHERE state = 'pending' LIMIT 5")
        if not rows:
            return
        if time.monotonic() > deadline:
            records.violation("every webhook is sent", rows)
            return
        time.sleep(0.25)


def check(stage: Stage, book: Ledger, records: Records) -> None:
    came = collections.defaultdict(list)
    for request in stage.receiver.requests:
        if request.path.startswith("/webhooks"):
            came[request.call_id].append(request)
    kicked = {r.json["cname"] for r in stage.receiver.requests if "kicking-rule" in r.path}
    for call in book.calls.values():
        recorded(call, book.webhooks[call["id"]], records)
        delivered(call, book.webhooks[call["id"]], came[call["id"]], records)
        wants_kick = call["end_reason"] in ("max_duration", "connection_lost")
        if wants_kick and call["accepted_at"] is not None and call["channel_id"] not in kicked:
            records.violation("a channel is kicked", call)
    for call_id in came.keys() - book.calls.keys():
        records.violation("a webhook is of a call that there is", call_id)


def expected_types(call: dict) -> list[str]:
    """In the order in which they come (contract 8.1)."""
    types = ["call.invitation", "call.stopped_ringing"] if call["invited"] else []
    if history_status(call, call["callee_id"]) == "missed":
        types.append("call.missed")
    return [*types, "call.ended"]


def recorded(call: dict, rows: list[dict], records: Records) -> None:
    found = [row["event_type"] for row in rows if row["event_type"] != "agora.kick"]
    if found != expected_types(call):
        records.violation("a call's webhooks are those of its course", f"{found}: {call}")


def delivered(call: dict, rows: list[dict], requests: list, records: Records) -> None:
    by_type = collections.defaultdict(list)
    for request in requests:
        by_type[request.type].append(request)
    given_up = {row["event_type"] for row in rows if is_late(call, row)}
    expected = [kind for kind in expected_types(call) if kind not in given_up]
    first = list(dict.fromkeys(request.type for request in requests))
    if [kind for kind in first if kind not in given_up] != expected:
        kept = [(row["event_type"], row["state"], row["last_error"]) for row in rows]
        records.violation("webhooks come in the order of their call", f"{first}, {kept}: {call}")
    for kind, found in by_type.items():
        if len({request.id for request in found}) != 1:
            records.violation("a webhook keeps its id", f"{kind}: {call}")
    for request in by_type["call.ended"]:
        said = request.json["data"]
        times = {"createdAt": "created_at", "acceptedAt": "accepted_at", "endedAt": "ended_at"}
        expected_data = {name: iso(call[column]) for name, column in times.items()} | {
            "status": call["status"],
            "endReason": call["end_reason"],
            "durationSeconds": call["duration_seconds"],
        }
        if any(said[name] != value for name, value in expected_data.items()):
            records.violation("a webhook says what its call says", f"{said}, {call}")


def is_late(call: dict, row: dict) -> bool:
    """Given up because nobody cares any more (contract 8.2)."""
    if (
        row["event_type"] not in ("call.invitation", "call.stopped_ringing")
        or row["state"] != "failed"
    ):
        return False
    return seconds(row["settled_at"]) > seconds(call["expires_at"]) + NOT_WORTH_IT_SECONDS
