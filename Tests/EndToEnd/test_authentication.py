"""Who is let in: JSON Web Tokens with the shared secret (contract §2, §7.10; R9.1, R9.5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import pytest

from support import expect, keys, routes
from support.people import send

criterion = pytest.mark.criterion


def refused(stack, token: str | None, **options) -> None:
    """401 AUTHENTICATION_FAILED with WWW-Authenticate, which never shows the token."""
    response = send(stack, "GET", "/calls/active", token, **options)
    expect.refused(response, 401, "AUTHENTICATION_FAILED")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    if token and len(token) > 40:
        assert token not in response.text + str(response.headers)


def admitted(stack, token: str) -> None:
    expect.succeeded(send(stack, "GET", "/calls/active", token))


@pytest.fixture
def secret(stack):
    return stack.constant("JWT_SECRET")


@criterion("R9.1", "R9.5")
@pytest.mark.parametrize("method, path, body", **routes.named(routes.ROUTES))
def test_every_route_requires_a_token(stack, secret, method, path, body):
    """R9.1: without a token, or with a bad one, no route answers anything but 401."""
    expired = keys.token(secret, "somebody", exp=int(time.time()) - 3600)
    for token in (None, "rubbish", expired):
        response = send(stack, method, routes.at(path), token, json=body)
        expect.refused(response, 401, "AUTHENTICATION_FAILED")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@criterion("R9.5")
@pytest.mark.parametrize("method, path, body", **routes.named(routes.FIELD_ROUTES))
def test_token_is_checked_before_the_body(stack, method, path, body):
    """Order of checks: a bad body without a token is 401, not 400."""
    headers = {"Content-Type": "application/json"}
    response = send(stack, method, routes.at(path), data=b"{", headers=headers)
    expect.refused(response, 401, "AUTHENTICATION_FAILED")


@criterion("R9.1")
def test_valid_token(stack, people, secret):
    """R9.1: a token signed with the secret, `sub` and `exp`, is all that it takes."""
    admitted(stack, keys.token(secret, people.person().id))
    admitted(stack, keys.token(secret, "not-in-users"))


@criterion("R9.5")
@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "{token}",
        "Token {token}",
        "Bearer{token}",
        "Bearer {token} {token}",
        "Bearer {token},",
        "Bearer token={token}",
        'Bearer "{token}"',
    ],
)
def test_malformed_authorization(stack, secret, header):
    """R9.5: anything but `Bearer <token>` is 401."""
    token = keys.token(secret, "somebody")
    refused(stack, None, headers={"Authorization": header.format(token=token)})


def test_scheme_in_any_case(stack, secret):
    """The name of the scheme is case-insensitive (RFC 9110 §11.1)."""
    token = keys.token(secret, "somebody")
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {token}"}
        expect.succeeded(send(stack, "GET", "/calls/active", headers=headers))


@criterion("R9.5")
@pytest.mark.parametrize(
    "name", ["none", "None", "NONE", "nOnE", "", None, 0, "HS1", "hs256", "ES512"]
)
@pytest.mark.parametrize("signed", [False, True])
def test_algorithms_that_are_not_listed(stack, secret, name, signed):
    """`none`, and whatever is not on the allow-list, is refused, signed or not."""
    header = {"typ": "JWT"} if name is None else {"typ": "JWT", "alg": name}
    key = secret.encode() if signed else None
    refused(stack, keys.assembled(header, keys.claims("somebody"), key))


@criterion("R9.5")
def test_tampering(stack, secret):
    """No part of a token can be changed, left out or added to."""
    token = keys.token(secret, "somebody")
    header, payload, signature = token.split(".")
    other = keys.base64url(json.dumps(keys.claims("somebody-else")).encode())
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for bad in [
        f"{header}.{other}.{signature}",
        f"{header}.{payload}.{flipped}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}.{payload}.{signature[:-4]}",
        f"{header}.{payload}.{signature}AAAA",
        f"{header}.{payload}.{signature}.{signature}",
        f"{header}.{payload}.{signature}=",
        f"{header}..{signature}",
        f".{payload}.{signature}",
        f"{header}.{payload}.{signature}!",
        f"{header}.{payload}+.{signature}",
        "..",
        ".",
        "...",
        "a.b.c",
        "a.b.c.d.e",
        "\xff\xfe",
    ]:
        refused(stack, None, headers={"Authorization": f"Bearer {bad}".encode("latin-1")})


@criterion("R9.5")
def test_another_secret(stack, secret):
    for key in ("x" * 32, secret[:-1], secret + "x", secret.upper() + "!"):
        refused(stack, keys.token(key, "somebody"))
    refused(stack, keys.assembled({"alg": "HS256"}, keys.claims("somebody"), b""))


@criterion("R9.5")
@pytest.mark.parametrize(
    "claims, good",
    [
        ({"exp": +5}, True),
        ({"exp": +0.5}, True),
        ({"exp": -20}, True),
        ({"exp": -40}, False),
        ({"exp": -86_400}, False),
        ({"nbf": -5}, True),
        ({"nbf": +20}, True),
        ({"nbf": +45}, False),
        ({"nbf": +86_400}, False),
    ],
)
def test_times_with_leeway(stack, secret, claims, good):
    """`exp` and `nbf` are honoured with a leeway of 30 s."""
    is_in_time = False
    while not is_in_time:
        began = time.time()
        moments = {name: int(began) + offset for name, offset in claims.items()}
        response = send(stack, "GET", "/calls/active", keys.token(secret, "somebody", **moments))
        # No leeway ends within 9 s; a machine that stood still for longer has to be asked again.
        is_in_time = time.time() < began + 9
    if good:
        expect.succeeded(response)
    else:
        expect.refused(response, 401, "AUTHENTICATION_FAILED")


@criterion("R9.5")
@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "soon"},
        {"exp": True},
        {"exp": []},
        {"exp": 0},
        {"exp": -1},
        {"nbf": "x"},
    ],
    ids=str,
)
def test_times_that_are_none(stack, secret, claims):
    payload = keys.claims("somebody") | claims
    refused(stack, keys.assembled({"alg": "HS256"}, payload, secret.encode()))


@criterion("R9.5")
def test_required_claims(stack, secret):
    """`sub` and `exp` are required."""
    for payload in ({}, {"sub": "somebody"}, {"exp": int(time.time()) + 60}):
        refused(stack, keys.assembled({"alg": "HS256"}, payload, secret.encode()))


@criterion("R9.5")
@pytest.mark.parametrize("subject", ["", "a" * 65, 1.5, True, [], {}, ["a"], "é" * 65], ids=repr)
def test_bad_subjects(stack, secret, subject):
    """§7.10: empty, longer than 64 characters, or neither string nor integer."""
    payload = keys.claims(subject)
    refused(stack, keys.assembled({"alg": "HS256"}, payload, secret.encode()))


@pytest.mark.parametrize("subject", ["a", "a" * 64, "é" * 64, "x y/z", 1, 2**53], ids=repr)
def test_good_subjects(stack, secret, subject):
    """1–64 characters of any kind, or an integer."""
    admitted(stack, keys.token(secret, subject))


@pytest.mark.parametrize("offset", [0, 2**62, 2**63, 2**64 - 2**52], ids=hex)
def test_an_integer_subject_is_its_decimal_string(people, secret, offset):
    """Up to the end of BIGINT UNSIGNED, in a JWT and in a body."""
    number = offset + int(time.time() * 1e6)
    person = people.person(id=str(number))
    friend = people.friend_of(person)
    response = friend.post("/calls/initiate", {"calleeId": number, "callType": "audio"})
    call = expect.succeeded(response, 201)
    assert call["calleeId"] == str(number)
    response = send(people.stack, "GET", "/calls/active", keys.token(secret, number))
    assert expect.succeeded(response)["callId"] == call["callId"]


@criterion("R9.5")
@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b"{}{}"])
def test_payloads_that_are_no_claims(stack, secret, payload):
    refused(stack, keys.assembled({"alg": "HS256"}, payload, secret.encode()))


@criterion("R9.5")
def test_headers_that_are_no_header(stack, secret):
    payload = keys.base64url(json.dumps(keys.claims("somebody")).encode())
    for header in (b"", b"[]", b"null", b"{", b"\xff", b'"HS256"'):
        text = keys.base64url(header) + "." + payload
        signature = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
        refused(stack, text + "." + keys.base64url(signature))


@criterion("R9.5")
def test_critical_extensions_are_refused(stack, secret):
    """`crit` names what must be understood (RFC 7515 §4.1.11), and nothing is."""
    header = {"alg": "HS256", "crit": ["b64"], "b64": True}
    refused(stack, keys.assembled(header, keys.claims("somebody"), secret.encode()))


def test_issuer_and_audience_are_not_checked_where_not_configured(stack, secret):
    admitted(stack, keys.token(secret, "somebody", iss="https://a.example", aud=["b", "c"]))


def test_token_is_not_read_from_the_query(stack, secret):
    """`?token=` belongs to signaling; REST wants the header."""
    token = keys.token(secret, "somebody")
    refused(stack, None, params={"token": token})


def test_public_key_algorithms_are_refused_without_keys(stack):
    """RS256 and ES256 with keys that the installation does not know."""
    for name, algorithm in ((keys.RSA_KEY, "RS256"), (keys.EC_KEY, "ES256")):
        refused(stack, keys.signed_by(name, "somebody", algorithm, name))


def test_many_claims(stack, secret):
    """A token of some kilobytes is no reason to refuse it; one beyond all measure is refused."""
    admitted(stack, keys.token(secret, "somebody", roles=["a" * 20] * 100))
    response = send(
        stack, "GET", "/calls/active", keys.token(secret, "somebody", roles=["a" * 20] * 2000)
    )
    assert response.status_code in (400, 401, 431), expect.described(response)
    expect.envelope(response)


def test_non_canonical_base64(stack, secret):
    """Standard base64 instead of base64url, or padding, is no JWT."""
    token = keys.token(secret, "somebody", note="???>>>" * 20)
    header, payload, signature = token.split(".")
    standard = base64.b64encode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    refused(stack, f"{header}.{standard.decode()}.{signature}")


@criterion("R9.5")
def test_a_401_is_for_tokens_only(people):
    """Clients drop the login on a 401, so that nothing else may give one."""
    stranger = people.person()
    _, _, call = people.ringing()
    for response in [
        stranger.get(f"/calls/{call['callId']}"),
        stranger.post(f"/calls/{call['callId']}/accept", {}),
        stranger.get("/calls/history", params={"userId": "other"}),
        stranger.initiate("nobody"),
    ]:
        assert response.status_code != 401
        assert "WWW-Authenticate" not in response.headers
