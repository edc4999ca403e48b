"""The database: indexes, cascade, UTC (contract §7.13; R13)."""

from __future__ import annotations

from datetime import UTC

import pytest

from support import expect
from support.clock import columns, stored
from support.programs import ctl

criterion = pytest.mark.criterion


def indexed(stack, table: str) -> set[str]:
    """The columns that an index of the table begins with."""
    rows = stack.sql(
        "SELECT COLUMN_NAME AS col FROM information_schema.STATISTICS "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND SEQ_IN_INDEX = 1",
        table,
    )
    return {row["col"] for row in rows}


@pytest.mark.parametrize(
    "table, wanted",
    [
        pytest.param(
            "calls",
            {"caller_id", "callee_id", "status", "channel_id"},
            marks=criterion("R13.1"),
        ),
        pytest.param("call_history", {"user_id", "timestamp"}, marks=criterion("R13.2")),
        pytest.param("call_quality_metrics", {"call_id", "recorded_at"}, marks=criterion("R13.3")),
    ],
)
def test_indexes(stack, table, wanted):
    """R13.1–R13.3."""
    assert wanted <= indexed(stack, table)


@criterion("R1.2")
def test_channels_are_unique(stack):
    """Two calls never share a channel: the index on channel_id is unique."""
    rows = stack.sql(
        "SELECT NON_UNIQUE AS many FROM information_schema.STATISTICS WHERE "
        "TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'calls' AND COLUMN_NAME = 'channel_id'"
    )
    assert any(row["many"] == 0 for row in rows)


@criterion("R13.4")
def test_deleting_a_call_deletes_its_samples(connected, people):
    """R13.4: ON DELETE CASCADE."""
    caller, callee, call = connected
    other, _, kept = people.connected()
    stack = people.stack
    for person, one in ((caller, call), (callee, call), (other, kept)):
        expect.succeeded(person.report(one["callId"]))
    key = stored(stack, call["callId"])
    rest = stored(stack, kept["callId"])
    caller.end(call["callId"])
    counting = "SELECT COUNT(*) AS n FROM call_quality_metrics WHERE call_id = %s"
    assert stack.sql(counting, key)[0]["n"] == 2
    stack.sql("DELETE FROM calls WHERE id = %s", key)
    assert stack.sql(counting, key)[0]["n"] == 0
    assert stack.sql(counting, rest)[0]["n"] == 1


@criterion("R13.5")
def test_times_are_stored_in_utc(people):
    """R13.5: what the database holds is what the wire says, whatever the session's time zone."""
    caller, _, call = people.ended()
    stack = people.stack
    row = stack.sql("SELECT * FROM calls WHERE id = %s", stored(stack, call["callId"]))[0]
    stamps = {
        round(value.replace(tzinfo=UTC).timestamp() * 1000)
        for value in row.values()
        if hasattr(value, "replace") and hasattr(value, "hour")
    }
    details = caller.details(call["callId"])
    for name in ("createdAt", "acceptedAt", "startTime", "endTime"):
        assert expect.milliseconds(details[name]) in stamps, name
    (entry,) = stack.sql("SELECT `timestamp` FROM call_history WHERE user_id = %s", caller.id)
    stamp = entry["timestamp"].replace(tzinfo=UTC).timestamp()
    assert round(stamp * 1000) == expect.milliseconds(details["createdAt"])


@criterion("R13.5")
def test_no_column_depends_on_a_time_zone(stack):
    """R13.5: DATE and DATETIME only, and DATETIMEs of calls to the millisecond."""
    tables = columns(stack)
    kinds = {kind for names in tables.values() for kind in names.values()}
    assert "timestamp" not in kinds
    assert {"calls", "call_history", "call_quality_metrics", "token_audit"} <= set(tables)
    assert {"users", "contacts", "call_events", "user_lines"} <= set(tables)


def test_every_table_is_transactional(stack):
    """One InnoDB transaction a change of state (design §2)."""
    rows = stack.sql(
        "SELECT TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
    )
    assert {row["engine"] for row in rows} == {"InnoDB"}, rows


def test_migrating_again_changes_nothing(stack):
    """`chattrix-ctl migrate` applies each file once: again it has nothing to do."""
    before = columns(stack)
    ctl(stack, "migrate")
    assert columns(stack) == before
