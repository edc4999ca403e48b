"""The console met by what nobody planned for: names, amounts, limits, tabs, networks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.browser import Phone
from support.logins import ENDED, login
from support.stack import wait_until

pytestmark = pytest.mark.xdist_group("console")

LONG = "Bartholomew" * 6
STATUSES = ["completed", "missed", "rejected", "failed"]


@pytest.mark.parametrize(
    "name",
    ["<img src=x onerror=alert(1)><b>Eve</b>", "👩🏽‍🚀 Ada", LONG, "\u202eevil\u202c", " "],
    ids=["html", "emoji", "long", "backwards", "blank"],
)
def test_names(opened, people, name):
    """Whatever a user is called is shown as that, and breaks neither page nor title."""
    pair = people.person(full_name=name[:64]), people.person(full_name="Ben Example")
    people.befriend(*pair)
    console = opened(viewport={"width": 390, "height": 844})
    one, two = console.phones(*pair)
    one.press("video")
    two.is_in_phase("incoming")
    words = name[:64].strip() or pair[0].id
    expect(two.headline).to_contain_text(words)
    assert console.page.locator("b, img[src=x]").filter(has_text="Eve").count() == 0
    wait_until(lambda: words in console.page.title(), 45, message="a title that rings")
    two.press("accept")
    two.is_in_phase("connected")
    assert console.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    initial = two.stage.locator(".avatar").inner_text()
    assert initial == {"👩🏽‍🚀 Ada": "👩🏽‍🚀"}.get(name, initial) and "\ufffd" not in initial


def test_an_empty_history(console, people):
    """It says so; and the statistics are noughts, not gaps."""
    (phone,) = console.phones(people.person())
    panel = phone.tab("history")
    expect(panel.get_by_text("No calls here.")).to_be_visible()
    expect(panel.locator(".position")).to_have_text("Page 1 of 1 · 0 calls")
    for name in ["Newest", "Newer", "Older", "Oldest"]:
        expect(panel.get_by_role("button", name=name)).to_be_disabled()
    panel = phone.tab("statistics")
    expect(panel.locator("[data-figure='statistics.calls']")).to_have_text("0")
    console.picture("empty-statistics")
    console.has_no_barriers()


def test_a_thousand_calls(console, people):
    """The ends of a long history are one click away; a refused page leaves the one that is shown."""
    reader = people.person()
    caller = people.friend_of(reader)
    caller.end(caller.call(reader)["callId"])
    multiply(reader, 1_000)
    (phone,) = console.phones(reader)
    panel = phone.tab("history")
    position = panel.locator(".position")
    expect(position).to_have_text("Page 1 of 100 · 1,000 calls")
    panel.get_by_role("button", name="Oldest").click()
    expect(position).to_have_text("Page 100 of 100 · 1,000 calls")
    expect(panel.locator(".history li")).to_have_count(10)
    panel.get_by_role("button", name="Newer").click()
    expect(position).to_have_text("Page 99 of 100 · 1,000 calls")
    console.picture("thousand")
    for page in range(98, 50, -1):
        # The rest of the minute's requests is another device's, which is quicker than a page.
        wait_until(lambda: reader.get("/calls/history").status_code == 429, 60, 0, "a limit")
        panel.get_by_role("button", name="Newer").click()
        refusal = panel.get_by_text(re.compile(r"Too many requests. Try again in \d+ s."))
        expect(refusal.or_(panel.get_by_text(f"Page {page} of 100"))).to_be_visible()
        if refusal.is_visible():
            break
    else:
        pytest.fail("there was no limit")
    expect(position).to_have_text(f"Page {page + 1} of 100 · 1,000 calls")
    expect(panel.locator(".history li")).to_have_count(10)


def multiply(person, wanted: int) -> None:
    """Copies a user's one entry of the history, each copy a minute older than the one before."""
    person.stack.sql(
        "INSERT INTO call_history (user_id, call_id, remote_user_id, call_type, status, direction, end_reason, "
        "timestamp, duration_seconds) WITH RECURSIVE copies (n) AS "
        "(SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < %s - 1) "
        "SELECT user_id, UUID(), remote_user_id, call_type, status, direction, end_reason, "
        "timestamp - INTERVAL n MINUTE, duration_seconds FROM call_history, copies WHERE user_id = %s",
        wanted,
        person.id,
    )
    columns = [f"{kind}_{status}" for kind in ["audio", "video"] for status in STATUSES]
    grown = ", ".join(f"{column} = {column} * {wanted:d}" for column in columns)
    person.stack.sql(f"UPDATE call_history_totals SET {grown} WHERE user_id = %s", person.id)


def hold(console, pattern: str):
    """Holds back a request of the page; gives it once it has been sent."""
    routes = []
    console.page.route(pattern, lambda route: routes.append(route))

    def sent():
        # The page's events are taken while Playwright waits.
        wait_until(lambda: console.page.wait_for_timeout(20) or routes, 45, message=pattern)
        return routes[0]

    return sent


def test_the_latest_filter_is_what_is_shown(console, people):
    """Answers that overtake each other: the one that was asked for last counts."""
    reader = people.person()
    for kind in ["audio", "video"]:
        caller = people.friend_of(reader)
        caller.end(caller.call(reader, kind)["callId"])
    (phone,) = console.phones(reader)
    held = hold(console, "**/calls/history?*callType=audio*")
    panel = phone.tab("history")
    entries = panel.locator(".history li")
    expect(entries).to_have_count(2)
    kinds = panel.get_by_role("combobox", name="Type")
    kinds.select_option("audio")
    held()
    kinds.select_option("video")
    expect(entries).to_have_count(1)
    shown = entries.first.get_attribute("data-call")
    with console.page.expect_response("**/calls/history?*callType=audio*"):
        held().continue_()
    expect(phone.logged("GET /calls/history")).to_have_count(3)
    assert entries.first.get_attribute("data-call") == shown


