"""The console as people meet it: colours, widths, languages, keyboard, screen readers, its headers."""

from __future__ import annotations

import re
import subprocess

import pytest
import requests
from playwright.sync_api import expect

from support.browser import Console, Phone
from support.stack import ROOT, clean_environment, wait_until

pytestmark = pytest.mark.xdist_group("console")


# Whether an element has room for what is in it, and is what is seen at its left, in its middle and at its right.
IS_READABLE = """(element) => {
  scrollTo(0, 0);
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return element.scrollWidth <= element.clientWidth + 2 && [left + 3, (left + right) / 2, right - 3].every(
    (x) => element.contains(document.elementFromPoint(x, (top + bottom) / 2)));
}"""


def background(console: Console) -> str:
    return console.page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("device", "options"),
    [
        ("desktop", {"viewport": {"width": 1240, "height": 1180}}),
        (
            "phone",
            {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
        ),
    ],
)
def test_colours_and_widths(opened, people, scheme, device, options):
    """Every state of a call in both schemes, on a desk and on a phone: axe-core finds no barrier."""
    pair = people.person(full_name="Mai Nguyễn"), people.person(full_name="Ben Example")
    people.befriend(*pair)
    console = opened(color_scheme=scheme, **options)
    one, two = console.phones(*pair)
    for state, act in [
        ("idle", lambda: None),
        ("incoming", lambda: one.press("video")),
        ("connected", lambda: two.press("accept")),
        ("ended", lambda: one.press("end")),
    ]:
        act()
        two.is_in_phase("idle" if state == "ended" else state)
        if state == "connected":
            one.is_in_phase(state)
            expect(one.element.locator(".quality-facts")).to_contain_text("ms")
        console.picture(f"{device}-{scheme}-{state}")
        console.has_no_barriers()
    fits = console.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert fits, "the page is wider than the screen"
    for part in one.element.locator(".phone-head > *").all():
        assert part.evaluate(IS_READABLE), part.inner_text()


def test_a_scheme_can_be_chosen(opened):
    console = opened(color_scheme="light")
    console.open("/console/ops/")
    light = background(console)
    console.page.get_by_label("Colours").select_option("dark")
    wait_until(lambda: background(console) != light, 45, message="another colour")
    console.page.reload()
    expect(console.page.get_by_label("Colours")).to_have_value("dark")
    assert background(console) != light


def test_vietnamese(opened, pair):
    """Of the browser's languages; another one changes all words at once, and is kept."""
    console = opened(locale="vi-VN")
    one, two = console.phones(*pair)
    one.says(f"Gọi {pair[1].full_name}")
    one.press("video")
    two.says(f"{pair[0].full_name} đang gọi")
    two.tab("history")
    two.tab("statistics")
    console.picture("vietnamese")
    console.has_no_barriers()
    console.page.get_by_label("Ngôn ngữ").select_option("en")
    two.says(f"{pair[0].full_name} is calling")
    expect(two.element.locator("[data-tab=history]")).to_have_text("History")
    assert console.page.evaluate("document.documentElement.lang") == "en"
    console.page.reload()
    two.says(f"{pair[0].full_name} is calling")


def test_by_keyboard(opened, pair):
    """A call without a mouse: the focus goes on to what can be done next; tabs move by arrows."""
    console = opened()
    one, two = console.phones(*pair)
    one.button("audio").focus()
    console.page.keyboard.press("Enter")
    one.is_in_phase("ringing")
    expect(one.button("end")).to_be_focused()
    two.button("accept").focus()
    console.page.keyboard.press("Space")
    two.is_in_phase("connected")
    one.element.locator("[data-tab=activity]").focus()
    console.page.keyboard.press("ArrowRight")
    expect(one.element.locator("[data-tab=history]")).to_be_focused()
    expect(one.element.locator("[data-tab=history]")).to_have_attribute("aria-selected", "true")
    console.page.keyboard.press("End")
    expect(one.element.locator("[role=tabpanel][id$=-login]")).to_be_visible()


def test_it_rings_aloud(opened, pair):
    """Tones by Web Audio for as long as it rings, unless they are switched off."""
    console = opened()
    console.context.add_init_script(
        """globalThis.tones = [];
        globalThis.OscillatorNode = class extends OscillatorNode {
          start(...when) { tones.push(this.context.state); super.start(...when); }
        };"""
    )
    one, two = console.phones(*pair)
    one.press("audio")
    two.is_in_phase("incoming")
    tones = "tones.filter((state) => state === 'running').length"
    wait_until(lambda: console.page.evaluate(tones) >= 4, 45, message="two rings of two tones")
    console.page.get_by_label("Ring aloud").uncheck()
    one.press("end")
    two.is_in_phase("idle")
    console.page.evaluate("tones.length = 0")
    one.press("audio")
    two.is_in_phase("incoming")
    wait_until(lambda: pair[0].full_name in console.page.title(), 45, message="a title that rings")
    assert console.page.evaluate("tones.length") == 0


def test_signing_in_and_out(opened, people):
    """A token in a field, the user's name from its claims; signed out, the field is back."""
    person = people.person()
    console = opened()
    page = console.open()
    Phone(page, "alice").element.get_by_role("button", name="Sign out").click()
    form = page.locator(".sign-in").first
    console.picture("sign-in")
    console.has_no_barriers()
    form.get_by_label("Token (JWT)").fill(f" {person.token}\n")
    form.get_by_role("button", name="Sign in").click()
    phone = Phone(page, person)
    phone.is_in_state("online")
    login = phone.tab("login")
    expect(login.locator("[data-fact='login.user']")).to_have_text(person.id)
    expect(login.locator("[data-fact='login.expires']")).to_contain_text("(in ")
    page.reload()
    phone.is_in_state("online")
    assert person.token not in page.content()


