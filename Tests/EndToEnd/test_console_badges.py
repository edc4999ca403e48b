"""The console's badge, do not disturb and glare (contract 11.1 to 11.3)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.stack import wait_until

pytestmark = pytest.mark.xdist_group("console")


def test_missed_calls_are_counted_until_they_are_looked_at(console, people):
    """Contract 11.1: the badge rises with each, also while the phone is away, and goes with a look."""
    reader = people.person()
    for _ in range(2):
        caller = people.friend_of(reader)
        caller.end(caller.call(reader)["callId"])
    caller = people.friend_of(reader)
    one, two = console.phones(reader, caller)
    badge = one.element.locator(".badge")
    expect(badge).to_have_text("2")
    two.press("audio")
    one.is_in_phase("incoming")
    two.press("end")
    expect(badge).to_have_text("3")
    expect(badge).to_have_attribute("aria-label", "3 missed")
    console.picture("missed")
    console.has_no_barriers()
    one.tab("history")
    expect(badge).to_be_hidden()
    console.page.reload()
    one.is_in_state("online")
    expect(badge).to_be_hidden()


def test_do_not_disturb(console, pair):
    """Contract 11.2: the phone stays silent, the caller is told, the badge counts; it is kept."""
    one, two = console.phones(*pair)
    availability = two.button("availability")
    expect(availability).to_have_value("on")
    availability.select_option("hour")
    expect(availability).to_have_value("until")
    expect(availability.locator("option:checked")).to_contain_text("Silent until")
    console.picture("do-not-disturb")
    console.has_no_barriers()
    one.press("video")
    one.says(f"{pair[1].full_name} does not want to be disturbed")
    two.is_in_phase("idle")
    expect(two.element.locator(".badge")).to_have_text("1")
    console.page.reload()
    expect(availability).to_have_value("until")
    availability.select_option("on")
    # The page shows what was chosen before the server has it.
    wait_until(lambda: not pair[1].get("/me/availability").json()["data"]["doNotDisturb"], 45)
    one.press("video")
    two.is_in_phase("incoming")


def test_two_who_call_each_other(console, pair):
    """Contract 11.3: pressed in the same moment, the two are in one call."""
    one, two = console.phones(*pair)
    console.page.evaluate(
        "document.querySelectorAll('[data-action=video]').forEach((button) => button.click())"
    )
    for phone in (one, two):
        phone.is_in_phase("connected")
    call = pair[0].active()
    assert call["callId"] == pair[1].active()["callId"]
    joined = one.notice.or_(two.notice).filter(has_text=re.compile("calling each other"))
    expect(joined).to_have_count(1)
    one.press("end")
    for phone in (one, two):
        expect(phone.tab("history").locator(".history li")).to_have_count(1)
