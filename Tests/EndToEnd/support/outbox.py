"""A user's outbox (call_events), written without the calls that would fill it."""

from __future__ import annotations

import json

from support.people import People, Person


def write_events(people: People, user: Person, call_id: str, count: int, padding: int = 0) -> int:
    """Puts warnings into a user's outbox, as so many transactions would; gives the last id.

    What makes them longer is white space: JSON that means the same.
    """
    stack = people.stack
    data = json.dumps({"callId": call_id, "participantId": "p", "networkQuality": "poor"})
    padded = data[:-1] + " " * padding + "}"
    (line,) = stack.sql("SELECT last_event_id AS n FROM user_lines WHERE user_id = %s", user.id)
    first = line["n"] + 1
    rows = ", ".join(["(%s, %s, %s, 'call_quality_warning', %s, UTC_TIMESTAMP(3))"] * 50)
    for start in range(first, first + count, 50):
        values = [
            value
            for number in range(start, start + 50)
            for value in (user.id, number, call_id, padded)
        ]
        stack.sql(
            "INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at) "
            f"VALUES {rows}",
            *values,
        )
    last = first + count - 1
    stack.sql("UPDATE user_lines SET last_event_id = %s WHERE user_id = %s", last, user.id)
    return last
