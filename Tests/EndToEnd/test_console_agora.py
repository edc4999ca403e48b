"""The console with Agora's Web SDK beside it. A stand-in takes the SDK's place: what it is called for is ours."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.browser import Phone
from support.stack import ROOT, wait_until

pytestmark = pytest.mark.xdist_group("console-pages")


@pytest.fixture
def sdk(console, pair):
    """Both phones in a call; the page's `AgoraRTC` is prepared by the given JavaScript before they join."""
    text = (ROOT / "Tests/EndToEnd/support/agora-sdk.js").read_text()

    def start(kind: str = "video", prepared: str = "") -> tuple[Phone, Phone]:
        console.page.route(
            "**/console/agora-rtc-sdk.js",
            lambda route: route.fulfill(body=text + prepared, content_type="text/javascript"),
        )
        one, two = console.phones(*pair)
        one.press(kind)
        two.press("accept")
        return one, two

    return start


def test_it_joins_and_reports_what_it_measures(console, pair, sdk):
    """The channel, the uid and the token are the call's; there is no simulated network to choose."""
    one, two = sdk()
    for phone in (one, two):
        expect(phone.element.locator(".media")).to_contain_text("In Agora's channel as")
        expect(phone.element.locator(".quality-facts")).to_have_text("poor · 77 ms, 2.5 % lost")
        expect(phone.button("network")).to_have_count(0)
        phone.is_in_phase("connected")
    call = pair[0].active()
    joined = console.page.evaluate("AgoraRTC.joined")
    assert {(appId, channel) for appId, channel, *_ in joined} == {
        (console.stack["AGORA_APP_ID"], call["channelId"])
    }
    assert all(token.startswith("007") and uid > 0 for _, _, token, uid in joined)
    wait_until(lambda: pair[0].details(call["callId"])["quality"]["samples"] >= 2, 45)
    quality = pair[0].details(call["callId"])["quality"]
    assert (quality["averageScore"], quality["averageRoundTripTime"]) == (3, 77)
    assert quality["averagePacketLossRate"] == pytest.approx(0.025)
    one.press("end")
    two.is_in_phase("idle")
    wait_until(lambda: console.page.evaluate("AgoraRTC.left") == 2, 45, message="both have left")
    assert console.page.evaluate("AgoraRTC.tracks.every(({ isClosed }) => isClosed)")


def test_it_shows_pictures(console, sdk):
    one, two = sdk()
    expect(one.element.locator(".picture-own")).to_have_text("picture")
    two.is_in_phase("connected")
    wait_until(lambda: console.page.evaluate("AgoraRTC.joined.length") == 2, 45)
    console.page.evaluate("AgoraRTC.clients[0].emit('user-published', {}, 'video')")
    expect(console.page.locator(".picture-peer")).to_have_text("picture")
    one.press("end")
    expect(console.page.locator(".pictures > *")).to_have_count(0)


def test_its_token_is_renewed(console, sdk):
    """The SDK says that a token runs out: another one is asked for and handed to it (R4)."""
    one, two = sdk("audio")
    for phone in (one, two):
        phone.is_in_phase("connected")
    # A phone is connected also where only the other one has said so.
    wait_until(lambda: console.page.evaluate("AgoraRTC.joined.length") == 2, 45)
    console.page.evaluate("AgoraRTC.clients[0].emit('token-privilege-will-expire')")
    wait_until(lambda: console.page.evaluate("AgoraRTC.renewed.length"), 45, message="a token")
    (renewed,) = console.page.evaluate("AgoraRTC.renewed")
    assert renewed.startswith("007")
    assert renewed not in [token for _, _, token, _ in console.page.evaluate("AgoraRTC.joined")]
    refreshed = one.logged("POST /agora/token/refresh").or_(two.logged("POST /agora/token/refresh"))
    expect(refreshed).to_have_count(1)


def test_it_cannot_join(console, pair, sdk):
    """It says why, reports no quality that nobody measured and no connection; another attempt may succeed."""
    refused = "AgoraRTC.refusals.push('CAN_NOT_GET_GATEWAY_SERVER', 'CAN_NOT_GET_GATEWAY_SERVER');"
    one, two = sdk("video", refused)
    reason = "Agora's SDK could not join: CAN_NOT_GET_GATEWAY_SERVER"
    for phone in (one, two):
        expect(phone.element.locator(".media")).to_have_text(reason)
    assert pair[0].active()["status"] == "connecting"
    console.picture("agora-refused")
    console.has_no_barriers()
    for phone in (one, two):
        expect(phone.logged(re.compile("/quality$"))).to_have_count(0)
        phone.press("retry")
        expect(phone.element.locator(".media")).to_contain_text("In Agora's channel as")
        phone.is_in_phase("connected")
        expect(phone.button("retry")).to_have_count(0)


def test_it_has_no_microphone(sdk):
    """Whoever may not be heard can listen, and sees why."""
    one, two = sdk("audio", "AgoraRTC.silences.push('NotAllowedError', 'NotAllowedError');")
    for phone in (one, two):
        phone.is_in_phase("connected")
        media = phone.element.locator(".media")
        expect(media).to_contain_text(re.compile(r"as \d+, only listening: NotAllowedError"))


def test_the_call_ends_while_it_joins(console, sdk):
    """Nobody stays in the channel of a call that is over."""
    one, two = sdk("video", "AgoraRTC.gate = new Promise((open) => (AgoraRTC.open = open));")
    for phone in (one, two):
        expect(phone.element.locator(".media")).to_have_text("Joining Agora's channel…")
    wait_until(lambda: console.page.evaluate("globalThis.AgoraRTC?.clients.length") == 2, 45)
    one.press("end")
    for phone in (one, two):
        phone.says(re.compile("has ended after"))
    console.page.evaluate("AgoraRTC.open()")
    wait_until(lambda: console.page.evaluate("AgoraRTC.left") >= 4, 45, message="both have left")
    assert console.page.evaluate("AgoraRTC.tracks.length") == 0