def test_the_focus_after_a_deletion(console, people):
    """It is on the next entry, and on the list where there is none: not at the top of the page again."""
    reader = people.person()
    for _ in range(2):
        caller = people.friend_of(reader)
        caller.end(caller.call(reader)["callId"])
    (phone,) = console.phones(reader)
    panel = phone.tab("history")
    entries = panel.locator(".history li")
    for left in [1, 0]:
        entries.first.get_by_role("button", name="Delete").press("Enter")
        expect(entries).to_have_count(left)
        place = (
            entries.first.get_by_role("button", name="Delete")
            if left
            else panel.get_by_role("group")
        )
        expect(place).to_be_focused()


def test_a_limit_on_calls(console, people, pair):
    """Five a minute: the sixth says when, in words. Those before are another device's, which is quick, so that they are
    of one minute on a busy machine, too."""
    caller, _ = pair
    one, _ = console.phones(*pair)
    friend = people.friend_of(caller)
    for _ in range(60):
        response = caller.initiate(friend)
        if response.status_code == 429:
            break
        caller.end(response.json()["data"]["callId"])
    one.press("audio")
    expect(one.notice).to_have_text(re.compile(r"Too many requests. Try again in \d+ s."))
    one.is_in_phase("idle")
    console.picture("limit")
    console.has_no_barriers()


def test_a_refused_ticket(console, pair):
    """The phone says how long it waits, and comes when it said."""
    refused = []

    def refuse(route) -> None:
        refused.append(route)
        if len(refused) > 2:
            return route.fallback()
        body = {"success": False, "error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Slowly"}}
        route.fulfill(status=429, json=body, headers={"Retry-After": "4"})

    console.page.route("**/signaling/ticket", refuse)
    console.keep_login(*pair)
    console.keep_texts("[data-state=waiting] .link")
    page = console.open()
    phone = Phone(page, pair[0])
    phone.has_shown("[data-state=waiting] .link", r"trying again in [34] s")
    phone.is_in_state("online")
    expect(phone.logged("429 RATE_LIMIT_EXCEEDED")).to_have_count(1)


def test_two_tabs_of_one_reader(console, pair):
    """A tab that is duplicated takes the stored device along, and is another device all the same."""
    one, two = console.phones(*pair)
    one.press("video")
    two.press("accept")
    two.is_in_phase("connected")
    with console.context.expect_page() as opening:
        console.page.evaluate("void open('/console/')")
    copies = [Phone(opening.value, person) for person in pair]
    for copy in copies:
        copy.is_in_state("online")
        copy.says(re.compile("on another device"))
    devices = [
        page.evaluate("JSON.parse(sessionStorage['chattrix.phone.0']).deviceId")
        for page in (console.page, opening.value)
    ]
    assert len(set(devices)) == 2
    copies[0].press("end")
    for phone in [one, two, *copies]:
        phone.says(re.compile("has ended after"))
    console.page.reload()
    one.is_in_state("online")
    kept = console.page.evaluate("JSON.parse(sessionStorage['chattrix.phone.0']).deviceId")
    assert kept == devices[0]


def test_a_slow_network(console, pair):
    """Two seconds each way: what was pressed shows that, is sent once, and the call comes about."""
    busy = ".stage-body[aria-busy=true]"
    console.keep_texts(".headline", busy)
    one, two = console.phones(*pair)
    session = console.context.new_cdp_session(console.page)
    conditions = {"offline": False, "downloadThroughput": 20_000, "uploadThroughput": 10_000}
    session.send("Network.emulateNetworkConditions", conditions | {"latency": 2000})
    one.press("video")
    two.is_in_phase("incoming")
    one.has_shown(".headline", f"^Calling {pair[1].full_name}…$")
    two.button("accept").dblclick()
    console.picture("slow")
    two.has_shown(busy)
    for phone in (one, two):
        phone.is_in_phase("connected")
    expect(two.logged("/accept")).to_have_count(1)
    one.press("end")
    for phone in (one, two):
        phone.says(re.compile("has ended after"))


def test_cancelled_before_the_server_answered(console, pair):
    """The call that comes about nevertheless is cancelled at once, and the callee's phone stops ringing."""
    one, two = console.phones(*pair)
    held = hold(console, "**/calls/initiate")
    one.press("video")
    one.is_in_phase("calling")
    held()
    one.press("end")
    one.says("Hanging up…")
    held().continue_()
    one.says("You cancelled the call")
    expect(two.logged("call_ended")).to_have_count(1)
    two.is_in_phase("idle")
    assert pair[1].active() is None


def test_a_login_that_ends_while_it_rings(console, pair):
    """The phone goes on ringing, says why it cannot answer, and answers with a fresh token. The login that ends begins
    when all else is there, so that it may be short on a busy machine, too."""
    _, callee = pair
    console.keep_login(*pair, tokens={callee.id: login(callee, ENDED)[0]})
    one, two = (Phone(console.open(), person) for person in pair)
    one.is_in_state("online")
    two.is_in_state("signed-out")
    one.press("video")
    two.go_on_with(login(callee, 15)[0])
    # Of the call it hears by its socket only.
    two.is_in_phase("incoming")
    two.is_in_state("signed-out")
    two.is_in_phase("incoming")
    two.press("accept")
    expect(two.notice).to_have_text("The login has ended.")
    console.picture("login-ended-ringing")
    console.has_no_barriers()
    two.go_on_with(callee.token)
    two.is_in_state("online")
    two.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")
