"""The console as people meet it: colours, widths, languages, keyboard, screen readers, its headers."""

from __future__ import annotations

import contextlib
import re
import subprocess

import pytest
import requests
from playwright.sync_api import expect

from support.browser import Console, Phone
from support.stack import ROOT, SERVER, clean_environment, wait_until

pytestmark = pytest.mark.xdist_group("console-pages")


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
    # It is shown once its state has come; before, the focus would go past it.
    expect(one.button("availability")).to_be_visible()
    console.page.keyboard.press("Tab")
    expect(console.page.get_by_role("link", name="Skip to the phones")).to_be_focused()
    console.page.keyboard.press("Enter")
    console.page.keyboard.press("Tab")
    expect(one.button("availability")).to_be_focused()
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_installed_service(opened, pair, scheme):
    """Without the demo's sign-in there are two phones without a user; with a JWT in each they call each other."""
    console = opened(color_scheme=scheme)
    console.page.route("**/console/demo.json", lambda route: route.fulfill(status=404, body="{}"))
    page = console.open()
    forms = page.locator(".sign-in")
    expect(forms).to_have_count(2)
    console.picture(f"installed-{scheme}")
    console.has_no_barriers()
    for left, person in ((2, pair[0]), (1, pair[1])):
        # That of the first is the second's only once the first is signed in.
        expect(forms).to_have_count(left)
        form = forms.first
        form.get_by_label("Token (JWT)").fill(person.token)
        form.get_by_label("Name to show").fill(person.full_name)
        form.get_by_role("button", name="Sign in").click()
    one, two = [Phone(page, person) for person in pair]
    one.press("audio")
    two.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")


def test_the_operators_view_is_offered_on_the_host_itself(opened):
    """From elsewhere there is nothing at that address (contract 1), so there is no link to it."""
    console = opened()
    link = console.page.get_by_role("link", name="Operator's view")
    console.open()
    expect(link).to_be_visible()

    def answer(route) -> None:
        path = route.request.url.split("calls.example/", 1)[1] or "console/"
        file = ROOT / "nginx" / (path + "index.html" if path.endswith("/") else path)
        if file.is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(status=404, body="{}")

    console.page.route("https://calls.example/**", answer)
    console.open(origin="https://calls.example")
    expect(console.page.locator(".sign-in")).to_have_count(2)
    expect(link).to_be_hidden()


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
    apache = tmp_path / "opt/calls/share/chattrix/apache"
    assert (
        "SHARE          /opt/calls/share/chattrix\n" in (apache / "chattrix/host.conf").read_text()
    )
    assert "demo" not in "".join(path.read_text() for path in apache.rglob("*.conf"))


