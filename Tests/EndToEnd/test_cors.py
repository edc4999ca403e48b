"""Cross-origin requests where `ALLOWED_ORIGINS` is set (contract §7.8, §7.9)."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from support import expect, keys
from support.handshakes import not_admitted
from support.people import send
from support.sockets import Socket
from support.variants import SETTINGS, variant

pytestmark = variant("configured")
LISTED = SETTINGS["configured"]["ALLOWED_ORIGINS"].split(",")
FOREIGN = ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null"]


def varies(response) -> bool:
    return "origin" in response.headers.get("Vary", "").lower()


@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_origin_is_echoed_on_every_answer(people, origin):
    """An exact echo, on successes and errors, a 401 too; Vary: Origin."""
    person, headers = people.person(), {"Origin": origin}
    bad = keys.token("x" * 32, person.id)
    for response, status in [
        (person.get("/calls/active", headers=headers), 200),
        (person.get("/nothing", headers=headers), 404),
        (person.send("PUT", "/calls/active", headers=headers), 405),
        (person.initiate("x" * 70), 400),
        (send(people.stack, "GET", "/calls/active", headers=headers), 401),
        (send(people.stack, "GET", "/calls/active", bad, headers=headers), 401),
        (
            person.post(
                "/calls/initiate",
                data=b"x" * 50_000,
                headers=headers | {"Content-Type": "application/json"},
            ),
            413,
        ),
    ]:
        assert response.status_code == status, expect.described(response)
        assert varies(response)
        if status != 400:
            assert response.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", FOREIGN)
def test_another_origin_gets_no_echo(people, origin):
    response = people.person().get("/calls/active", headers={"Origin": origin})
    expect.succeeded(response)
    assert "Access-Control-Allow-Origin" not in response.headers
    assert varies(response)


def test_preflight(stack):
    """204 to a preflight, with the methods and headers that the API reads."""
    for path, method in (
        ("/calls/initiate", "POST"),
        ("/calls/x/status", "PATCH"),
        ("/me/availability", "PUT"),
    ):
        response = send(
            stack,
            "OPTIONS",
            path,
            headers={
                "Origin": LISTED[0],
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
            },
        )
        assert response.status_code == 204, expect.described(response)
        assert response.headers["Access-Control-Allow-Origin"] == LISTED[0]
        methods = response.headers["Access-Control-Allow-Methods"]
        assert method in [name.strip() for name in methods.split(",")]
        allowed = response.headers["Access-Control-Allow-Headers"].lower()
        for name in ("authorization", "content-type", "idempotency-key"):
            assert name in [header.strip() for header in allowed.split(",")]
        assert response.content == b"" and varies(response)


def test_options_that_name_their_origin_alone(stack):
    """Taken for a preflight, of whatever method."""
    for path in ("/calls/initiate", "/openapi.json"):
        response = send(stack, "OPTIONS", path, headers={"Origin": LISTED[0]})
        assert response.status_code == 204, expect.described(response)
        assert response.headers["Access-Control-Allow-Origin"] == LISTED[0]
        expect.refused(send(stack, "OPTIONS", path), 405, "METHOD_NOT_ALLOWED")


def test_preflight_from_another_origin(stack):
    headers = {"Origin": FOREIGN[0], "Access-Control-Request-Method": "POST"}
    response = send(stack, "OPTIONS", "/calls/initiate", headers=headers)
    assert "Access-Control-Allow-Origin" not in response.headers


NGINX = [
    ("GET", "/openapi.json", {}, 200),
    ("GET", "/asyncapi.json", {}, 200),
    ("POST", "/openapi.json", {}, 405),
    ("POST", "/calls/initiate", {"data": b"x" * 1_100_000}, 413),
    ("GET", "/../../nothing", {}, 404),
]


@pytest.mark.parametrize("method, path, options, status", NGINX)
def test_what_nginx_answers_by_itself(stack, method, path, options, status):
    """Every answer, those that no worker has seen included (but for a request line that is too long:
    nginx does not read on to an Origin)."""
    for origin in [*LISTED, *FOREIGN, None]:
        headers = {} if origin is None else {"Origin": origin}
        response = send(stack, method, path, headers=headers, **options)
        assert response.status_code == status, expect.described(response)
        assert varies(response)
        allowed = response.headers.get("Access-Control-Allow-Origin")
        assert allowed == (origin if origin in LISTED else None)
        exposed = response.headers.get("Access-Control-Expose-Headers", "")
        assert ("X-Request-Id" in exposed) is (origin in LISTED)


def test_preflight_to_a_description(stack):
    for origin in [*LISTED, *FOREIGN]:
        headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        response = send(stack, "OPTIONS", "/openapi.json", headers=headers)
        assert response.status_code == 204 and varies(response), expect.described(response)
        allowed = [response.headers.get(f"Access-Control-Allow-{x}") for x in ("Origin", "Methods")]
        assert allowed == ([origin, "GET, HEAD"] if origin in LISTED else [None, None])


def test_refused_handshakes(stack):
    """§7.9: every answer, a 401 too."""
    for origin, status in [(LISTED[0], 401), (FOREIGN[0], 403)]:
        with pytest.raises(InvalidStatus) as refusal:
            Socket(stack, origin=origin)
        response = refusal.value.response
        assert response.status_code == status
        allowed = response.headers.get("Access-Control-Allow-Origin")
        assert allowed == (origin if origin in LISTED else None)
        assert varies(response)
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_sockets_from_listed_origins(people, stack):
    """§6.1: an Origin that is not on the allow-list is 403."""
    person = people.person()
    for origin in LISTED:
        assert person.socket(origin=origin).greeting["userId"] == person.id
    assert person.socket().greeting["userId"] == person.id
    for origin in FOREIGN:
        not_admitted(stack, 403, "ORIGIN_NOT_ALLOWED", token=person.token, origin=origin)
