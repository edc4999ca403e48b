"""Agora tokens: made, decoded here independently, and refreshed (contract §4, §7.5; R3, R4)."""

from __future__ import annotations

import json
import time
import uuid

import pytest

from support import agora, expect
from support.outages import at_leisure
from support.pauses import Pauses
from support.stack import ROOT

criterion = pytest.mark.criterion
LIVE = ["initiating", "ringing", "connecting", "connected", "disconnecting"]
GENERATE, REFRESH = "/agora/token/generate", "/agora/token/refresh"
PUBLISHER = {agora.JOIN, agora.PUBLISH_AUDIO, agora.PUBLISH_VIDEO, agora.PUBLISH_DATA}


def generate(person, channel, **others) -> dict:
    return expect.succeeded(person.post(GENERATE, {"channelId": channel} | others))


def refresh(person, channel, old, **others):
    return person.post(REFRESH, {"channelId": channel, "oldToken": old} | others)


def check(stack, data, *, channel, role="publisher", seconds=3600) -> agora.Token:
    """Decodes a token and holds every part of it against the answer that brought it."""
    assert set(data) == {"token", "channelId", "uid", "role", "expiresAt"}
    token = agora.read(data["token"])
    assert token.app_id == stack["AGORA_APP_ID"]
    assert token.is_signed_with(stack["AGORA_APP_CERTIFICATE"])
    assert token.channel == data["channelId"] == channel
    assert isinstance(data["uid"], int) and token.uid == str(data["uid"])
    assert -60 < token.issued_at - time.time() <= 1
    assert token.expire == seconds
    assert data["role"] == role
    assert set(token.privileges) == (PUBLISHER if role == "publisher" else {agora.JOIN})
    assert set(token.privileges.values()) == {token.expire}
    expiry = expect.milliseconds(data["expiresAt"]) / 1000
    assert abs(expiry - (token.issued_at + token.expire)) <= 1
    return token


def forged(stack, channel, uid, **others) -> str:
    """A token as Agora's builder makes it, by default with our own id and certificate."""
    arguments = {
        "app_id": stack["AGORA_APP_ID"],
        "certificate": stack["AGORA_APP_CERTIFICATE"],
        "issued_at": int(time.time()),
    }
    return agora.write(channel=channel, uid=str(uid), **(arguments | others))


def test_the_decoder_reads_agoras_own_tokens():
    """The decoder of this suite against Agora's fixtures, where the tree has them."""
    vectors = ROOT / "Tests" / "AgoraTokenTests" / "agora-007.json"
    if not vectors.exists():
        pytest.skip("no fixtures in this tree")
    read = 0
    for fixture in json.loads(vectors.read_text())["fixtures"]:
        if [service["type"] for service in fixture["services"]] != [agora.RTC]:
            continue
        for text in fixture["encodings"]:
            token = agora.read(text)
            assert token.channel == fixture["services"][0]["channel"]
            assert token.is_signed_with(fixture["appCertificate"])
            read += 1
    assert read


@criterion("R3.1")
@pytest.mark.parametrize("role", ["publisher", "subscriber"])
def test_token(people, role):
    """R3.1: signed with the App Certificate for this app, channel and uid."""
    caller, callee, call = people.connecting()
    for person in (caller, callee):
        data = generate(person, call["channelId"], role=role)
        check(people.stack, data, channel=call["channelId"], role=role)


@criterion("R3.1")
@pytest.mark.parametrize(
    "status", ["initiating", "ringing", "connecting", "connected", "disconnecting"]
)
def test_token_in_every_live_status(people, status):
    """The user must take part in a live call on that channel."""
    caller, callee, call = people.in_status(status)
    for person in (caller, callee):
        check(people.stack, generate(person, call["channelId"]), channel=call["channelId"])


@criterion("R9.2")
def test_no_token_for_a_channel_that_is_not_ones_own(people):
    """403 for a stranger, an over call's channel, and a channel that nobody has."""
    _, _, call = people.connecting()
    stranger = people.person()
    caller, callee, over = people.ended()
    for person, channel in [
        (stranger, call["channelId"]),
        (caller, over["channelId"]),
        (callee, over["channelId"]),
        (caller, call["channelId"]),
        (caller, "nobodys channel"),
        (caller, over["channelId"].upper() + "!"),
    ]:
        response = person.post(GENERATE, {"channelId": channel})
        expect.refused(response, 403, "UNAUTHORIZED_ACCESS")


