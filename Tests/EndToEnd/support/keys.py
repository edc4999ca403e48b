"""JSON Web Tokens, good and bad, and the keys that sign them."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PEM_KEY, RSA_KEY, EC_KEY = "pem", "rsa-2026", "ec-2026"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@functools.cache
def private_key(name: str):
    """The key of that name, made once in this process."""
    if name == EC_KEY:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(name: str) -> bytes:
    return (
        private_key(name)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def key_set() -> dict:
    """The JWKS of the RSA and the EC key."""
    rsa_numbers = private_key(RSA_KEY).public_key().public_numbers()
    ec_numbers = private_key(EC_KEY).public_key().public_numbers()

    def number(value: int, size: int) -> str:
        return base64url(value.to_bytes(size, "big"))

    return {
        "keys": [
            {
                "kty": "RSA",
                "kid": RSA_KEY,
                "use": "sig",
                "alg": "RS256",
                "n": number(rsa_numbers.n, 256),
                "e": number(rsa_numbers.e, 3),
            },
            {
                "kty": "EC",
                "kid": EC_KEY,
                "use": "sig",
                "alg": "ES256",
                "crv": "P-256",
                "x": number(ec_numbers.x, 32),
                "y": number(ec_numbers.y, 32),
            },
        ]
    }


def claims(subject, **others) -> dict:
    """`sub` and an `exp` an hour away; a claim given as None is left out."""
    all_claims = {"sub": subject, "exp": int(time.time()) + 3600} | others
    return {name: value for name, value in all_claims.items() if value is not None}


def token(secret: str, subject, algorithm="HS256", **others) -> str:
    """A token signed with the shared secret, by PyJWT."""
    key = secret.encode()
    if isinstance(subject, str):
        return jwt.encode(claims(subject, **others), key, algorithm=algorithm)
    return assembled({"alg": algorithm, "typ": "JWT"}, claims(subject, **others), key)


def signed_by(name: str, subject, algorithm: str, kid: str | None, **others) -> str:
    """A token signed with one of the private keys."""
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(
        claims(subject, **others), private_key(name), algorithm=algorithm, headers=headers
    )


def assembled(header: dict, payload, key: bytes | None) -> str:
    """A token put together by hand, for what a well-behaved library refuses to make.

    Signed with HMAC of the header's `alg` (SHA-256 where that is not an HS algorithm); unsigned
    without a key.
    """
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    text = base64url(json.dumps(header).encode()) + "." + base64url(body)
    if key is None:
        return text + "."
    name = {"HS384": "sha384", "HS512": "sha512"}.get(str(header.get("alg")), "sha256")
    signature = hmac.new(key, text.encode(), getattr(hashlib, name)).digest()
    return text + "." + base64url(signature)
