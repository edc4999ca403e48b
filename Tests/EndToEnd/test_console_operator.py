"""The operator's view: the metrics of this host as charts that move."""

from __future__ import annotations

import re

import pytest
import requests
from playwright.sync_api import expect

from support.browser import Console
from support.stack import wait_until

pytestmark = pytest.mark.xdist_group("console-pages")


@pytest.mark.parametrize(
    ("scheme", "device", "size"),
    [
        ("dark", "desktop", (1240, 700)),
        ("light", "desktop", (1240, 700)),
        ("light", "phone", (390, 844)),
    ],
)
def test_an_operators_view(opened, people, scheme, device, size):
    """Figures of both programs, moving: a call that is made is one more live call."""
    console = opened(color_scheme=scheme, viewport={"width": size[0], "height": size[1]})
    # A minute of readings without waiting for it.
    console.page.clock.install()
    page = console.open("/console/ops/")
    value = page.locator("[data-figure='ops.live'] .value")
    page.clock.run_for(1000)
    expect(value).to_have_text(re.compile(r"\d+"))
    expect(page.locator("[data-store=mysql]")).to_have_text("MySQL answers")
    expect(page.locator("[data-figure='ops.workers'] .value")).to_have_text(re.compile(r"[1-9]\d*"))
    line = page.locator("[data-figure='ops.rate'] .chart-line")
    callees = [people.person() for _ in range(3)]
    sockets = [callee.socket() for callee in callees]
    for second in range(40):
        if second % 8 == 3:
            people.connected()
            caller = people.friend_of(callees[0])
            caller.end(caller.call(callees[0])["callId"])
        page.clock.run_for(1000)
        page.wait_for_timeout(50)
    expect(page.locator("[data-figure='ops.rate'] .value")).to_have_text(re.compile("/s"))
    expect(value).to_have_text(re.compile(r"[1-9]"))
    expect(page.locator("[data-figure='ops.live'] .chart")).to_have_attribute(
        "aria-label", re.compile("Live calls of the last minutes, now")
    )
    expect(line).to_have_attribute("d", re.compile("(L.*){20}"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    console.picture(f"operator-{device}-{scheme}")
    console.has_no_barriers()
    expect(page.locator("[data-figure='ops.age'] .value")).to_have_text(re.compile(" ms$"))
    assert len(sockets[0].take("call_ended")["data"]["callId"]) == 36


def test_an_operators_view_of_a_host_that_does_not_answer(opened):
    """It says what is silent, and goes on when it answers again; paused, it asks for nothing."""
    console = opened()
    page = console.open("/console/ops/")
    updated = page.locator("#updated")
    expect(updated).to_contain_text("As of")
    page.route("**/metrics", lambda route: route.abort())
    fault = page.get_by_role("alert")
    expect(fault).to_have_text("No answer from /metrics.")
    console.picture("operator-silent")
    console.has_no_barriers()
    page.unroute("**/metrics")
    expect(fault).to_be_hidden()
    sockets = page.locator("[data-figure='ops.sockets'] .value")
    expect(sockets).to_have_text(re.compile(r"\d+"))
    # While nothing is answered nothing moves, whatever other tests open.
    page.route("**/metrics", lambda route: route.abort())
    expect(fault).to_have_text("No answer from /metrics.")
    before = sockets.text_content()
    page.route("**/metrics", lambda route: route.fulfill(body="chattrix_signaling_up 0\n"))
    expect(fault).to_have_text("The WebSocket server does not answer.")
    assert re.fullmatch(r"\d+", before) and sockets.text_content() == before
    page.unroute("**/metrics")
    expect(fault).to_be_hidden()
    page.get_by_label("Pause").check()
    asked = []
    page.on("request", lambda request: asked.append(request))
    page.wait_for_timeout(2_500)
    assert len(asked) <= 2, "those that were under way"


def test_a_second_without_requests_is_a_gap(opened):
    """The charts have one time axis: where nothing was measured the line is interrupted, not joined."""
    console = opened()
    console.page.clock.install()
    counts = [10, 20, 20, 30, 40]

    def answer(route) -> None:
        route.fulfill(body=buckets(counts.pop(0) if counts else 40))

    console.page.route(re.compile(r"/metrics$"), answer)
    page = console.open("/console/ops/")
    line = page.locator("[data-figure='ops.p95'] .chart-line")
    page.clock.pause_at(page.evaluate("Date.now()") + 60_000)

    def advanced() -> bool:
        page.clock.run_for(1000)
        page.wait_for_timeout(50)
        return not counts

    wait_until(advanced, 45, message="five readings")
    expect(line).to_have_attribute("d", re.compile(r"^(M[^M]+){2}$"))


def buckets(count: int) -> str:
    name = "chattrix_request_duration_seconds_bucket"
    return "".join(f'{name}{{le="{bound}"}} {count}\n' for bound in ["0.1", "+Inf"])


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
