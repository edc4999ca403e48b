"""The console when the page is loaded anew, the network goes, and a login ends (contract 6.4, 10)."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from support.browser import Door, Phone
from support.expect import milliseconds
from support.logins import ENDED, EXPIRED, login
from support.stack import wait_until

pytestmark = pytest.mark.xdist_group("console")
criterion = pytest.mark.criterion


@pytest.fixture
def door(stack):
    opened = Door(stack)
    yield opened
    opened.close()


def test_reloaded_while_it_rings(console, pair):
    """The call still rings on both phones, and can be answered."""
    one, two = console.phones(*pair)
    one.press("video")
    two.is_in_phase("incoming")
    # Until the answer has come, this page does not know that the call is its own.
    one.is_in_phase("ringing")
    console.page.reload()
    one.is_in_phase("ringing")
    two.is_in_phase("incoming")
    two.says(f"{pair[0].full_name} is calling")
    two.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")


def test_reloaded_on_a_slow_device(console, pair):
    """Its call is its own still where the page that was before takes its time to go: here another one has the
    device's lock meanwhile."""
    one, two = console.phones(*pair)
    one.press("video")
    one.is_in_phase("ringing")
    other = console.context.new_page()
    other.goto(console.page.url.removesuffix("console/") + "guide/")
    name = "'chattrix.device.' + JSON.parse(sessionStorage['chattrix.phone.0']).deviceId"
    lock = console.page.evaluate(name)
    other.evaluate(
        """name => void navigator.locks.request(name, () => new Promise(end => window.end = end))""",
        lock,
    )
    console.page.reload()
    wait_until(lambda: other.evaluate("Boolean(window.end)"), 45)
    console.page.wait_for_timeout(4000)
    other.evaluate("end()")
    one.is_in_phase("ringing")
    assert console.page.evaluate(name) == lock
    two.is_in_phase("incoming")


def test_reloaded_while_connected(console, pair):
    """The call goes on, with a new token and its time; what was missed comes once."""
    one, two = console.phones(*pair)
    one.press("audio")
    two.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")
    console.page.reload()
    for phone in (one, two):
        phone.is_in_phase("connected")
    expect(one.element.locator(".subline")).to_have_text(re.compile(r"\d+:\d\d"))
    expect(one.logged("POST /agora/token/generate")).to_have_count(1)
    expect(two.logged("call_invitation")).to_have_count(0)
    two.press("end")
    for phone in (one, two):
        phone.says(re.compile("has ended after"))


@criterion("R2.2")
def test_another_device(console, opened, pair):
    """Contract 7.6: answered on one, the other stops ringing; opened meanwhile, it can take the call over."""
    one, two = console.phones(*pair)
    other = opened()
    _, second = other.phones(*pair)
    one.press("video")
    for phone in (two, second):
        phone.is_in_phase("incoming")
    two.press("accept")
    two.is_in_phase("connected")
    second.says("Answered on another device")
    other.page.reload()
    second.says(f"In a call with {pair[0].full_name}, on another device")
    other.picture("another-device")
    other.has_no_barriers()
    second.press("take-over")
    second.is_in_phase("connected")
    other.page.reload()
    second.is_in_phase("connected")
    second.press("end")
    for phone in (one, two, second):
        phone.says(re.compile("has ended after"))


def test_a_lost_connection(console, pair, door):
    """Both phones say so and try again; what happened meanwhile arrives, in order and once."""
    one, two = console.phones(*pair, origin=door.origin)
    one.press("video")
    two.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")
    door.shut()
    for phone in (one, two):
        expect(phone.element.locator(".link")).to_contain_text("Connection lost")
        expect(phone.element.locator(".link")).to_contain_text("trying again in")
    console.picture("connection-lost")
    pair[0].end(pair[0].active()["callId"])
    door.open()
    for phone in (one, two):
        phone.is_in_state("online")
        phone.says(re.compile("has ended after"))
    expect(two.logged("call_ended")).to_have_count(1)
    expect(two.element.locator("[data-kind=replayed]").filter(has_text="call_ended")).to_have_count(
        1
    )


def test_a_call_made_while_the_callee_was_away(console, pair, door):
    """It rings when the callee's phone is back."""
    _, two = console.phones(*pair, origin=door.origin)
    door.shut()
    expect(two.element.locator(".link")).to_contain_text("Connection lost")
    pair[0].call(pair[1])
    door.open()
    two.is_in_phase("incoming")
    two.press("accept")
    two.is_in_phase("connected")


