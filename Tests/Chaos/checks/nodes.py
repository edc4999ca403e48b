"""A cluster: each of its nodes has the same rows, so that what was proven of one holds of all."""

from __future__ import annotations

import collections

from Chaos.ledger import Ledger
from Chaos.records import Records
from Chaos.stage import Stage

# What stands still when all calls are over and all webhooks sent.
TABLES = """
calls call_events call_history call_history_totals call_statistics call_quality_metrics token_audit
webhook_events
""".split()


def check(stage: Stage, book: Ledger, records: Records) -> None:
    for table in TABLES if stage.nodes else ():
        first, *others = (
            collections.Counter(repr(row) for row in node.sql(f"SELECT * FROM {table}"))
            for node in stage.nodes
        )
        for node, rows in zip(stage.nodes[1:], others, strict=True):
            if rows != first:
                found = [*(first - rows), *(rows - first)]
                records.violation(
                    "all nodes have the same rows", f"{table} of {node.name}: {found[:6]}"
                )
