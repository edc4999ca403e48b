"""What is said and logged when something of the server's own fails (R3.5, R4.5, R12.4)."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from support import expect
from support.logs import program_lines
from support.stack import wait_until
from support.variants import variant

pytestmark = variant("fragile")
criterion = pytest.mark.criterion


@contextlib.contextmanager
def without(stack, table: str):
    """The database without one of its tables."""
    stack.sql(f"RENAME TABLE `{table}` TO `{table}_away`")
    try:
        yield
    finally:
        stack.sql(f"RENAME TABLE `{table}_away` TO `{table}`")


def no_internals(response) -> None:
    """The client sees no SQL, no table, no file and no frame of a stack."""
    for word in ("token_audit", "SELECT", "INSERT", "MySQL", "MariaDB", ".swift", "0x", "errno"):
        assert word not in response.text, response.text


@criterion("R3.5")
def test_token_generation_failed(people):
    """R3.5: 500 TOKEN_GENERATION_FAILED, and no token without its audit row."""
    caller, _, call = people.connecting()
    body = {"channelId": call["channelId"]}
    with without(people.stack, "token_audit"):
        response = caller.post("/agora/token/generate", body)
        expect.refused(response, 500, "TOKEN_GENERATION_FAILED")
        no_internals(response)
        assert "007" not in json.dumps(response.json()["error"])
    expect.succeeded(caller.post("/agora/token/generate", body))


@criterion("R4.5")
def test_token_refresh_failed(people):
    """R4.5: 500 TOKEN_REFRESH_FAILED."""
    caller, _, call = people.connecting()
    body = {"channelId": call["channelId"]}
    old = expect.succeeded(caller.post("/agora/token/generate", body))["token"]
    with without(people.stack, "token_audit"):
        response = caller.post("/agora/token/refresh", body | {"oldToken": old})
        expect.refused(response, 500, "TOKEN_REFRESH_FAILED")
        no_internals(response)
    expect.succeeded(caller.post("/agora/token/refresh", body | {"oldToken": old}))


@criterion("R12.4", "R12.5")
def test_a_server_error_is_logged_with_its_stack(people):
    """R12.4: 500 INTERNAL_SERVER_ERROR; the log has a backtrace under the request's id."""
    caller, callee, call = people.connected()
    with without(people.stack, "call_quality_metrics"):
        response = caller.report(call["callId"])
        expect.refused(response, 500, "INTERNAL_SERVER_ERROR")
        no_internals(response)
    request_id = response.json()["requestId"]

    def logged():
        lines = program_lines(people.stack)
        return [line for line in lines if line.get("requestId") == request_id]

    errors = [line for line in wait_until(logged) if line["level"].lower() == "error"]
    assert errors, "no line of level error"
    frames = [value for line in errors for value in line.values() if looks_like_a_stack(value)]
    assert frames, errors
    expect.succeeded(caller.report(call["callId"]))
    assert callee.end(call["callId"])["status"] == "ended"


def looks_like_a_stack(value) -> bool:
    """Several frames, as a list or as lines of one text."""
    frames = value if isinstance(value, list) else str(value).splitlines()
    return len([frame for frame in frames if "hattrix" in str(frame) or "$s" in str(frame)]) >= 3


@criterion("R12.4")
def test_an_end_that_fails_changes_nothing(people):
    """One transaction: without the history's table the call goes on, and ends later."""
    caller, callee, call = people.connected()
    with without(people.stack, "call_history"):
        response = caller.post(f"/calls/{call['callId']}/end", {})
        expect.refused(response, 500, "INTERNAL_SERVER_ERROR")
    for person in (caller, callee):
        assert person.active()["callId"] == call["callId"]
    assert caller.end(call["callId"])["endReason"] == "hangup"
    assert len(callee.history()["calls"]) == 1


@criterion("R12.4")
def test_an_initiate_that_fails_leaves_both_free(people):
    """Without the outbox there is no call, and nobody is busy."""
    caller, callee = people.pair()
    with without(people.stack, "call_events"):
        expect.refused(caller.initiate(callee), 500, "INTERNAL_SERVER_ERROR")
    assert caller.active() is None and callee.active() is None
    assert caller.call(callee)["status"] == "initiating"


def test_the_log_stays_json(stack):
    """Errors, with their backtraces, are one JSON object a line too."""
    assert program_lines(stack)
    assert Path(stack["LOG_DIR"]).is_dir()
