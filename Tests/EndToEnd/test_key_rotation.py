"""Keys that are replaced while the service runs (contract, section 10 and 7.18): by REST and on sockets alike."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from support import keys
from support.people import send
from support.sockets import Socket
from support.stack import wait_until
from support.variants import variant

pytestmark = [*variant("rotating"), pytest.mark.timeout(400)]
OLD, NEW = keys.RSA_KEY, keys.EC_KEY
ALGORITHM = {OLD: "RS256", NEW: "ES256"}


def entry(name: str) -> dict:
    return next(key for key in keys.key_set()["keys"] if key["kid"] == name)


def replace(stack, text: str) -> None:
    """As a careful administrator does it: whole, under the same name."""
    path = Path(stack["JWT_JWKS_FILE"])
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def key_set(*entries: dict) -> str:
    return json.dumps({"keys": list(entries)})


def reload(stack) -> None:
    for program in ("SUPERVISOR", "SIGNALING"):
        os.kill(stack.pid(program), signal.SIGHUP)


def token(name: str, person) -> str:
    return keys.signed_by(name, person.id, ALGORITHM[name], name)


def rest(stack, name: str, person) -> int:
    return send(stack, "GET", "/calls/active", token(name, person)).status_code


def handshake(stack, name: str, person) -> int:
    try:
        Socket(stack, token=token(name, person)).close()
        return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def answers(stack, name: str, person) -> tuple[int, int]:
    return rest(stack, name, person), handshake(stack, name, person)


def settle(stack, person, expected: dict[str, tuple[int, int]]) -> None:
    """Until every worker and the WebSocket server answer so, within the minute that they have for it (contract 10)."""

    def as_expected() -> bool:
        return all(
            answers(stack, name, person) == answer
            for _ in range(8)
            for name, answer in expected.items()
        )

    wait_until(as_expected, 60, 0.2, f"{expected}")


@pytest.fixture(autouse=True)
def first_key(stack, people):
    replace(stack, key_set(entry(OLD)))
    reload(stack)
    settle(stack, people.person(), {OLD: (200, 101), NEW: (401, 401)})


@pytest.mark.parametrize("asked", [True, False], ids=["reload", "by itself"])
def test_both_programs_change_together(stack, people, asked):
    """On reload at once, and within a minute without one."""
    person = people.person()
    replace(stack, key_set(entry(NEW)))
    if asked:
        reload(stack)
    settle(stack, person, {OLD: (401, 401), NEW: (200, 101)})


def test_a_withdrawn_key_renews_nothing(stack, people):
    """A socket lives until its JWT's end, whoever's key that was; a new token needs a key that is there."""
    person = people.person()
    socket = Socket(stack, token=token(OLD, person))
    until = socket.greeting["authenticatedUntil"]
    replace(stack, key_set(entry(NEW)))
    reload(stack)
    settle(stack, person, {OLD: (401, 401), NEW: (200, 101)})
    result = socket.command("auth", "old", token=token(OLD, person))
    assert result["status"] == 401
    assert result["body"]["error"]["code"] == "AUTHENTICATION_FAILED"
    assert socket.heartbeat()
    result = socket.command("auth", "new", token=token(NEW, person))
    assert result["status"] == 200
    assert result["body"]["data"]["authenticatedUntil"] >= until


def test_a_broken_file_leaves_the_keys_in_hand(stack, people):
    """For workers that start anew as well; it is logged; and the next good file counts."""
    person = people.person()
    for broken in ("", "{", key_set({"kty": "oct", "k": "AAAA"})):
        replace(stack, broken)
        before = set(stack.workers())
        reload(stack)
        wait_until(lambda b=before: not b & set(stack.workers()), 60, 0.1, "new workers")
        settle(stack, person, {OLD: (200, 101), NEW: (401, 401)})
    logs = "".join(
        path.read_text()
        for path in Path(stack["LOG_DIR"]).glob("*.log")
        if "nginx" not in path.name
    )
    assert "jwt_keys_unusable" in logs
    replace(stack, key_set(entry(OLD), entry(NEW)))
    settle(stack, person, {OLD: (200, 101), NEW: (200, 101)})


def test_a_file_that_is_written_in_place(stack, people):
    """Half of it is broken, the whole counts."""
    person = people.person()
    text = key_set(entry(OLD), entry(NEW))
    with Path(stack["JWT_JWKS_FILE"]).open("w") as file:
        file.write(text[:100])
        file.flush()
        reload(stack)
        time.sleep(0.5)
        assert answers(stack, OLD, person) == (200, 101)
        file.write(text[100:])
    settle(stack, person, {OLD: (200, 101), NEW: (200, 101)})


def test_a_bad_key_is_passed_over(stack, people):
    """§7.18: a numeric kid, a weak key and one of no known type beside a good one."""
    person = people.person()
    weak = entry(OLD) | {"kid": "weak", "n": "AQAB"}
    bad = [entry(OLD) | {"kid": 7}, weak, {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, {}]
    replace(stack, key_set(*bad, entry(NEW)))
    reload(stack)
    settle(stack, person, {OLD: (401, 401), NEW: (200, 101)})
