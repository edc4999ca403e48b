"""Moving rows into the past, so that no test has to wait for an hour to go by.

Knows no table by heart: every DATE and DATETIME column of the rows that belong to a call or a user
is moved by the same amount.
"""

from __future__ import annotations

import uuid

from support.stack import Stack


def columns(stack: Stack) -> dict[str, dict[str, str]]:
    """Table → column → type, of the stack's own tables."""
    rows = stack.sql(
        "SELECT c.TABLE_NAME AS name, c.COLUMN_NAME AS col, c.DATA_TYPE AS kind, c.EXTRA AS extra "
        "FROM information_schema.COLUMNS c JOIN information_schema.TABLES t "
        "ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME "
        "WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE'"
    )
    tables: dict[str, dict[str, str]] = {}
    for row in rows:
        if "GENERATED" not in row["extra"].upper():
            tables.setdefault(row["name"], {})[row["col"]] = row["kind"].lower()
    return tables


def stored(stack: Stack, call_id: str, table: str = "calls", column: str = "id"):
    """A call id as the database keeps it: as text or as 16 bytes (contract §7.13)."""
    if columns(stack)[table][column] in ("binary", "varbinary"):
        return uuid.UUID(call_id).bytes
    return call_id


def shift(stack: Stack, table: str, where: str, arguments: tuple, seconds: int) -> None:
    """Moves every DATE and DATETIME of some rows back by `seconds`."""
    dated = [name for name, kind in columns(stack)[table].items() if kind in ("date", "datetime")]
    if not dated:
        return
    moved = ", ".join(f"`{name}` = `{name}` - INTERVAL {int(seconds)} SECOND" for name in dated)
    # From the oldest on, so that a key which has a time in it does not meet its neighbour.
    order = ", ".join(f"`{name}`" for name in dated)
    stack.sql(f"UPDATE `{table}` SET {moved} WHERE {where} ORDER BY {order}", *arguments)


def shift_call(stack: Stack, call_id: str, seconds: int) -> None:
    """As if the call had begun that much earlier."""
    shift(stack, "calls", "id = %s", (stored(stack, call_id),), seconds)


def prolong(stack: Stack, call_id: str) -> None:
    """The deadline that a live call has at present is an hour later, whatever the machine does meanwhile."""
    stack.sql(
        "UPDATE calls SET deadline_at = deadline_at + INTERVAL 1 HOUR WHERE id = %s",
        stored(stack, call_id),
    )


def shift_user(stack: Stack, user_ids: list[str], seconds: int) -> None:
    """As if everything that these users did had happened that much earlier."""
    marks = ", ".join(["%s"] * len(user_ids))
    mine = stack.sql(
        f"SELECT id FROM calls WHERE caller_id IN ({marks}) OR callee_id IN ({marks})",
        *user_ids,
        *user_ids,
    )
    calls = tuple(row["id"] for row in mine)
    among = ", ".join(["%s"] * len(calls)) or "NULL"
    for table, names in columns(stack).items():
        if table == "calls":
            shift(stack, table, f"id IN ({among})", calls, seconds)
        elif "user_id" in names:
            shift(stack, table, f"user_id IN ({marks})", tuple(user_ids), seconds)
        elif "call_id" in names:
            shift(stack, table, f"call_id IN ({among})", calls, seconds)
