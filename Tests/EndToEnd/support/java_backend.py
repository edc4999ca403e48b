"""Rows of the Java backend, as sql/import/java_schema.sql assumes them, and what is to come of them."""

from __future__ import annotations

import csv
import random
import uuid
from datetime import datetime, timedelta
from pathlib import Path

TABLES = {
    "java_calls": (
        "id channel_id caller_id callee_id call_type status start_time end_time duration_seconds "
        "created_at updated_at"
    ).split(),
    "java_call_history": (
        "id user_id call_id remote_user_id remote_user_name remote_user_avatar call_type status "
        "direction timestamp duration_seconds created_at"
    ).split(),
    "java_call_quality_metrics": (
        "id call_id user_id network_quality packet_loss_rate round_trip_time recorded_at"
    ).split(),
}
UNFINISHED = ["INITIATING", "RINGING", "CONNECTING", "CONNECTED", "DISCONNECTING"]
FINISHED = ["ENDED", "MISSED", "REJECTED", "FAILED"]
QUALITIES = {"EXCELLENT": 5, "GOOD": 4, "POOR": 3, "BAD": 2, "VERY_BAD": 1, "UNKNOWN": None}
SAMPLED = {"ENDED", "FAILED", "CONNECTED", "DISCONNECTING"}


class JavaBackend:
    """Calls between some users over more than a year, made by a seed."""

    def __init__(self, seed: int, users: list[int], now: datetime):
        self.random = random.Random(seed)
        # Whole milliseconds: of what is finer MariaDB keeps the beginning, and MySQL rounds it.
        self.users, self.now = users, now.replace(microsecond=now.microsecond // 1000 * 1000)
        self.rows: dict[str, list[dict]] = {name: [] for name in TABLES}

    def fill(self, calls: int) -> None:
        for _ in range(calls):
            self.call(self.moment(), self.random.choice(FINISHED * 6 + UNFINISHED))
        # At the edges of hours and days, and with a channel that many calls have.
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
        for seconds in (-0.001, 0, 0.001, 3599.999, 3600):
            self.call(midnight + timedelta(seconds=seconds), "ENDED")

    def moment(self) -> datetime:
        """Most of them near the edge of a period, where each second counts."""
        if self.random.random() < 0.4:
            return self.now - timedelta(
                days=self.random.choice([1, 7, 30, 365]), seconds=self.random.randint(-5400, 5400)
            )
        return self.now - timedelta(seconds=self.random.randint(60, 400 * 86400))

    def call(self, created: datetime, status: str) -> dict:
        """A call, with the history and the samples that the Java backend writes with it."""
        caller, callee = self.random.sample(self.users, 2)
        connects = status in ("CONNECTED", "DISCONNECTING") or (
            status in ("ENDED", "FAILED") and self.random.random() < 0.7
        )
        start = created + timedelta(milliseconds=self.random.randint(900, 55_000))
        length = self.random.randint(0, 5000)
        end = start + timedelta(seconds=length)
        finished = status in FINISHED
        row = {
            "id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            "channel_id": self.random.choice(["channel_conv_7", uuid.uuid4().hex]),
            "caller_id": caller,
            "callee_id": callee,
            "call_type": self.random.choice(["AUDIO", "VIDEO"]),
            "status": status,
            "start_time": start if connects else None,
            "end_time": end if finished else None,
            "duration_seconds": length if finished and connects else None,
            "created_at": created,
            "updated_at": end,
        }
        self.rows["java_calls"].append(row)
        if finished:
            self.history(row)
        if connects:
            self.samples(row)
        return row

    def history(self, call: dict) -> None:
        """Both entries, of which users have deleted some."""
        word = {"ENDED": "COMPLETED"}.get(call["status"], call["status"])
        for user, other, direction in [
            (call["caller_id"], call["callee_id"], "OUTGOING"),
            (call["callee_id"], call["caller_id"], "INCOMING"),
        ]:
            if self.random.random() < 0.1:
                continue
            entry = {
                "id": str(uuid.uuid4()),
                "user_id": user,
                "call_id": call["id"],
                "remote_user_id": other,
                "remote_user_name": 'Nguyễn "Mai", ab',
                "remote_user_avatar": None,
                "call_type": call["call_type"],
                "status": word,
                "direction": direction,
                "timestamp": call["created_at"],
                "duration_seconds": call["duration_seconds"],
                "created_at": call["updated_at"],
            }
            self.rows["java_call_history"].append(entry)

    def samples(self, call: dict) -> None:
        for number in range(self.random.randint(0, 4)):
            sample = {
                "id": str(uuid.uuid4()),
                "call_id": call["id"],
                "user_id": call[self.random.choice(["caller_id", "callee_id"])],
                "network_quality": self.random.choice([*QUALITIES, None]),
                "packet_loss_rate": self.random.choice([None, 0, 0.0125, 0.4]),
                "round_trip_time": self.random.choice([None, 0, 41, 350]),
                "recorded_at": call["start_time"] + timedelta(seconds=number),
            }
            self.rows["java_call_quality_metrics"].append(sample)

    def write(self, folder: Path) -> None:
        """As PostgreSQL's `\\copy … WITH (FORMAT csv, NULL '\\N')` writes them."""
        for name, columns in TABLES.items():
            with (folder / f"{name.removeprefix('java_')}.csv").open("w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                for row in self.rows[name]:
                    writer.writerow(["\\N" if row[key] is None else row[key] for key in columns])

    # What is to come of it.

    def entries(self, user: int) -> list[dict]:
        """Each of a user's calls as the contract has it read, deleted or not, newest first."""
        shown = {(row["user_id"], row["call_id"]) for row in self.rows["java_call_history"]}
        found = []
        for call in self.rows["java_calls"]:
            if user not in (call["caller_id"], call["callee_id"]):
                continue
            is_caller = user == call["caller_id"]
            status, reason, seconds = outcome(call)
            found.append(
                {
                    "callId": call["id"],
                    "remoteUserId": str(call["callee_id" if is_caller else "caller_id"]),
                    "callType": call["call_type"].lower(),
                    "status": status,
                    "direction": "outgoing" if is_caller else "incoming",
                    "endReason": reason,
                    "timestamp": iso(call["created_at"]),
                    "durationSeconds": seconds,
                    "shown": call["status"] in UNFINISHED or (user, call["id"]) in shown,
                }
            )
        return sorted(found, key=lambda each: each["timestamp"], reverse=True)

    def quality(self, call_id: str) -> dict:
        samples = [
            row for row in self.rows["java_call_quality_metrics"] if row["call_id"] == call_id
        ]
        return {
            "averageScore": mean([QUALITIES.get(row["network_quality"]) for row in samples]),
            "averagePacketLossRate": mean([row["packet_loss_rate"] for row in samples]),
            "averageRoundTripTime": mean([row["round_trip_time"] or None for row in samples]),
            "samples": len(samples),
        }


def outcome(call: dict) -> tuple[str, str, int]:
    """How a call reads in both histories, why it ended, and how long it was."""
    status, start = call["status"], call["start_time"]
    if status in ("INITIATING", "RINGING", "MISSED"):
        return "missed", "timeout", 0
    if status == "REJECTED":
        return "rejected", "declined", 0
    if status == "FAILED":
        return "failed", "failed", call["duration_seconds"] or 0
    if status == "ENDED":
        if start is None:
            return "missed", "cancelled", 0
        return "completed", "hangup", call["duration_seconds"]
    since = start or call["created_at"]
    return "completed", "connection_lost", int((call["updated_at"] - since).total_seconds())


def mean(values: list) -> float | None:
    given = [value for value in values if value is not None]
    return sum(given) / len(given) if given else None


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds") + "Z"