@criterion("R3.1")
def test_every_token_is_another(people):
    """A salt of its own for each."""
    caller, _, call = people.connecting()
    tokens = {generate(caller, call["channelId"])["token"] for _ in range(3)}
    assert len(tokens) == 3


@criterion("R3.2")
def test_uid_is_the_same_every_time(people):
    """R3.2: one uid for a user, in every call, token and refresh, and another for another."""
    caller, callee, call = people.connecting()
    channel = call["channelId"]
    first = generate(caller, channel)
    again = generate(caller, channel, role="subscriber")
    renewed = expect.succeeded(refresh(caller, channel, first["token"]))
    other = generate(callee, channel)
    assert first["uid"] == again["uid"] == renewed["uid"] != other["uid"]
    caller.end(call["callId"])
    friend = people.friend_of(caller)
    call = friend.call(caller)
    assert generate(caller, call["channelId"])["uid"] == first["uid"]
    assert 2**31 <= first["uid"] < 2**32


def number_of(digits: int) -> str:
    return str(uuid.uuid4().int % (9 * 10 ** (digits - 1)) + 10 ** (digits - 1))


@criterion("R3.2")
@pytest.mark.parametrize("digits", [7, 9])
def test_a_number_is_its_own_uid(people, digits):
    """R3.2: an id that is a decimal number in 1…2³¹−1 is its own uid."""
    person = people.person(id=number_of(digits))
    call = people.friend_of(person).call(person)
    assert generate(person, call["channelId"])["uid"] == int(person.id)


@criterion("R3.2")
@pytest.mark.parametrize("make", ["0{}", "+{}", "{}.0", "{}0000000", "{} 1", "0x{}", "-{}", "{}a"])
def test_what_is_no_such_number_is_hashed(people, make):
    """R3.2: any other id is hashed into 2³¹…2³²−1: leading zeros, signs, numbers too big."""
    person = people.person(id=make.format(number_of(9)))
    call = people.friend_of(person).call(person)
    assert 2**31 <= generate(person, call["channelId"])["uid"] < 2**32


@criterion("R3.2")
@pytest.mark.parametrize("number, own", [(2**31 - 1, True), (2**31, False), (0, False), (1, True)])
def test_the_edges_of_the_uids(people, number, own):
    """R3.2: the first and the last number that is its own uid, and their neighbours."""
    people.stack.sql("DELETE FROM contacts WHERE user_id = %s", str(number))
    people.stack.sql("DELETE FROM contacts WHERE contact_user_id = %s", str(number))
    people.stack.sql("DELETE FROM users WHERE id = %s", str(number))
    person = people.person(id=str(number))
    if active := person.active():
        person.end(active["callId"])
    call = people.friend_of(person).call(person)
    uid = generate(person, call["channelId"])["uid"]
    person.end(call["callId"])
    assert uid == number if own else 2**31 <= uid < 2**32


@criterion("R3.3")
@pytest.mark.parametrize("seconds", [60, 61, 86_399, 86_400])
def test_expiration(people, seconds):
    """R3.3: 60 and 86400 seconds are the ends of what may be asked for."""
    caller, _, call = people.ringing()
    data = generate(caller, call["channelId"], expirationSeconds=seconds)
    check(people.stack, data, channel=call["channelId"], seconds=seconds)


@criterion("R3.3", "R12.3")
@pytest.mark.parametrize("seconds", [59, 86_401, 0, -1, -3600, 2**31, 2**63, 60.5, "abc", 1e300])
def test_expiration_out_of_range(people, seconds):
    """R3.3: outside of them it is a validation error, never clamped in silence."""
    caller, _, call = people.ringing()
    body = {"channelId": call["channelId"], "expirationSeconds": seconds}
    expect.invalid(caller.post(GENERATE, body), expirationSeconds="INVALID_EXPIRATION")


