"""A host that redirects from http, believes a balancer, and whose limits per address are within reach
(contract §1, §3, §6.1). The balancer is the test: every request may name the address that it comes from."""

from __future__ import annotations

import json
import socket
import uuid

import pytest

from support.logs import access_line, settle, texts
from support.raw import dial, exchange, parsed, status
from support.silence import upgrade
from support.variants import variant

pytestmark = variant("fronted")
FAR = 200  # more requests than any of the limits allows


def asked(
    stack, address: str | None, path: str = "/api/v1/calls/active", host: str = "localhost"
) -> tuple:
    """Status, header fields and body of a GET from this address."""
    via = "" if address is None else f"X-Forwarded-For: {address}\r\n"
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{via}Connection: close\r\n\r\n"
    return parsed(exchange(stack, request.encode()))


def clear(stack, request: str) -> tuple:
    """The answer to bytes in clear, at the port that redirects."""
    with socket.create_connection(("127.0.0.1", int(stack["STACK_HTTP_PORT"])), 30) as connection:
        connection.sendall(request.encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return parsed(answer)


def until_refused(ask) -> tuple:
    """How many were let through before the first 429, and that one."""
    for count in range(FAR):
        answer = ask()
        if answer[0] == 429:
            return count, answer
    raise AssertionError(f"{FAR} requests were let through")


def is_rate_limit(answer: tuple) -> None:
    """R10.4, R10.5, R12: the envelope, and when to come back."""
    code, headers, body = answer
    refusal = json.loads(body)
    assert code == 429 and refusal["success"] is False
    assert refusal["error"]["code"] == "RATE_LIMIT_EXCEEDED" and refusal["error"]["message"]
    assert refusal["requestId"] == headers["x-request-id"]
    assert headers["content-type"] == "application/json"
    assert int(headers["retry-after"]) >= 1


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_from_http_to_https(stack, method):
    """308: the same request again, over TLS; nothing may keep the answer, and HSTS is not for clear text."""
    token = uuid.uuid4().hex
    code, headers, _ = clear(
        stack,
        f"{method} /api/v1/calls/active?token={token} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n",
    )
    assert code == 308
    assert headers["location"] == f"{stack.api_url}/calls/active?token={token}"
    assert headers["cache-control"] == "no-store" and "strict-transport-security" not in headers
    line = access_line(stack, headers["x-request-id"])
    assert line["path"] == "/api/v1/calls/active" and line["status"] == 308
    assert not [path for path, text in texts(stack).items() if token in text]


def test_only_the_own_name_is_redirected(stack):
    code, headers, body = clear(
        stack, "GET /x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    )
    assert code == 421 and json.loads(body)["error"]["code"] == "MISDIRECTED_REQUEST"
    assert "location" not in headers


@pytest.mark.nginx("Apache limits neither the requests nor the sockets of an address")
def test_requests_of_one_address(stack):
    """Beyond rate and burst 429, while others are served."""
    count, refusal = until_refused(lambda: asked(stack, "203.0.113.1"))
    assert count >= 20
    is_rate_limit(refusal)
    assert asked(stack, "203.0.113.2")[0] == 401


@pytest.mark.nginx("Apache limits neither the requests nor the sockets of an address")
def test_an_ipv6_network_counts_as_one(stack):
    """A client chooses its address within 64 bits."""
    addresses = (f"2001:db8:0:1::{number:x}" for number in range(1, FAR + 1))
    count, refusal = until_refused(lambda: asked(stack, next(addresses)))
    assert count >= 20
    is_rate_limit(refusal)
    assert asked(stack, "2001:db8:0:2::1")[0] == 401


def test_this_host_is_not_limited(stack):
    """The application on the same host asks for all its users."""
    assert {asked(stack, None)[0] for _ in range(60)} == {401}


@pytest.mark.nginx("Apache limits neither the requests nor the sockets of an address")
def test_handshakes_of_one_address(people, stack):
    """Fewer than requests; the refused one reaches neither the WebSocket server nor, with its token, a log."""
    token = people.person().token
    via = "X-Forwarded-For: 203.0.113.3\r\n"
    ask = lambda: parsed(exchange(stack, upgrade(stack, "bad" + token, via)))  # noqa: E731
    count, refusal = until_refused(ask)
    assert 4 <= count < 20
    is_rate_limit(refusal)
    query = f"GET /ws?token={token} HTTP/1.1\r\nHost: localhost\r\n{via}Connection: close\r\n\r\n"
    # On a slow machine one may be let through again by now.
    until_refused(lambda: parsed(exchange(stack, query.encode())))
    assert (
        status(exchange(stack, upgrade(stack, token, via.replace(".3", ".4")), until=b"\r\n\r\n"))
        == 101
    )
    settle(stack)
    assert not [path for path, text in texts(stack).items() if token in text]


@pytest.mark.nginx("Apache limits neither the requests nor the sockets of an address")
def test_sockets_of_one_address(people, stack):
    """So many at the same time; one that closes makes room."""
    request = upgrade(stack, people.person().token, "X-Forwarded-For: 203.0.113.5\r\n")
    opened = []
    try:
        for _ in range(3):
            opened.append(dial(stack))
            opened[-1].sendall(request)
            assert status(opened[-1].recv(4096)) == 101
        is_rate_limit(parsed(exchange(stack, request)))
    finally:
        for connection in opened:
            connection.close()


def test_a_balancers_word(stack):
    """What it adds to X-Forwarded-For counts and is logged; what a client has put there before does not."""
    for given, logged in (
        ("203.0.113.6", "203.0.113.6"),
        ("127.0.0.1, 203.0.113.6", "203.0.113.6"),
    ):
        assert asked(stack, given, "/healthz")[0] == 404
        assert asked(stack, given, "/signaling/healthz")[0] == 404
        _, headers, _ = asked(stack, given)
        assert access_line(stack, headers["x-request-id"])["remoteAddress"] == logged
    assert asked(stack, None, "/healthz")[0] == 200


@pytest.mark.parametrize(
    ("path", "near", "far"),
    [
        ("/console/", 200, 200),
        ("/console/ops/", 200, 404),
        ("/console/ops/ops.js", 200, 404),
        ("/console/demo.json", 200, 404),
    ],
)
def test_what_of_the_console_is_for_this_host_only(stack, path, near, far):
    """The operator's view and the demo's sign-in are not there for an address from elsewhere."""
    assert asked(stack, None, path)[0] == near
    assert asked(stack, "203.0.113.77", path)[0] == far
    assert asked(stack, "2001:db8::77", path)[0] == far
