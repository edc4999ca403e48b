"""Other HMAC algorithms of an installation's own list (contract §2; R9.1)."""

from __future__ import annotations

import pytest

from support import expect, keys
from support.people import send
from support.variants import variant

pytestmark = variant("brisk")
criterion = pytest.mark.criterion


@criterion("R9.1")
@pytest.mark.parametrize("algorithm, listed", [("HS256", True), ("HS512", True), ("HS384", False)])
def test_listed_algorithms(stack, algorithm, listed):
    """JWT_ALGORITHMS=HS256,HS512: those and no other, whatever the signature."""
    token = keys.token(stack["JWT_SECRET"], "somebody", algorithm)
    response = send(stack, "GET", "/calls/active", token)
    if listed:
        expect.succeeded(response)
    else:
        expect.refused(response, 401, "AUTHENTICATION_FAILED")