@criterion("R12.3")
@pytest.mark.parametrize(
    "channel",
    ["", "*", "a" * 64, "a/b", 'a"b', "a'b", "a\\b", "a`b", "é", "a\tb", "a\nb", "\x7f", "a*"],
)
def test_channels_that_are_none(people, channel):
    """1–63 bytes of Agora's alphabet; empty and `*` are wildcards to Agora and are refused."""
    person = people.person()
    expected = {"channelId": "INVALID_CHANNEL_ID"} if channel else {"channelId": None}
    expect.invalid(person.post(GENERATE, {"channelId": channel}), **expected)
    body = {"channelId": channel, "oldToken": "007abc"}
    response = person.post(REFRESH, body)
    error = expect.refused(response, 400, "VALIDATION_ERROR")
    assert "channelId" in {detail["field"] for detail in error["details"]}


def test_channels_of_the_whole_alphabet(people):
    """Agora's alphabet is valid (and none of the user's: 403), 63 bytes are."""
    person = people.person()
    for channel in ["a" * 63, "A z09!#$%&()+-:;<=.>?@[]^_{|}~,"]:
        response = person.post(GENERATE, {"channelId": channel})
        expect.refused(response, 403, "UNAUTHORIZED_ACCESS")


@criterion("R12.3")
def test_all_faults_at_once(people):
    """Each wrong field is named, in one answer."""
    body = {"channelId": "*", "role": "boss", "expirationSeconds": 5}
    expect.invalid(
        people.person().post(GENERATE, body),
        channelId="INVALID_CHANNEL_ID",
        role="INVALID_ROLE",
        expirationSeconds="INVALID_EXPIRATION",
    )


def audit(people, person) -> list[dict]:
    rows = people.stack.sql("SELECT * FROM token_audit WHERE user_id = %s", person.id)
    return [{name: text(value) for name, value in row.items()} for row in rows]


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


@criterion("R3.4")
def test_audit_of_generation(people):
    """R3.4: one row a token, which names user and channel, and never the token itself."""
    caller, callee, call = people.connecting()
    assert audit(people, caller) == []
    tokens = [generate(caller, call["channelId"])["token"] for _ in range(2)]
    caller.post(GENERATE, {"channelId": "*"})
    caller.post(GENERATE, {"channelId": "not mine"})
    rows = audit(people, caller)
    assert len(rows) == 2
    assert audit(people, callee) == []
    for row in rows:
        assert call["channelId"] in row.values()
        assert not any(token in str(row.values()) for token in tokens)


@criterion("R4.4")
def test_audit_of_refresh(people):
    """R4.4: the row of a refresh holds a prefix of the old token, and only a prefix."""
    caller, _, call = people.connecting()
    old = generate(caller, call["channelId"])["token"]
    before = len(audit(people, caller))
    new = expect.succeeded(refresh(caller, call["channelId"], old))["token"]
    refresh(caller, call["channelId"], "007bad")
    rows = audit(people, caller)
    assert len(rows) == before + 1
    prefixes = [
        value
        for row in rows
        for value in row.values()
        if isinstance(value, str) and len(value) >= 4 and value.startswith("007")
    ]
    assert len(prefixes) == 1 and old.startswith(prefixes[0]) and len(prefixes[0]) <= len(old) / 2
    assert not any(token in str(rows) for token in (old, new))


@criterion("R4.1", "R4.2")
@pytest.mark.parametrize("status", ["connecting", "connected"])
@pytest.mark.parametrize("role", ["publisher", "subscriber"])
def test_refresh(people, status, role):
    """R4.2: same channel, role and uid; the new token lives the configured default (§7.5)."""
    caller, callee, call = people.in_status(status)
    channel = call["channelId"]
    for person in (caller, callee):
        old = generate(person, channel, role=role, expirationSeconds=60)
        data = expect.succeeded(refresh(person, channel, old["token"]))
        check(people.stack, data, channel=channel, role=role)
        assert data["uid"] == old["uid"] and data["token"] != old["token"]


@criterion("R4.2")
def test_role_in_a_refresh_is_ignored(people):
    caller, _, call = people.connecting()
    old = generate(caller, call["channelId"], role="subscriber")["token"]
    for role in ("publisher", "boss"):
        data = expect.succeeded(refresh(caller, call["channelId"], old, role=role))
        check(people.stack, data, channel=call["channelId"], role="subscriber")


