"""Answers: whatever was answered with 2xx is in the database, and nothing was answered with a 500."""

from __future__ import annotations

import collections

from Chaos.ledger import LIVE, Ledger, iso, stamp
from Chaos.records import Answer, Outage, Records
from Chaos.stage import Stage

# After a fault is over: connections that broke meanwhile are found out at their next use.
GRACE_SECONDS = 10.0
SHORTLY_SECONDS = 1.0
# What a client that does nothing wrong may be refused with.
REFUSALS = {
    "USER_BUSY",
    "USER_UNAVAILABLE",
    "INVALID_STATUS_TRANSITION",
    "NO_ACTIVE_CALL",
    "CALL_ALREADY_ACCEPTED",
    "CALL_ALREADY_ENDED",
    "CALL_TIMEOUT",
}


def check(stage: Stage, book: Ledger, records: Records) -> None:
    checks = {
        "initiate": initiated,
        "accept": accepted,
        "reject": rejected,
        "end": ended,
        "connected": connected,
        "token": audited,
        "refresh": audited,
    }
    bystanders(records)
    for answer in records.answers:
        allowed(answer, records)
        if answer.succeeded and answer.kind in checks:
            fault = checks[answer.kind](answer, book)
            if fault:
                records.violation(
                    "what was answered with 2xx is in the database", f"{answer}: {fault}"
                )
    keys(book, records)
    refused_calls(book, records)
    samples(book, records)


def allowed(answer: Answer, records: Records) -> None:
    """No answer is one that a client without fault may not get."""
    if answer.status is not None and answer.status >= 500 and answer.status != 503:
        records.violation("no answer is a 500", f"{answer}: {answer.details} {answer.request_id}")
    is_unanswered = answer.is_ambiguous and not answer.was_left
    if is_unanswered and not records.near(answer.began, answer.ended, GRACE_SECONDS):
        records.violation("with nothing broken every request is answered", answer)
    if answer.status is None or answer.succeeded or answer.status >= 500:
        return
    is_gone = answer.kind == "delete" and answer.code == "RESOURCE_NOT_FOUND"
    is_over = answer.kind in ("token", "refresh") and answer.code == "UNAUTHORIZED_ACCESS"
    # It was in the future when it was sent.
    is_past = answer.kind == "availability" and answer.sent.get("until", "~") <= stamp(answer.ended)
    if answer.code not in REFUSALS and not (is_gone or is_over or is_past):
        records.violation("no refusal without a reason", f"{answer}: {answer.details}")


def costs_requests(outage: Outage, host: str) -> bool:
    """Whether REST may fail for it. Workers are replaced one by one, and calls need no Redis, no sidecar and no
    sender."""
    return not outage.faults or any(
        kind.way != "reload" and kind.target not in ("webhooks", "signaling", "redis")
        for kind in outage.at(host)
    )


def costs_answers(outage: Outage, host: str) -> bool:
    """Whether a request may get no answer at all."""
    return not outage.faults or any(
        kind.target in ("nginx", "nginx-worker") for kind in outage.at(host)
    )


def costs_sockets(outage: Outage, host: str) -> bool:
    """Whether sockets may break for it."""
    return not outage.faults or any(
        kind.target in ("nginx", "nginx-worker", "signaling") for kind in outage.at(host)
    )


def bystanders(records: Records) -> None:
    """What a fault does not concern goes on, and so does another host than it concerns."""
    for answer in records.answers:
        if not answer.is_ambiguous or answer.fault.startswith("command"):
            continue
        near = records.near(answer.began, answer.ended, SHORTLY_SECONDS)
        host = answer.host
        if answer.status is None and near and not any(costs_answers(o, host) for o in near):
            records.violation("nginx answers for what is away", f"{answer}: {near[0].name}")
        if near and not any(costs_requests(o, host) for o in near):
            records.violation(
                "calls go on without Redis, sidecar and sender", f"{answer}: {near[0].name}"
            )
    for device, host, at in records.lost_sockets:
        near = records.near(at, at, SHORTLY_SECONDS)
        if near and not any(costs_sockets(o, host) for o in near):
            records.violation(
                "sockets stay open without database, Redis and workers",
                f"{device} at {at:.3f}: {near[0].name}",
            )


