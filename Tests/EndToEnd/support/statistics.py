"""GET /calls/statistics against a straight count of the history (contract §7.3)."""

from __future__ import annotations

from datetime import datetime

import pytest

from support import expect

STATUSES = ("completed", "missed", "rejected", "failed")


def count(entries: list[dict], start: datetime) -> dict:
    """The statistics of the entries since a moment, counted one by one."""
    inside = [entry for entry in entries if expect.moment(entry["timestamp"]) >= start]
    completed = [entry for entry in inside if entry["status"] == "completed"]
    seconds = sum(entry["durationSeconds"] for entry in inside)
    talked = sum(entry["durationSeconds"] for entry in completed)
    return {
        "totalCalls": len(inside),
        "callsByType": {
            kind: sum(entry["callType"] == kind for entry in inside) for kind in ("audio", "video")
        },
        "callsByStatus": {
            status: sum(entry["status"] == status for entry in inside) for status in STATUSES
        },
        "totalDurationMinutes": seconds / 60,
        "averageCallDurationMinutes": talked / 60 / len(completed) if completed else 0,
    }


def agree_with_count(statistics: dict, entries: list[dict]) -> None:
    """Holds an answer against the straight count."""
    counted = count(entries, expect.moment(statistics["from"]))
    for name in ("totalCalls", "callsByType", "callsByStatus"):
        assert statistics[name] == counted[name], (statistics, counted)
    for name in ("totalDurationMinutes", "averageCallDurationMinutes"):
        assert statistics[name] == pytest.approx(counted[name], abs=0.01), (statistics, counted)