@criterion("R4.1", "R4.3")
@pytest.mark.parametrize("status", ["initiating", "ringing", "disconnecting", "ended", "rejected"])
def test_refresh_without_an_accepted_call(people, status):
    """R4.3: 409 NO_ACTIVE_CALL unless the call on that channel is connecting or connected."""
    caller, callee, call = people.in_status(status)
    channel = call["channelId"]
    for person in (caller, callee):
        old = forged(people.stack, channel, uid_of(people, person))
        expect.refused(refresh(person, channel, old), 409, "NO_ACTIVE_CALL")


def uid_of(people, person) -> int:
    """A user's uid, learned in a call of another channel."""
    if person.active():
        return generate(person, person.active()["channelId"])["uid"]
    friend = people.friend_of(person)
    call = friend.call(person)
    uid = generate(person, call["channelId"])["uid"]
    friend.end(call["callId"])
    return uid


@criterion("R4.1", "R4.3")
def test_refresh_for_another_channel(people):
    """R4.1: a call on another channel does not count, nor somebody else's on this one."""
    caller, _, call = people.connecting()
    other, _, second = people.connecting()
    uid = generate(caller, call["channelId"])["uid"]
    old = forged(people.stack, second["channelId"], uid)
    expect.refused(refresh(caller, second["channelId"], old), 409, "NO_ACTIVE_CALL")
    old = forged(people.stack, "elsewhere", uid)
    expect.refused(refresh(caller, "elsewhere", old), 409, "NO_ACTIVE_CALL")
    assert other.active()["callId"] == second["callId"]


@criterion("R4.2")
def test_an_expired_token_can_be_refreshed(people):
    """The old token must be ours, expired or not; the compression's level does not matter."""
    caller, _, call = people.connecting()
    uid = generate(caller, call["channelId"])["uid"]
    for options in [
        {"issued_at": int(time.time()) - 90_000},
        {"issued_at": 1_111_111, "expire": 600},
        {"level": 0},
        {"level": 9, "publisher": False},
    ]:
        old = forged(people.stack, call["channelId"], uid, **options)
        data = expect.succeeded(refresh(caller, call["channelId"], old))
        role = "publisher" if options.get("publisher", True) else "subscriber"
        check(people.stack, data, channel=call["channelId"], role=role)


@criterion("R4.2", "R12.3")
def test_old_tokens_that_are_not_ours(people):
    """§7.5: VALIDATION_ERROR on `oldToken` with INVALID_TOKEN."""
    caller, callee, call = people.connecting()
    channel, stack = call["channelId"], people.stack
    uid = generate(caller, channel)["uid"]
    good = forged(stack, channel, uid)
    bad = [
        forged(stack, channel, uid, certificate="0" * 32),
        forged(stack, channel, uid, app_id="0" * 32),
        forged(stack, "another", uid),
        forged(stack, channel, uid + 1),
        forged(stack, channel, generate(callee, channel)["uid"]),
        forged(stack, channel, "0"),
        forged(stack, channel, ""),
    ]
    for old in bad:
        expect.invalid(refresh(caller, channel, old), oldToken="INVALID_TOKEN")
    caller, callee, call = people.connecting()
    channel = call["channelId"]
    for old in ["x", "007", "006" + good[3:], good[:-8], good + "AAAA", "007" + "A" * 400]:
        expect.invalid(refresh(caller, channel, old), oldToken="INVALID_TOKEN")


@criterion("R12.3")
def test_an_old_token_is_required(people):
    caller, _, call = people.connecting()
    expect.invalid(caller.post(REFRESH, {"channelId": call["channelId"]}), oldToken="REQUIRED")


def test_a_token_that_inflates_to_megabytes(people):
    """A small text that inflates to a lot is refused, quickly."""
    caller, _, call = people.connecting()
    uid = generate(caller, call["channelId"])["uid"]
    for padding in (100_000, 8_000_000):
        old = forged(people.stack, call["channelId"], uid, padding=padding)
        assert len(old) < 16_000
        with Pauses() as pauses:
            expect.invalid(refresh(caller, call["channelId"], old), oldToken="INVALID_TOKEN")
            took = pauses.took
        assert took < at_leisure(5)


@criterion("R4.3")
def test_refresh_after_the_end(people):
    """A token that was good a moment ago cannot be renewed when the call is over."""
    caller, callee, call = people.connected()
    old = generate(caller, call["channelId"])["token"]
    callee.end(call["callId"])
    expect.refused(refresh(caller, call["channelId"], old), 409, "NO_ACTIVE_CALL")