def test_an_operators_view(opened, people):
    """Figures of both programs, moving: a call that is made is one more live call."""
    console = opened(color_scheme="dark")
    page = console.open("/console/ops/")
    value = page.locator("[data-figure='ops.live'] .value")
    expect(value).to_have_text(re.compile(r"\d+"))
    expect(page.locator("[data-store=mysql]")).to_have_text("MySQL answers")
    expect(page.locator("[data-figure='ops.workers'] .value")).to_have_text(re.compile(r"[1-9]\d*"))
    calls = [people.connected() for _ in range(2)]
    expect(page.locator("[data-figure='ops.rate'] .value")).to_have_text(re.compile("/s"))
    expect(value).to_have_text(re.compile(r"[1-9]"))
    expect(page.locator("[data-figure='ops.live'] .chart")).to_have_attribute(
        "aria-label", re.compile("Live calls of the last minutes, now")
    )
    line = page.locator("[data-figure='ops.rate'] .chart-line")
    expect(line).to_have_attribute("d", re.compile("(L.*){4}"))
    console.picture("operator")
    console.has_no_barriers()
    assert len(calls) == 2


def test_an_operators_view_has_webhooks_where_there_are_some(opened):
    """Where the program runs; what is late is marked."""
    console = opened()
    lines = "chattrix_webhooks_pending 7\nchattrix_webhook_lag_seconds 61.5\n"
    console.page.route(
        re.compile(r":\d+/metrics$"),
        lambda route: route.fulfill(body=requests_text(console, route.request.url) + lines),
    )
    page = console.open("/console/ops/")
    card = page.locator("[data-figure='ops.webhooks']")
    expect(card.locator(".value")).to_have_text("7")
    expect(card).to_have_class(re.compile("bad"))
    expect(card.locator(".note")).to_have_text("61,500 ms late · 0 given up")


def requests_text(console: Console, url: str) -> str:
    return requests.get(url, verify=console.stack["CA_FILE"], timeout=20).text


@pytest.mark.parametrize(
    "path", ["/console/", "/console/main.js", "/console/base.css", "/console/ops/"]
)
def test_headers(stack, path):
    """Nothing from elsewhere, nothing inline, in no frame; and each has its type."""
    response = requests.get(
        stack["OPS_URL"].rstrip("/") + path, verify=stack["CA_FILE"], timeout=20
    )
    assert response.status_code == 200
    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    kind = {"js": "text/javascript", "css": "text/css"}.get(path.rpartition(".")[2], "text/html")
    assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_the_demos_sign_in_is_no_part_of_an_installation(tmp_path):
    """`make install` brings the pages, and no address of a demo's tokens."""
    subprocess.run(
        [
            "make",
            "-C",
            str(ROOT),
            "-o",
            "build",
            "install",
            f"DESTDIR={tmp_path}",
            "PREFIX=/opt/calls",
        ],
        env=clean_environment(),
        check=True,
        capture_output=True,
        timeout=120,
    )
    installed = tmp_path / "opt/calls/share/chattrix/console"
    for name in ["index.html", "main.js", "chattrix.js", "ops/index.html"]:
        assert (installed / name).read_bytes() == (ROOT / "nginx/console" / name).read_bytes()
    texts = "".join(path.read_text() for path in (tmp_path / "etc/nginx").rglob("*.conf"))
    assert "root /opt/calls/share/chattrix;" in texts
    assert "demo" not in texts


def test_the_demos_sign_in_is_for_loopback_only(stack):
    """Short-lived tokens of the demo users, for nobody but this host, and kept by nobody."""
    host = (stack.directory / "nginx/chattrix/host.conf").read_text()
    place = host[host.index("location = /console/demo.json") :]
    assert "include chattrix/loopback.conf;" in place[: place.index("}")]
    response = requests.get(
        stack["OPS_URL"].rstrip("/") + "/console/demo.json", verify=stack["CA_FILE"], timeout=20
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert [user["id"] for user in response.json()["users"]] == ["alice", "bob"]


def test_agoras_sdk_where_the_server_has_it(opened, pair):
    """It joins the call's channel as the token has it, reports what it measures, and takes new tokens."""
    console = opened()
    sdk = (ROOT / "Tests/EndToEnd/support/agora-sdk.js").read_text()
    console.page.route(
        "**/console/agora-rtc-sdk.js",
        lambda route: route.fulfill(body=sdk, content_type="text/javascript"),
    )
    one, two = console.phones(*pair)
    one.press("video")
    two.press("accept")
    for phone in (one, two):
        expect(phone.element.locator(".media")).to_contain_text("In Agora's channel as")
        expect(phone.element.locator(".quality-facts")).to_have_text("poor · 77 ms, 2.5 % lost")
    call = pair[0].active()
    joined = console.page.evaluate("AgoraRTC.joined")
    assert {(appId, channel) for appId, channel, *_ in joined} == {
        (console.stack["AGORA_APP_ID"], call["channelId"])
    }
    assert all(token.startswith("007") and uid > 0 for _, _, token, uid in joined)
    one.press("end")
    two.is_in_phase("idle")
    wait_until(lambda: console.page.evaluate("AgoraRTC.left") == 2, 45, message="both have left")
