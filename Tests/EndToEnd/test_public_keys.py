"""RS256, ES256 and several secrets' algorithms, issuer and audience (contract §2; R9.1, R9.5)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from support import expect, keys
from support.people import send
from support.variants import SETTINGS, variant

pytestmark = variant("configured")
criterion = pytest.mark.criterion

ISSUER, AUDIENCE = (SETTINGS["configured"][name] for name in ("JWT_ISSUER", "JWT_AUDIENCE"))
GOOD = {"iss": ISSUER, "aud": AUDIENCE}


def answer(stack, token: str):
    return send(stack, "GET", "/calls/active", token)


def refused(stack, token: str) -> None:
    response = answer(stack, token)
    expect.refused(response, 401, "AUTHENTICATION_FAILED")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@criterion("R9.1")
@pytest.mark.parametrize(
    "name, algorithm, kid",
    [
        (keys.PEM_KEY, "RS256", None),
        (keys.RSA_KEY, "RS256", keys.RSA_KEY),
        (keys.EC_KEY, "ES256", keys.EC_KEY),
    ],
)
def test_public_keys(stack, name, algorithm, kid):
    """A PEM file and a key set side by side, the key chosen by `kid`."""
    expect.succeeded(answer(stack, keys.signed_by(name, "somebody", algorithm, kid, **GOOD)))


@criterion("R9.1")
@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
def test_shared_secret_beside_public_keys(stack, algorithm):
    """A secret and public keys may stand side by side (§7.12)."""
    secret = stack["JWT_SECRET"]
    expect.succeeded(answer(stack, keys.token(secret, "somebody", algorithm, **GOOD)))


@criterion("R9.5")
def test_an_algorithm_that_is_not_listed(stack):
    """HS512 is not on this installation's list, although the signature is right."""
    refused(stack, keys.token(stack["JWT_SECRET"], "somebody", "HS512", **GOOD))


@criterion("R9.5")
def test_rsa_algorithms_that_are_not_listed(stack):
    for algorithm in ("RS384", "RS512", "PS256"):
        refused(stack, keys.signed_by(keys.RSA_KEY, "somebody", algorithm, keys.RSA_KEY, **GOOD))


@criterion("R9.5")
@pytest.mark.parametrize("kid", [None, keys.PEM_KEY, keys.RSA_KEY, keys.EC_KEY])
@pytest.mark.parametrize("name", [keys.PEM_KEY, keys.RSA_KEY, keys.EC_KEY])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
def test_a_public_key_is_no_secret(stack, name, kid, algorithm):
    """A key is never used with another family's algorithm: the PEM text signs nothing."""
    header = {"alg": algorithm} | ({} if kid is None else {"kid": kid})
    pem = keys.public_pem(name)
    for secret in (pem, pem.strip(), pem + b"\n"):
        refused(stack, keys.assembled(header, keys.claims("somebody", **GOOD), secret))


@criterion("R9.5")
def test_the_wrong_key_for_a_kid(stack):
    """`kid` chooses the key; an unknown one chooses none."""
    refused(stack, keys.signed_by(keys.PEM_KEY, "somebody", "RS256", keys.RSA_KEY, **GOOD))
    refused(stack, keys.signed_by(keys.RSA_KEY, "somebody", "RS256", keys.EC_KEY, **GOOD))
    refused(stack, keys.signed_by(keys.EC_KEY, "somebody", "ES256", keys.RSA_KEY, **GOOD))
    refused(stack, keys.signed_by(keys.RSA_KEY, "somebody", "RS256", "unknown", **GOOD))
    refused(stack, keys.signed_by("another", "somebody", "RS256", None, **GOOD))


@criterion("R9.5")
def test_es256_signatures_are_raw(stack):
    """ES256 is r‖s of 64 bytes (RFC 7518 §3.4), not DER; and not all zeros."""
    good = keys.signed_by(keys.EC_KEY, "somebody", "ES256", keys.EC_KEY, **GOOD)
    text = good.rpartition(".")[0]
    der = keys.private_key(keys.EC_KEY).sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    for signature in (der, b"\0" * 64, b"", b"\xff" * 64):
        refused(stack, text + "." + keys.base64url(signature))


@criterion("R9.5")
def test_issuer_and_audience(stack):
    """`iss` and `aud` are checked where they are configured."""
    secret = stack["JWT_SECRET"]
    for claims in [
        {},
        {"iss": ISSUER},
        {"aud": AUDIENCE},
        {"iss": ISSUER + "/", "aud": AUDIENCE},
        {"iss": ISSUER, "aud": "another"},
        {"iss": ISSUER, "aud": []},
        {"iss": ISSUER, "aud": ["another"]},
        {"iss": ISSUER, "aud": 1},
        {"iss": [ISSUER], "aud": AUDIENCE},
    ]:
        payload = keys.claims("somebody", **claims)
        refused(stack, keys.assembled({"alg": "HS256"}, payload, secret.encode()))
    for audience in (AUDIENCE, [AUDIENCE], ["another", AUDIENCE]):
        token = keys.token(secret, "somebody", iss=ISSUER, aud=audience)
        expect.succeeded(answer(stack, token))


@criterion("R9.1")
def test_public_key_tokens_open_a_socket(people):
    """Signaling takes the same tokens."""
    person = people.person()
    token = keys.signed_by(keys.EC_KEY, person.id, "ES256", keys.EC_KEY, **GOOD)
    assert person.socket(token=token).greeting["userId"] == person.id
