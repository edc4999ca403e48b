"""What must hold of the database at any quiet moment, whatever has been killed (design §2)."""

from __future__ import annotations

from support.stack import Stack

LIVE = "('initiating', 'ringing', 'connecting', 'connected', 'disconnecting')"
TERMINAL = "('ended', 'missed', 'rejected', 'failed')"

# Each finds the rows that break a rule.
RULES = {
    "a call that is over has two history rows": f"""
        SELECT c.id, COUNT(h.call_id) AS n FROM calls c
        LEFT JOIN call_history h ON h.call_id = c.id
        WHERE c.status IN {TERMINAL} GROUP BY c.id HAVING n <> 2""",
    "a live call has no history row": f"""
        SELECT c.id FROM calls c JOIN call_history h ON h.call_id = c.id
        WHERE c.status IN {LIVE}""",
    "a call that is over has an end, a reason and no deadline": f"""
        SELECT id FROM calls WHERE status IN {TERMINAL}
        AND (ended_at IS NULL OR end_reason IS NULL OR deadline_at IS NOT NULL)""",
    "a live call has a deadline and no end": f"""
        SELECT id FROM calls WHERE status IN {LIVE}
        AND (ended_at IS NOT NULL OR end_reason IS NOT NULL OR deadline_at IS NULL)""",
    "both lines of a live call are busy with it": f"""
        SELECT c.id FROM calls c
        LEFT JOIN user_lines a ON a.user_id = c.caller_id
        LEFT JOIN user_lines b ON b.user_id = c.callee_id
        WHERE c.status IN {LIVE}
        AND NOT (a.call_id <=> c.id AND b.call_id <=> c.id)""",
    "a busy line is busy with a live call of its user": f"""
        SELECT l.user_id FROM user_lines l LEFT JOIN calls c ON c.id = l.call_id
        WHERE l.call_id IS NOT NULL AND (c.id IS NULL OR c.status NOT IN {LIVE}
          OR l.user_id NOT IN (c.caller_id, c.callee_id))""",
    "events have no gaps and end at the line's newest": """
        SELECT l.user_id FROM user_lines l LEFT JOIN call_events e ON e.user_id = l.user_id
        GROUP BY l.user_id, l.last_event_id
        HAVING COUNT(e.event_id) <> l.last_event_id
          OR COALESCE(MAX(e.event_id), 0) <> l.last_event_id""",
    "the badge is the unseen entries counted": """
        SELECT t.user_id, t.unseen_missed, COUNT(h.id) AS n FROM call_history_totals t
        LEFT JOIN call_history h ON h.user_id = t.user_id AND h.direction = 'incoming'
          AND h.status = 'missed' AND h.looks = t.looks
        GROUP BY t.user_id, t.unseen_missed HAVING n <> t.unseen_missed""",
    "a call invited its callee once, or was recorded and did not": """
        SELECT c.id, COUNT(e.event_id) AS n FROM calls c
        LEFT JOIN call_events e ON e.call_id = c.id AND e.event_type = 'call_invitation'
        GROUP BY c.id, c.invited HAVING n <> c.invited""",
}


def broken(stack: Stack) -> dict[str, list[dict]]:
    """The rules that do not hold, with a few of the rows that break each."""
    found = {rule: stack.sql(statement) for rule, statement in RULES.items()}
    return {rule: rows[:5] for rule, rows in found.items() if rows}