def renew(phone, person) -> None:
    """Pastes something wrong and then a fresh token into the form of a login that has ended."""
    expect(phone.sign_in).to_contain_text(f"Paste a fresh token of {person.full_name}")
    phone.go_on_with("not a token")
    alert = phone.sign_in.get_by_role("alert")
    expect(alert).to_have_text("That is not a JWT with a user id in it.")
    phone.go_on_with(person.token)
    phone.is_in_state("online")
    expect(phone.sign_in).to_have_count(0)


@criterion("R9.5")
def test_a_login_that_has_ended(console, pair):
    """The phone asks for a fresh token and then rings."""
    caller, callee = pair
    console.keep_login(callee, tokens={callee.id: login(callee, ENDED)[0]})
    phone = Phone(console.open(), callee)
    phone.is_in_state("signed-out")
    console.picture("login-ended")
    console.has_no_barriers()
    caller.call(callee)
    renew(phone, callee)
    phone.is_in_phase("incoming")


def test_a_login_that_ends_during_a_call(console, pair):
    """Contract 10: with a fresh token the call goes on. The login that ends begins when all else is there, so that it
    may be short on a busy machine, too."""
    caller, callee = pair
    console.keep_login(*pair, tokens={caller.id: login(caller, ENDED)[0]})
    one, two = (Phone(console.open(), person) for person in pair)
    two.is_in_state("online")
    one.is_in_state("signed-out")
    two.press("video")
    one.go_on_with(login(caller, 20)[0])
    one.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")
    one.is_in_state("signed-out")
    renew(one, caller)
    one.is_in_phase("connected")
    assert caller.active()["status"] == "connected"


def test_a_login_that_is_renewed(console, people):
    """Contract 10: asked in time, the application gives a fresh token, and the socket stays open."""
    person = people.person()
    console.open()
    until = console.page.evaluate(
        """async ([short, long]) => {
          const { Chattrix } = await import("/console/chattrix.js");
          const given = { start: short, expiring: long };
          const client = new Chattrix({ getToken: (reason) => given[reason] ?? null });
          const renewed = new Promise((resolve) => client.on("authenticated", resolve));
          client.connect();
          const { authenticatedUntil } = await renewed;
          client.disconnect();
          return authenticatedUntil;
        }""",
        [login(person, 60)[0], person.token],
    )
    assert milliseconds(until) > (time.time() + 3000) * 1000


def test_a_login_that_is_not_renewed(console, people):
    """Contract 10: the server closes with 4401, and without another token nothing is tried again. The login begins
    when the page asks for it."""
    person = people.person()
    # Long enough for a machine that stands still before the page has connected with it.
    console.page.expose_function("login", lambda: login(person, 20)[0])
    console.open()
    states = console.page.evaluate(
        """async () => {
          const { Chattrix } = await import("/console/chattrix.js");
          const reasons = [];
          const client = new Chattrix({
            getToken: (reason) => (reasons.push(reason), reason === "start" ? login() : null),
          });
          const end = new Promise((resolve) =>
            client.on("state", (change) => change.state === "signed-out" && resolve(change)));
          client.connect();
          return [(await end).closeCode, reasons];
        }"""
    )
    assert states == [EXPIRED, ["start", "expiring", "expired"]]


def test_a_demo_goes_on(console, pair):
    """The demo's tokens are short-lived: before one ends the console takes the next from the stack."""
    given = []

    def answer(route) -> None:
        given.append(route)
        users = [
            {
                "id": each.id,
                "name": each.full_name,
                "token": login(each, 50 if len(given) == 1 else 600)[0],
            }
            for each in pair
        ]
        route.fulfill(json={"users": users})

    console.page.route("**/console/demo.json", answer)
    page = console.open()
    phones = [Phone(page, each) for each in pair]
    for phone, person in zip(phones, pair, strict=True):
        phone.is_in_state("online")
        expect(phone.logged("auth_expiring").first).to_be_visible()
        panel = phone.tab("login")
        expect(panel.locator("[data-fact='login.user']")).to_have_text(person.id)
    wait_until(lambda: len(given) >= 3, 45, message="another token for each")
    phones[0].press("audio")
    phones[1].press("accept")
    for phone in phones:
        phone.is_in_phase("connected")
        phone.is_in_state("online")
        expect(phone.sign_in).to_have_count(0)
