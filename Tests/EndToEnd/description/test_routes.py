"""Every route is described and nothing else: against the router's table, and against the server."""

from __future__ import annotations

import re

import pytest

from description.documents import openapi
from description.responses import METHODS
from support import expect, routes
from support import people as client
from support.stack import ROOT

OWN_TAGS = {"Operations", "Description", "Notifications"}


def described() -> set[tuple[str, str]]:
    """(method, path) of what the workers' router answers."""
    return {
        (method.upper(), path)
        for path, item in openapi().content["paths"].items()
        for method in METHODS & item.keys()
        if not OWN_TAGS & set(item[method]["tags"])
    }


def test_the_router_knows_the_same():
    """Sources/API/Routes.swift lists these routes and no others."""
    source = (ROOT / "Sources/API/Routes.swift").read_text()
    table = re.findall(r'Route\(\s*\.(\w+), "([^"]+)"', source)
    assert len(table) == source.count("Route(")
    assert {(method.upper(), "/" + path) for method, path in table} == described()


def test_the_contract_knows_the_same():
    wanted = {(method, path.replace("{id}", "{callId}")) for method, path, _ in routes.ROUTES}
    assert wanted == described()


@pytest.mark.parametrize("path", sorted({path for _, path in described()}))
def test_the_server_has_these_methods(stack, path):
    """`Allow` is what is described, and each of these methods asks for a JWT."""
    url = path.replace("{callId}", "00000000-0000-7000-8000-000000000000")
    methods = {m for m, other in described() if other == path}
    response = client.send(stack, "DELETE" if "PUT" in methods else "PUT", url)
    expect.refused(response, 405, "METHOD_NOT_ALLOWED")
    allowed = {name.strip() for name in response.headers["Allow"].split(",")}
    assert allowed - {"HEAD", "OPTIONS"} == methods
    for method in allowed - {"OPTIONS"}:
        assert client.send(stack, method, url).status_code == 401, method


def test_operations_answer(stack):
    """What is outside of /api/v1 is there too, without a JWT."""
    origin = stack["OPS_URL"].rstrip("/")
    for path, item in openapi().content["paths"].items():
        if "Operations" in item.get("get", {}).get("tags", []):
            assert client.send(stack, "GET", origin + path).status_code == 200, path
            assert client.send(stack, "POST", origin + path).status_code == 405, path
