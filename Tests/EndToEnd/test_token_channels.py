"""Tokens where `TOKEN_CHANNELS=any` and another default expiry are set (contract §4; R14.3)."""

from __future__ import annotations

import pytest

from support import agora, expect
from support.variants import variant

pytestmark = variant("configured")
criterion = pytest.mark.criterion
GENERATE = "/agora/token/generate"


@criterion("R14.3", "R3.3")
def test_configured_expiration(people):
    """R14.3: AGORA_TOKEN_EXPIRATION_SECONDS is the default of a generated and a refreshed token."""
    caller, _, call = people.connecting()
    channel = call["channelId"]
    data = expect.succeeded(caller.post(GENERATE, {"channelId": channel}))
    assert agora.read(data["token"]).expire == 1800
    body = {"channelId": channel, "oldToken": data["token"]}
    data = expect.succeeded(caller.post("/agora/token/refresh", body))
    assert agora.read(data["token"]).expire == 1800


def test_any_channel(people):
    """A token for a channel outside of calls."""
    person = people.person()
    data = expect.succeeded(person.post(GENERATE, {"channelId": "town hall"}))
    token = agora.read(data["token"])
    assert (token.channel, token.uid) == ("town hall", str(data["uid"]))


def test_wildcards_stay_refused(people):
    person = people.person()
    expect.invalid(person.post(GENERATE, {"channelId": "*"}), channelId="INVALID_CHANNEL_ID")
    expect.invalid(person.post(GENERATE, {"channelId": ""}), channelId=None)


@criterion("R9.2")
def test_somebody_elses_call_stays_refused(people):
    """A channel that belongs to somebody else's call is 403."""
    _, _, call = people.connecting()
    response = people.person().post(GENERATE, {"channelId": call["channelId"]})
    expect.refused(response, 403, "UNAUTHORIZED_ACCESS")


@criterion("R4.3")
def test_refresh_still_wants_a_call(people):
    person = people.person()
    old = expect.succeeded(person.post(GENERATE, {"channelId": "town hall"}))["token"]
    response = person.post("/agora/token/refresh", {"channelId": "town hall", "oldToken": old})
    expect.refused(response, 409, "NO_ACTIVE_CALL")


@criterion("R14.4")
def test_configured_call_timeout(people):
    """R14.4: expiresAt − createdAt is exactly CALL_TIMEOUT_SECONDS."""
    _, _, call = people.ringing()
    lasts = expect.milliseconds(call["expiresAt"]) - expect.milliseconds(call["createdAt"])
    assert lasts == 45_000


@criterion("R14.1", "R14.2")
def test_app_id_and_certificate_come_from_the_environment(people):
    """R14.1, R14.2: what the environment names is in the token, and signed it."""
    caller, _, call = people.ringing()
    token = agora.read(
        expect.succeeded(caller.post(GENERATE, {"channelId": call["channelId"]}))["token"]
    )
    assert token.app_id == people.stack["AGORA_APP_ID"]
    assert token.is_signed_with(people.stack["AGORA_APP_CERTIFICATE"])
