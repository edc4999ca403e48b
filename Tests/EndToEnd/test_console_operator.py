"""The operator's view: the metrics of this host as charts that move."""

from __future__ import annotations

import re

import pytest
import requests
from playwright.sync_api import expect

from support.browser import Console

pytestmark = pytest.mark.xdist_group("console-pages")


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
