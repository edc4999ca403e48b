"""Behind Apache httpd in nginx's place (`nginx/apache`), in short: `make test-apache` has the whole suite go through it."""

from __future__ import annotations

import os
import signal
import ssl
import time
import urllib.parse
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from support import expect
from support.outages import descriptors
from support.people import send
from support.raw import dial, exchange, parsed, status
from support.silence import upgrade
from support.stack import wait_until
from support.variants import variant

pytestmark = variant("apache")
criterion = pytest.mark.criterion


@criterion("R11.1", "R11.2", "R11.4", "R3.1", "C6.2")
def test_a_whole_call(people, stack):
    """mod_proxy_fcgi and mod_proxy_http: REST, and both participants' sockets."""
    assert send(stack, "GET", "/calls/active").headers["Server"] == "Apache"
    caller, callee = people.pair()
    calling, listening = caller.socket(), callee.socket()
    call = caller.call(callee)["callId"]
    listening.take("call_invitation", callId=call)
    calling.take("call_ringing", callId=call)
    channel = callee.accept(call)["channelId"]
    calling.take("call_accepted", callId=call)
    token = {"channelId": channel, "role": "publisher"}
    assert expect.succeeded(caller.post("/agora/token/generate", token))["token"]
    assert listening.command("call.end", callId=call)["status"] == 200
    calling.take("call_ended", callId=call, endedBy=callee.id)


@criterion("R9.5", "R12.1", "R12.5")
def test_without_credentials(people, stack):
    """401 of a worker and of the WebSocket server, with the request's id."""
    refusal = send(stack, "GET", "/calls/active")
    expect.refused(refusal, 401, "AUTHENTICATION_FAILED")
    assert refusal.headers["WWW-Authenticate"].startswith("Bearer")
    code, headers, body = parsed(exchange(stack, upgrade(stack, "no token")))
    assert code == 401 and headers["x-request-id"].encode() in body


@criterion("R12.1")
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/.error/503", 404, "RESOURCE_NOT_FOUND"),
        ("POST", "/api/v1/openapi.json", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_what_apache_says_itself(stack, method, path, status, code):
    response = send(stack, method, stack.api_url.removesuffix("/api/v1") + path)
    expect.refused(response, status, code)
    assert response.headers.get("Allow") == ("GET, HEAD" if status == 405 else None)


@criterion("R12.1", "C3")
def test_a_worker_that_dies(people, stack):
    """503 with Retry-After for what is 502 to Apache."""
    caller, callee = people.pair()
    caller.end(caller.call(callee)["callId"])  # makes their lines
    for _ in range(24):
        caller.active()  # so that no worker has a connection still to make
    before = descriptors(stack)
    body = {"calleeId": callee.id, "callType": "audio"}
    with stack.connect() as connection, connection.cursor() as cursor, ThreadPoolExecutor(1) as one:
        connection.begin()
        cursor.execute("SELECT * FROM user_lines WHERE user_id = %s FOR UPDATE", (caller.id,))
        waiting: Future | None = None

        def with_a_request():
            nonlocal waiting
            # Whoever has waited for the line for 5 s gives it up.
            if waiting is None or waiting.done():
                waiting = one.submit(caller.post, "/calls/initiate", json=body)
            return [pid for pid, count in descriptors(stack).items() if count > before[pid]]

        (victim,) = wait_until(with_a_request, 30, 0.01)
        os.kill(victim, signal.SIGKILL)
        refusal = waiting.result()
    expect.refused(refusal, 503, "SERVICE_UNAVAILABLE")
    assert int(refusal.headers["Retry-After"]) >= 1
    wait_until(lambda: victim not in stack.workers() and len(stack.workers()) == 2, 60)


@criterion("R12.1")
def test_slow_bodies_hold_no_worker_for_long(people, stack):
    """Where a body's length is not said it is passed on as it comes: a worker waits 5 s for all of it. Apache itself
    waits for as long as 500 bytes come a second."""
    person = people.person()
    host = urllib.parse.urlsplit(stack.api_url).netloc
    head = (
        f"POST /api/v1/calls/initiate HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {person.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with ThreadPoolExecutor() as threads:
        slow = [threads.submit(drip, stack, head.encode()) for _ in stack.workers()]
        time.sleep(1)
        assert person.active() is None
    assert {answer.result() for answer in slow} == {408}


def drip(stack, head: bytes) -> int:
    """Sends a body without an end, as slowly as Apache lets it, and gives the status of the answer. Where the machine
    stood still the worker has answered and gone before Apache, which still writes, reads it: that is 503."""
    while True:
        answer, longest = dripped(stack, head)
        if answer != 503 or longest < 2:
            return answer


def dripped(stack, head: bytes) -> tuple[int, float]:
    """The status of the answer, and the longest time between two pieces, which is to be a second."""
    longest, began = 0.0, time.monotonic()
    with dial(stack) as connection:
        connection.sendall(head)
        connection.settimeout(1)
        for _ in range(30):
            connection.sendall(b"258\r\n" + b" " * 0x258 + b"\r\n")
            answer = 0
            with suppress(TimeoutError):
                answer = status(connection.recv(65536))
            longest, began = max(longest, time.monotonic() - began), time.monotonic()
            if answer:
                return answer, longest
    return 0, longest


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls(stack):
    """TLS 1.3 and HTTP/2, nothing older than TLS 1.2, HSTS."""
    client = ssl.create_default_context(cafile=stack["CA_FILE"])
    client.set_alpn_protocols(["h2", "http/1.1"])
    with dial(stack, client) as connection:
        assert (connection.version(), connection.selected_alpn_protocol()) == ("TLSv1.3", "h2")
    old = ssl.create_default_context(cafile=stack["CA_FILE"])
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        dial(stack, old)
    assert send(stack, "GET", "/calls/active").headers["Strict-Transport-Security"]


def test_the_console(stack):
    """A page of the host's own, and what it may load."""
    page = requests.get(stack["OPS_URL"] + "/console/", verify=stack["CA_FILE"], timeout=20)
    assert page.status_code == 200 and "text/html" in page.headers["Content-Type"]
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "main.js" in page.text
