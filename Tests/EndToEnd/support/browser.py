"""The console in Chromium: its pages, the phones on them, and a door whose connections can be cut.

The tests of the console are two xdist groups, each with one browser; each test has a context of its own.
What a page reports as an error is a failure of the test.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Playwright, Request, expect

from support.people import Person
from support.stack import Stack, wait_until

# Beside 1,800 other tests on two cores a page may take long; nothing waits for that long otherwise.
SECONDS = 45
PROGRAMS = ["chromium", "chromium-browser", "google-chrome"]
# A refused request, or a socket that a test has cut, is what the test is about.
EXPECTED = re.compile(r"Failed to load resource|WebSocket connection to")
# Chromium ends what it is loading when an interface of the machine comes, goes or has another address, as those of
# test_two_hosts do: what it ended so during a test.
ENDED_BY_NETWORK: list[str] = []
# Best practices and WCAG 2.2 AA.
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

# Keeps every text that elements on a phone have had, by phone and selector: what a phone shows for some seconds only may
# be over when a test on a busy machine looks.
KEEPS_TEXTS = """(selectors) => {
  globalThis.texts = [];
  const seen = new Set();
  const look = () => {
    for (const selector of selectors)
      for (const element of document.querySelectorAll(selector)) {
        const entry = [element.closest("[data-user]")?.dataset.user, selector, element.textContent];
        if (seen.size < seen.add(JSON.stringify(entry)).size) texts.push(entry);
      }
  };
  new MutationObserver(look).observe(document, {
    attributes: true, characterData: true, childList: true, subtree: true,
  });
}"""

expect.set_options(timeout=SECONDS * 1000)


def program() -> str:
    """Where Chromium is; the test is skipped where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip("there is no Chromium here (CHROMIUM names one)")
    return found


def launch(playwright: Playwright) -> Browser:
    # As root there is no sandbox to be had.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(
        executable_path=program(), args=[*arguments, "--autoplay-policy=no-user-gesture-required"]
    )


def failed(request: Request) -> None:
    if "ERR_NETWORK_CHANGED" in (request.failure or ""):
        ENDED_BY_NETWORK.append(request.url)


class Console:
    """One reader's browser, on the console of a stack."""

    def __init__(self, browser: Browser, stack: Stack, **options):
        self.stack = stack
        options.setdefault("viewport", {"width": 1240, "height": 1180})
        options.setdefault("locale", "en-GB")
        self.context = browser.new_context(ignore_https_errors=True, **options)
        self.context.set_default_timeout(SECONDS * 1000)
        self.context.on("requestfailed", failed)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self.noted)

    def noted(self, message) -> None:
        if message.type == "error" and not EXPECTED.search(message.text):
            self.faults.append(message.text)

    def keep_login(self, *people: Person, tokens: dict[str, str] | None = None) -> None:
        """Signs people in, one a phone, as a tab has them that was reloaded."""
        kept = [
            {"userId": person.id, "name": person.full_name, "token": token}
            for person in people
            for token in [(tokens or {}).get(person.id, person.token)]
        ]
        self.context.add_init_script(
            f"""const kept = {kept!r};
            if (location.pathname.startsWith("/console") && !sessionStorage.length)
              kept.forEach((each, index) =>
                sessionStorage.setItem(`chattrix.phone.${{index}}`, JSON.stringify(each)));"""
        )

    def keep_texts(self, *selectors: str) -> None:
        """From the next page on, for `Phone.has_shown`."""
        self.context.add_init_script(f"({KEEPS_TEXTS})({list(selectors)!r})")

    def open(self, path: str = "/console/", origin: str | None = None) -> Page:
        self.page.goto((origin or self.stack["OPS_URL"].rstrip("/")) + path)
        return self.page

    def phones(self, *people: Person, origin: str | None = None, **options) -> list[Phone]:
        """Opens the console with these people signed in, once all of them are connected."""
        self.keep_login(*people, **options)
        self.open(origin=origin)
        phones = [Phone(self.page, person) for person in people]
        for phone in phones:
            phone.is_in_state("online")
        return phones

    def picture(self, name: str, whole: bool = True) -> None:
        """Keeps a screenshot beside the stack's logs, of the whole page or of what is in sight."""
        folder = Path(self.stack.directory) / "screenshots"
        folder.mkdir(exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", full_page=whole, animations="disabled")

    def has_no_barriers(self) -> None:
        """axe-core finds nothing on the page as it is."""
        # A transition's halves have half the contrast.
        self.page.emulate_media(reduced_motion="reduce")
        results = Axe().run(self.page, options=AXE)
        assert results.violations_count == 0, results.generate_report()


class Phone:
    """One phone on the page."""

    def __init__(self, page: Page, person: Person | str):
        identity = person if isinstance(person, str) else person.id
        self.page, self.identity = page, identity
        self.element = page.locator(f"[data-user='{identity}']")
        self.stage = self.element.locator(".stage")
        self.headline = self.element.locator(".headline")
        self.notice = self.stage.locator(".notice")
        self.sign_in = self.element.locator(".sign-in")

    def button(self, name: str) -> Locator:
        return self.element.locator(f"[data-action={name}]")

    def press(self, name: str) -> None:
        self.button(name).click()

    def go_on_with(self, token: str) -> None:
        """Pastes a token into the form of a login that has ended."""
        self.sign_in.get_by_label("Token (JWT)").fill(token)
        self.sign_in.get_by_role("button", name="Go on with this token").click()

    def is_in_state(self, state: str) -> None:
        """Of the connection."""
        expect(self.element).to_have_attribute("data-state", state)

    def is_in_phase(self, phase: str) -> None:
        """Of the call."""
        expect(self.stage).to_have_attribute("data-phase", phase)

    def says(self, words: str | re.Pattern) -> None:
        expect(self.headline).to_have_text(words)

    def has_shown(self, selector: str, words: str | re.Pattern = "") -> None:
        """At some time since the page was opened (`Console.keep_texts`)."""
        pattern = re.compile(words)

        def shown() -> bool:
            return any(
                (user, where) == (self.identity, selector) and pattern.search(text)
                for user, where, text in self.page.evaluate("texts")
            )

        wait_until(shown, SECONDS, 0.1, f"{selector} with {words!r}")

    def tab(self, name: str) -> Locator:
        """Opens a tab and gives its panel."""
        self.element.locator(f"[data-tab={name}]").click()
        return self.element.locator(f"[role=tabpanel][id$=-{name}]")

    def logged(self, title: str) -> Locator:
        """The entries of the activity about one thing."""
        return self.element.locator(".log li").filter(has_text=title)


class Door:
    """A port in front of nginx, which a page takes for the server: its connections can be cut."""

    def __init__(self, stack: Stack):
        self.target = ("127.0.0.1", int(stack["OPS_URL"].rstrip("/").rsplit(":", 1)[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"https://localhost:{self.listener.getsockname()[1]}"
        self.is_shut = False
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        # Of both, so that nothing that is just being let in is overlooked.
        self.lock = threading.Lock()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                inside, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.is_shut:
                    inside.close()
                    continue
                outside = socket.create_connection(self.target)
                self.pairs.append((inside, outside))
            for pair in [(inside, outside), (outside, inside)]:
                threading.Thread(target=self.copy, args=pair, daemon=True).start()

    @staticmethod
    def copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def shut(self) -> None:
        """Cuts what goes through, and lets nothing through any more."""
        with self.lock:
            self.is_shut = True
            for pair in self.pairs:
                for end in pair:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            self.pairs.clear()

    def open(self) -> None:
        self.is_shut = False

    def close(self) -> None:
        self.shut()
        self.listener.close()