def initiated(answer: Answer, book: Ledger) -> str:
    data = answer.data
    row = book.calls.get(data["callId"])
    if row is None:
        return f"no such call: {data}"
    parties = (answer.user, answer.sent["calleeId"])
    if data.get("joined"):
        is_right = (row["callee_id"], row["caller_id"]) == parties and row["accepted_at"]
        return "" if is_right else f"joined {row}"
    expected = {
        "caller_id": answer.user,
        "callee_id": answer.sent["calleeId"],
        "call_type": answer.sent["callType"],
        "idempotency_key": answer.key,
        "channel_id": data["channelId"],
    }
    if any(row[name] != value for name, value in expected.items()):
        return f"{data}, {row}"
    times = (data["createdAt"], data["expiresAt"])
    return "" if times == (iso(row["created_at"]), iso(row["expires_at"])) else f"{data}, {row}"


def accepted(answer: Answer, book: Ledger) -> str:
    row = book.calls[answer.call_id]
    is_right = (
        row["callee_id"] == answer.user and iso(row["accepted_at"]) == answer.data["acceptedAt"]
    )
    return "" if is_right else f"{answer.data}, {row}"


def rejected(answer: Answer, book: Ledger) -> str:
    row = book.calls[answer.call_id]
    return "" if answer.data["status"] == row["status"] not in LIVE else f"{answer.data}, {row}"


def ended(answer: Answer, book: Ledger) -> str:
    row, data = book.calls[answer.call_id], answer.data
    said = (data["status"], data.get("endReason"), data.get("durationSeconds"), data.get("endedAt"))
    kept = (row["status"], row["end_reason"], row["duration_seconds"], iso(row["ended_at"]))
    # The end of a call that rang is its rejection, or was over already in another way.
    differs = [s for s, k in zip(said, kept, strict=True) if s is not None and s != k]
    return f"{data}, {row}" if differs else ""


def connected(answer: Answer, book: Ledger) -> str:
    row = book.calls[answer.call_id]
    return "" if row["connected_at"] is not None else f"{row}"


def audited(answer: Answer, book: Ledger) -> str:
    number = book.tokens[answer.request_id]
    return "" if number == 1 else f"{number} audit rows"


def keys(book: Ledger, records: Records) -> None:
    """Under one Idempotency-Key there is one call, however often it was asked for."""
    known = collections.defaultdict(set)
    for answer in records.of("initiate"):
        if answer.key and answer.succeeded:
            known[answer.key].add(answer.data["callId"])
    rows = collections.Counter(call["idempotency_key"] for call in book.calls.values())
    for key, found in known.items():
        if len(found) > 1 or rows[key] > 1:
            records.violation("one key, one call", f"{key}: {found}, {rows[key]} rows")


def refused_calls(book: Ledger, records: Records) -> None:
    """A call to a callee who is busy, or not to be disturbed, is recorded once (contract 4, 11.2)."""
    said, perhaps = collections.Counter(), collections.Counter()
    for answer in records.of("initiate"):
        pair = (answer.user, answer.sent["calleeId"])
        details = answer.details if isinstance(answer.details, dict) else {}
        if answer.status == 409 and details.get("party") == "callee":
            said[pair] += 1
        elif answer.is_ambiguous:
            perhaps[pair] += 1
    found = collections.Counter(
        (call["caller_id"], call["callee_id"])
        for call in book.calls.values()
        if not call["invited"]
    )
    for pair in said.keys() | found.keys():
        if not said[pair] <= found[pair] <= said[pair] + perhaps[pair]:
            records.violation(
                "a call to a busy callee is recorded once",
                f"{pair}: {said[pair]} refused, {perhaps[pair]} unknown, {found[pair]} recorded",
            )


def samples(book: Ledger, records: Records) -> None:
    """Quality reports are kept, once each."""
    said, perhaps = collections.Counter(), collections.Counter()
    for answer in records.of("quality"):
        which = (answer.call_id, answer.user)
        said[which] += answer.succeeded
        perhaps[which] += answer.is_ambiguous
    for which in said.keys() | book.metrics.keys():
        if not said[which] <= book.metrics[which] <= said[which] + perhaps[which]:
            records.violation(
                "a quality report is kept once",
                f"{which}: {said[which]} answered, {perhaps[which]} unknown, {book.metrics[which]} rows",
            )
    kept = collections.Counter()
    for (call_id, _), number in book.metrics.items():
        kept[call_id] += number
    for call in book.calls.values():
        if call["quality_samples"] != kept[call["id"]]:
            records.violation(
                "a call's average is of all its samples", f"{kept[call['id']]}: {call}"
            )
