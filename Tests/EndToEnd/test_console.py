"""The console: two people on one page, their whole calls, and what each sees of them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.browser import Phone
from support.clock import shift_call
from support.stack import wait_until

pytestmark = pytest.mark.xdist_group("console")
criterion = pytest.mark.criterion


def test_a_newcomers_first_call_takes_two_clicks(console):
    """The stack's own demo users are signed in: call, accept."""
    page = console.open()
    alice, bob = Phone(page, "alice"), Phone(page, "bob")
    console_is_idle(alice, bob)
    alice.press("video")
    bob.press("accept")
    for phone in (alice, bob):
        phone.is_in_phase("connected")
    alice.press("end")
    for phone in (alice, bob):
        phone.says(re.compile("has ended after"))


def console_is_idle(*phones: Phone) -> None:
    """Whatever a run before has left of the demo users' calls is over."""
    for phone in phones:
        phone.is_in_state("online")
        if phone.button("end").count():
            phone.press("end")
    for phone in phones:
        phone.is_in_phase("idle")


@criterion("R11.1", "R11.2", "R11.4", "R3.1", "R5.2")
def test_a_whole_call(console, pair):
    """Rings, is accepted, both are connected and in Agora's channel by name, ends; both histories tell."""
    caller, callee = pair
    one, two = console.phones(*pair)
    one.says(f"Call {callee.full_name}")
    one.press("audio")
    two.is_in_phase("incoming")
    two.says(f"{caller.full_name} is calling")
    one.says(f"Ringing at {callee.full_name}…")
    wait_until(lambda: caller.full_name in console.page.title(), 45, message="a title that rings")
    console.picture("ringing")
    two.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")
    call = caller.active()
    assert (call["status"], call["callType"]) == ("connected", "audio")
    login = two.tab("login")
    expect(login.locator("[data-fact='agora.app']")).to_have_text(console.stack["AGORA_APP_ID"])
    expect(login.locator("[data-fact='agora.channel']")).to_have_text(call["channelId"])
    expect(login.locator("[data-fact='agora.privileges']")).to_contain_text("publish audio")
    two.press("end")
    for phone in (one, two):
        phone.says(re.compile(r"has ended after \d+:\d\d"))
    assert "calling" not in console.page.title()
    expect(login).to_contain_text("There is one during a call.")
    for phone, direction in [(one, "Outgoing"), (two, "Incoming")]:
        entries = phone.tab("history").locator(".history li")
        expect(entries).to_have_count(1)
        expect(entries).to_contain_text(f"{direction} · Completed")


@criterion("R7.4")
def test_a_poor_network_is_shown_and_the_other_is_warned(console, pair):
    one, two = console.phones(*pair)
    one.press("video")
    two.press("accept")
    two.is_in_phase("connected")
    two.button("network").select_option("veryBad")
    expect(one.element.locator(".warning")).to_have_text(
        f"The network of {pair[1].full_name} is very bad"
    )
    expect(two.element.locator(".quality-facts")).to_contain_text(re.compile(r"very bad · \d+ ms"))
    expect(two.element.locator(".quality .chart")).to_have_attribute("data-quality", "veryBad")
    expect(two.element.locator(".media")).to_contain_text("Agora's Web SDK is not on this server")
    console.picture("poor-network")
    console.has_no_barriers()


@criterion("R2.3", "R11.3")
@pytest.mark.parametrize(
    ("press", "caller_sees", "callee_sees", "kept"),
    [
        ("reject", "{callee} declined", "You declined", "Rejected"),
        ("busy", "{callee} is busy", "You said that you are busy", "Missed"),
    ],
)
def test_a_rejection(console, pair, press, caller_sees, callee_sees, kept):
    one, two = console.phones(*pair)
    one.press("video")
    two.press(press)
    one.says(caller_sees.format(callee=pair[1].full_name))
    two.says(callee_sees)
    expect(two.tab("history").locator(".history li")).to_contain_text(f"Incoming · {kept}")


