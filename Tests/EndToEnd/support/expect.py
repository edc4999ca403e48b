"""What every answer must look like, success or error (contract §1; R12.1, R12.5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import requests

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# Of a call, as `initiate` gives it (contract §4).
CALL_MEMBERS = {
    "callId",
    "channelId",
    "callerId",
    "callerName",
    "callerAvatar",
    "calleeId",
    "calleeName",
    "calleeAvatar",
    "callType",
    "status",
    "createdAt",
    "expiresAt",
}


def described(response: requests.Response) -> str:
    return (
        f"{response.request.method} {response.request.path_url[:200]} gave "
        f"{response.status_code}: {response.text[:600]}"
    )


def envelope(response: requests.Response) -> dict:
    """The body of an answer, which bears the request id that its header bears."""
    kind = response.headers.get("Content-Type", "")
    assert kind.split(";")[0].strip() == "application/json", described(response)
    body = response.json()
    assert isinstance(body.get("requestId"), str) and body["requestId"], described(response)
    assert response.headers.get("X-Request-Id") == body["requestId"], described(response)
    return body


def succeeded(response: requests.Response, status: int = 200):
    """The `data` of an answer that must be a success."""
    assert response.status_code == status, described(response)
    body = envelope(response)
    assert body["success"] is True, described(response)
    assert set(body) == {"success", "data", "requestId"}, described(response)
    return body["data"]


def refused(response: requests.Response, status: int, code: str) -> dict:
    """The `error` of an answer that must be that error."""
    assert response.status_code == status, described(response)
    body = envelope(response)
    assert body["success"] is False, described(response)
    assert set(body) == {"success", "error", "requestId"}, described(response)
    error = body["error"]
    assert error["code"] == code, described(response)
    assert isinstance(error["message"], str) and error["message"], described(response)
    assert set(error) <= {"code", "message", "details"}, described(response)
    return error


def invalid(response: requests.Response, **fields: str | None) -> dict[str, str]:
    """Checks a validation error: all faults at once, each field with its code (None: any code)."""
    error = refused(response, 400, "VALIDATION_ERROR")
    assert isinstance(error["details"], list), described(response)
    faults = {}
    for detail in error["details"]:
        assert set(detail) == {"field", "code", "message"}, described(response)
        assert detail["message"] and isinstance(detail["message"], str), described(response)
        assert re.fullmatch(r"[A-Z][A-Z_]*", detail["code"]), described(response)
        faults[detail["field"]] = detail["code"]
    assert set(faults) == set(fields), described(response)
    for field, code in fields.items():
        assert code is None or faults[field] == code, described(response)
    return faults


def moment(text: str) -> datetime:
    """The time that a text in the contract's form gives."""
    assert isinstance(text, str) and TIME.fullmatch(text), repr(text)
    return datetime.fromisoformat(text)


def milliseconds(text: str) -> int:
    return round(moment(text).timestamp() * 1000)


def recent(text: str, seconds: float = 60) -> bool:
    """Whether a time lies within the last `seconds` (one second of slack ahead)."""
    age = (datetime.now(UTC) - moment(text)).total_seconds()
    return -1 <= age <= seconds
