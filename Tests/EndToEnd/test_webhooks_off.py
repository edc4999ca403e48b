"""Without WEBHOOK_URL (contract 8.2): nothing is recorded, and no program runs."""

from __future__ import annotations

import os


def test_nothing_is_recorded(people, stack):
    caller, callee, call = people.ended()
    assert stack.sql("SELECT 1 FROM webhook_events WHERE call_id = %s", call["callId"]) in ([], ())
    programs = []
    for pid in stack.children(stack.pid("SUPERVISOR")):
        try:
            programs.append(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            continue
    assert programs
    assert not [path for path in programs if path.endswith("chattrix-webhooks")]