def test_a_cancelled_call(console, pair):
    one, two = console.phones(*pair)
    one.press("video")
    two.is_in_phase("incoming")
    one.press("end")
    one.says("You cancelled the call")
    two.says(f"{pair[0].full_name} gave up")
    expect(one.tab("history").locator(".history li")).to_contain_text("Outgoing · Missed")


@criterion("R1.4", "R11.5")
def test_a_call_that_nobody_answers(console, pair, people):
    one, two = console.phones(*pair)
    one.press("video")
    two.is_in_phase("incoming")
    expect(two.element.locator(".subline")).to_contain_text(re.compile(r"Video call · \d+ s left"))
    shift_call(console.stack, pair[0].active()["callId"], 61)
    one.says(f"{pair[1].full_name} did not answer")
    two.says(f"You missed a call of {pair[0].full_name}")


@criterion("R2.5")
def test_a_busy_callee(console, pair, people):
    """The attempt is told of in words, and stands in the history."""
    other = people.friend_of(pair[1])
    one, _ = console.phones(*pair)
    # It rings for a minute, in which a page on a busy machine may not get ready.
    other.call(pair[1])
    one.press("video")
    one.says(f"{pair[1].full_name} is busy")
    expect(one.tab("history").locator(".history li")).to_contain_text("Outgoing · Rejected")


def test_a_call_of_somebody_who_is_no_contact(console, people):
    one, two = people.person(), people.person()
    phone, _ = console.phones(one, two)
    phone.press("audio")
    expect(phone.notice).to_have_text("You are not contacts.")
    phone.is_in_phase("idle")


def test_a_call_by_id(console, people):
    """A phone alone asks whom to call."""
    caller, callee = people.pair()
    (phone,) = console.phones(caller)
    Phone(console.page, "bob").element.get_by_role("button", name="Sign out").click()
    phone.says("Whom to call?")
    phone.element.get_by_label("User id to call").fill(callee.id)
    phone.press("video")
    phone.says(re.compile(f"(Calling|Ringing at) {callee.full_name}…"))


@criterion("R6.2", "R6.3", "R6.4", "R6.5", "R15.1")
def test_history_and_statistics(console, people):
    """Filters, pages, deletion, a call back; and the same calls as figures."""
    reader = people.person()
    for number in range(12):
        caller = people.friend_of(reader)
        call = caller.call(reader, "audio" if number < 4 else "video")
        reader.reject(call["callId"]) if number % 2 else caller.end(call["callId"])
    (one,) = console.phones(reader)
    panel = one.tab("history")
    entries = panel.locator(".history li")
    expect(entries).to_have_count(10)
    expect(panel.locator(".position")).to_have_text("Page 1 of 2 · 12 calls")
    panel.get_by_role("button", name="Older").click()
    expect(entries).to_have_count(2)
    panel.get_by_role("combobox", name="Type").select_option("audio")
    expect(entries).to_have_count(4)
    panel.get_by_role("combobox", name="Outcome").select_option("missed")
    expect(entries).to_have_count(2)
    entries.first.get_by_role("button", name="Delete").click()
    expect(entries).to_have_count(1)
    console.picture("history")
    console.has_no_barriers()

    panel = one.tab("statistics")
    expect(panel.locator("[data-figure='statistics.calls']")).to_have_text("12")
    expect(panel.locator("[data-part=audio] b")).to_have_text("4")
    expect(panel.locator("[data-part=rejected] b")).to_have_text("6")
    expect(panel.locator(".ring-chart")).to_have_attribute("aria-label", re.compile("Rejected: 6"))
    panel.get_by_role("radio", name="Day").check()
    expect(panel.locator("[data-figure='statistics.calls']")).to_have_text("12")
    console.picture("statistics")
    console.has_no_barriers()

    one.tab("history").get_by_role("button", name="Call", exact=False).first.click()
    one.says(re.compile("Calling|Ringing at"))
