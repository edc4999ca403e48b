"""A newcomer's two clicks on the console of a stack that was just started: call, accept."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from playwright.sync_api import sync_playwright

from support.browser import Phone, launch


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto(address)
        alice, bob = Phone(page, "alice"), Phone(page, "bob")
        alice.press("video")
        bob.press("accept")
        for phone in (alice, bob):
            phone.is_in_phase("connected")
        browser.close()


main(sys.argv[1])
