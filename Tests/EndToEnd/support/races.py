"""Requests that are made at the same moment, and what became of them."""

from __future__ import annotations

import threading

from . import expect
from .clock import stored


def together(pool, *actions):
    """Runs the actions in threads that start at the same moment, and gives their results."""
    barrier = threading.Barrier(len(actions))

    def started(action):
        barrier.wait(60)
        return action()

    return [future.result() for future in [pool.submit(started, action) for action in actions]]


def code_of(response) -> str:
    """The error code, or the status where there was no error; a 5xx fails at once."""
    assert response.status_code < 500, expect.described(response)
    body = expect.envelope(response)
    return str(response.status_code) if body["success"] else body["error"]["code"]


def rows(people, call_id: str) -> int:
    """How many history rows a call has."""
    key = stored(people.stack, call_id, "call_history", "call_id")
    counting = "SELECT COUNT(*) AS n FROM call_history WHERE call_id = %s"
    return people.stack.sql(counting, key)[0]["n"]


def accept_against_cancel(pool, caller, callee) -> tuple[str, str]:
    """The callee accepts while the caller hangs up: the call's id, and the reason that its end must have."""
    call_id = caller.call(callee)["callId"]
    accepted, ended = together(
        pool,
        lambda: callee.post(f"/calls/{call_id}/accept", {}),
        lambda: caller.post(f"/calls/{call_id}/end", {}),
    )
    codes = (code_of(accepted), code_of(ended))
    reason = {"200": "hangup", "CALL_ALREADY_ENDED": "cancelled"}[codes[0]]
    assert codes[1] == "200"
    return call_id, reason