def test_the_demos_sign_in_is_for_loopback_only(stack):
    """Short-lived tokens of the demo users, for nobody but this host, and kept by nobody."""
    if SERVER == "nginx":
        host = (stack.directory / "nginx/chattrix/host.conf").read_text()
        place = host[host.index("location = /console/demo.json") :]
        assert "include chattrix/loopback.conf;" in place[: place.index("}")]
    else:
        demo = (stack.directory / "apache/chattrix/demo.conf").read_text()
        assert demo.startswith("RewriteCond %{REMOTE_ADDR} !^(127\\.|::1$)\n")
        assert demo.splitlines()[1] == r"RewriteRule ^/console/demo\.json$ - [R=404,L]"
    response = requests.get(
        stack["OPS_URL"].rstrip("/") + "/console/demo.json", verify=stack["CA_FILE"], timeout=20
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert [user["id"] for user in response.json()["users"]] == ["alice", "bob"]


# 1240 px at 200 % (WCAG 2.2, 1.4.4) and 1280 px at 400 % (1.4.10).
@pytest.mark.parametrize(("zoom", "width"), [(2, 620), (4, 320)])
def test_zoomed(opened, people, zoom, width):
    """Nothing is cut off, covered or beyond the edge."""
    pair = people.person(full_name="Mai Nguyễn"), people.person(full_name="Ben Example")
    people.befriend(*pair)
    console = opened(viewport={"width": width, "height": 1180 // zoom}, device_scale_factor=zoom)
    one, two = console.phones(*pair)
    for act, phase in [
        (None, "idle"),
        ((one, "video"), "incoming"),
        ((two, "accept"), "connected"),
    ]:
        if act:
            act[0].press(act[1])
        two.is_in_phase(phase)
        everything_fits(console)
    for name in ["history", "statistics", "login"]:
        one.tab(name)
        everything_fits(console)
    console.picture(f"zoom-{zoom}00")
    console.has_no_barriers()
    console.open("/console/ops/")
    expect(console.page.locator("[data-figure='ops.live'] .value")).to_have_text(re.compile(r"\d"))
    everything_fits(console)


@pytest.mark.parametrize("width", [1240, 390])
def test_letters_of_twice_the_size(opened, people, width):
    """The reader's own size of text (WCAG 2.2, 1.4.4): the page grows with it."""
    pair = people.person(full_name="Mai Nguyễn"), people.person(full_name="Ben Example")
    people.befriend(*pair)
    console = opened(viewport={"width": width, "height": 1180})
    one, two = console.phones(*pair)
    small = one.headline.evaluate("(element) => parseFloat(getComputedStyle(element).fontSize)")
    console.page.evaluate("document.documentElement.style.fontSize = '200%'")
    large = one.headline.evaluate("(element) => parseFloat(getComputedStyle(element).fontSize)")
    assert large == pytest.approx(2 * small)
    one.press("video")
    two.is_in_phase("incoming")
    everything_fits(console)
    two.press("accept")
    two.is_in_phase("connected")
    for name in ["history", "statistics", "login"]:
        one.tab(name)
        everything_fits(console)
    console.picture(f"letters-{width}")


def everything_fits(console: Console) -> None:
    """The page scrolls downwards only, and no control or heading is narrower than its words."""
    # What has just been shown may be on its way to its place, and what is to be in it may come later.
    narrow = "document.documentElement.scrollWidth <= innerWidth"
    wait_until(lambda: console.page.evaluate(narrow), 45, 0.1, "no scrolling sideways")
    beyond = """() => [...document.body.querySelectorAll("*")]
      .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 1
        && !each.closest(".tabs, pre, .unseen"))
      .map((each) => each.outerHTML.slice(0, 200))"""
    cut = """() => [...document.querySelectorAll("button, h1, h2, h3, .headline, .subline, .value, dt, dd, label")]
      .filter((each) => each.checkVisibility() && !each.matches(".unseen") && each.scrollWidth > each.clientWidth + 2
        && getComputedStyle(each).display !== "inline")
      .map((each) => each.outerHTML.slice(0, 200))"""
    for misplaced in (beyond, cut):
        found: list[str] = []

        def is_in_place(look: str = misplaced, seen: list[str] = found) -> bool:
            seen[:] = console.page.evaluate(look)
            return not seen

        with contextlib.suppress(AssertionError):
            wait_until(is_in_place, 20, 0.1)
        assert not found


def test_reduced_motion(opened, pair):
    """Nothing pulses or slides for those who have asked for less of it."""
    running = "document.getAnimations().length"
    for motion, moves in [("no-preference", True), ("reduce", False)]:
        console = opened(reduced_motion=motion)
        one, two = console.phones(*pair)
        one.press("video")
        two.is_in_phase("incoming")
        wait_until(lambda m=moves: (console.page.evaluate(running) > 0) == m, 45, message=motion)
        one.press("end")
        two.is_in_phase("idle")
        console.context.close()


def test_a_call_comes_to_where_the_reader_is(opened, pair):
    """On a phone the two are one above the other: the incoming call is in sight, and is answered there."""
    console = opened(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    one, two = console.phones(*pair)
    top = console.page.evaluate("scrollY")
    one.button("video").tap()
    two.is_in_phase("incoming")
    expect(two.button("accept")).to_be_in_viewport(ratio=1)
    expect(two.stage.locator(".owner")).to_have_text(f"Phone of {pair[1].full_name}")
    console.has_no_barriers()
    console.picture("phone-sheet", whole=False)
    assert console.page.evaluate("scrollY") == top
    two.button("accept").tap()
    for phone in (one, two):
        phone.is_in_phase("connected")
    one.press("end")
    two.element.scroll_into_view_if_needed()
    two.tab("history").scroll_into_view_if_needed()
    two.is_in_phase("idle")
    two.button("audio").tap()
    one.is_in_phase("incoming")
    expect(one.button("reject")).to_be_in_viewport(ratio=1)
    one.button("reject").tap()
    two.says(f"{pair[0].full_name} declined")
