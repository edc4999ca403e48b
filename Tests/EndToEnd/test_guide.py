"""The guide in Chromium: the reference names all that the interface has, and no page has a barrier."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from description.documents import asyncapi, openapi
from support.browser import Console
from support.documents import documents
from support.stack import ROOT

pytestmark = pytest.mark.xdist_group("console")

# axe-core takes minutes for the whole reference, whose articles are alike.
SHORTENED = """document
  .querySelectorAll("article:nth-of-type(n + 2), details:nth-of-type(n + 2), tr:nth-of-type(n + 5)")
  .forEach((each) => each.remove())"""
PAGES = [name for name in documents() if name.endswith(".html")]


def shown(console: Console, name: str):
    page = console.open(f"/guide/{name}")
    expect(page.locator("[data-description]")).to_have_attribute("data-state", "shown")
    return page


def test_the_reference_names_every_route(opened):
    """Each method and path of openapi.json under a heading of its own, and every webhook."""
    page = shown(opened(), "api.html")
    listed = page.locator(".route").all_inner_texts()
    paths = openapi().content["paths"]
    prefix = openapi().content["servers"][0]["url"]
    wanted = {
        f"{method.upper()} {(item['servers'][0]['url'].rstrip('/') if 'servers' in item else prefix)}{path}"
        for path, item in paths.items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }
    assert len(listed) == len(wanted) and set(listed) == wanted
    webhooks = page.locator("[id^=webhook-] code").all_inner_texts()
    assert webhooks == list(openapi().content["webhooks"])


def test_the_reference_names_every_error_code(opened):
    """Those of the program's one table, each with its status."""
    table = (ROOT / "Sources/API/ErrorTable.swift").read_text()
    codes = {code: status for status, code in re.findall(r'(\d{3}), "([A-Z_]+)"', table)}
    assert len(codes) > 20
    page = shown(opened(), "api.html")
    rows = page.locator("#error-codes ~ .scroll tbody tr").all()
    listed = {
        row.locator("td").nth(0).inner_text(): row.locator("td").nth(1).inner_text() for row in rows
    }
    assert codes.keys() <= listed.keys()
    wrong = {
        code: listed[code]
        for code, status in codes.items()
        if status not in listed[code].split(", ")
    }
    # A handshake's refusal, and what any path answers: neither is an answer of an operation.
    assert wrong.keys() <= {"ORIGIN_NOT_ALLOWED", "METHOD_NOT_ALLOWED"}


def test_the_reference_names_every_event(opened):
    """Each type of frame that goes either way, on both paths."""
    page = shown(opened(), "signaling.html")
    listed = page.locator("[id^='ws-'] code").all_inner_texts()
    types = {
        message["payload"]["properties"]["type"]["const"]
        for message in asyncapi().content["components"]["messages"].values()
    }
    assert set(listed) == types
    assert len(page.locator("[id^='wschat-'] code").all_inner_texts()) == len(listed)


def test_the_reference_names_every_schema(opened):
    for name, description in [("api.html", openapi()), ("signaling.html", asyncapi())]:
        page = shown(opened(), name)
        identifiers = page.locator("[id^=schema-]").evaluate_all("all => all.map(({id}) => id)")
        schemas = description.content["components"]["schemas"]
        assert identifiers == [f"schema-{each}" for each in schemas]
        assert (
            page.locator("a[href^='#']").evaluate_all(
                "all => all.filter(({hash}) => !document.getElementById(hash.slice(1))).length"
            )
            == 0
        )
        assert "undefined" not in page.locator("main").inner_text()
        assert "[object" not in page.locator("main").inner_text()


# Both schemes where there is most to see: the styles are the same on all pages.
@pytest.mark.parametrize(
    ("name", "scheme"), [(name, "light") for name in PAGES] + [(name, "dark") for name in PAGES[:2]]
)
def test_pages_have_no_barriers(opened, name, scheme):
    """axe-core on each page, which fits a phone's width."""
    console = opened(color_scheme=scheme, viewport={"width": 390, "height": 844})
    page = console.open("/" + name.removeprefix("nginx/"))
    if page.locator("[data-description]").count():
        expect(page.locator("[data-description]")).to_have_attribute("data-state", "shown")
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(SHORTENED)
    console.has_no_barriers()
    assert fits, "the page is wider than the screen"


def test_the_app_guide_speaks_of_every_event():
    """A row for each type that a client may receive, and one for each webhook."""
    words = set(documents()["nginx/guide/apps.html"].words)
    received = {
        asyncapi().resolve(message)["payload"]["properties"]["type"]["const"]
        for operation in asyncapi().content["operations"].values()
        if operation["action"] == "send"
        for message in operation["messages"]
    }
    missing = {name for name in received | {"command_result", "heartbeat.ack"} if name not in words}
    assert not missing
    assert set(openapi().content["webhooks"]) <= words
