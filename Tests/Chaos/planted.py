"""Does the proof find anything? Rules that are broken on purpose, in the database of a run that broke none."""

from __future__ import annotations

from Chaos.run import Run, prove
from Chaos.stage import Stage
from support.cluster import Node

# Rule → what breaks it. Each is found beside those that were planted before.
PLANTED = {
    "the badge is the unseen entries counted": "UPDATE call_history_totals SET unseen_missed = unseen_missed + 1 LIMIT 1",
    "statistics per hour add up": "UPDATE call_statistics SET audio_missed = audio_missed + 1 WHERE span = 'hour' LIMIT 1",
    "a quality report is kept once": "DELETE FROM call_quality_metrics LIMIT 1",
    "what was answered with 2xx is in the database": "UPDATE calls SET accepted_at = accepted_at + INTERVAL 1 SECOND "
    "WHERE accepted_at IS NOT NULL",
    "no call is live past its deadline": "UPDATE call_events SET created_at = created_at + INTERVAL 1 HOUR "
    "WHERE event_type = 'call_timeout'",
    "no user is in two calls at once": "UPDATE calls SET ended_at = ended_at + INTERVAL 1 HOUR WHERE invited",
    "a call that is over has both history rows": "DELETE FROM call_history LIMIT 20",
    "the total is the entries counted": "UPDATE call_history_totals SET video_missed = video_missed + 1",
    "a call's events are those of its course": "DELETE FROM call_events WHERE event_type = 'call_invitation' LIMIT 1",
    "a call's webhooks are those of its course": "DELETE FROM webhook_events WHERE event_type = 'call.ended' LIMIT 1",
    "a call to a busy callee is recorded once": "DELETE FROM calls WHERE NOT invited LIMIT 1",
}


def overlooked(stage: Stage, done: Run) -> list[str]:
    """The rules that were broken and not found to be."""
    missed, absent = [], []
    for rule, statement in PLANTED.items():
        stage.stack.sql(statement)
        if stage.stack.sql("SELECT ROW_COUNT() AS n")[0]["n"] == 0:
            absent.append(f"{rule}: the run has no such row")
            continue
        records = done.records.without_violations()
        prove(stage, records)
        if rule not in records.violations:
            missed.append(rule)
    # A short run may have no call that rang out, or none to a busy callee.
    if len(absent) > len(PLANTED) // 4:
        missed += absent
    del stage.receiver.requests[:50]
    rules = ["webhooks come in the order of their call"]
    if stage.nodes:
        split(stage.nodes[-1])
        rules.append("all nodes have the same rows")
    records = done.records.without_violations()
    prove(stage, records)
    return missed + [rule for rule in rules if rule not in records.violations]


def split(node: Node) -> None:
    """Changes a row of one node without the others."""
    change = "UPDATE call_events SET created_at = created_at + INTERVAL 1 DAY LIMIT 1"
    with node.connect("chattrix", node.administrator) as connection, connection.cursor() as cursor:
        for statement in (*node.apart, change):
            cursor.execute(statement)
