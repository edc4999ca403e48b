"""The web server as it is deployed: TLS, names, what it says by itself (contract §1, §7.8)."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import urllib.parse

import pytest

from support import expect
from support.logs import access_line
from support.people import send
from support.raw import dial, exchange, parsed, status
from support.silence import upgrade
from support.stack import SERVER

HSTS = "max-age=63072000"
SUITES = [  # Mozilla's guideline 6.0, intermediate, for an ECDSA certificate
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
]
REFUSED_SUITES = [
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-ECDSA-AES128-CCM",
]


def tls(stack, version: ssl.TLSVersion, ciphers: str | None = None) -> ssl.SSLContext:
    """A client of one version that offers these cipher suites, however weak."""
    made = ssl.create_default_context(cafile=stack["CA_FILE"])
    made.set_ciphers(f"{ciphers or 'ALL'}:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = version
    return made


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_versions_of_tls(stack, version):
    """TLS 1.2 and 1.3, and nothing older."""
    client = tls(stack, ssl.TLSVersion[version])
    if version in ("TLSv1", "TLSv1_1"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            dial(stack, client)
    else:
        with dial(stack, client) as connection:
            assert connection.version() == version.replace("_", ".")


@pytest.mark.parametrize("suite", SUITES + REFUSED_SUITES)
def test_cipher_suites(stack, suite):
    """Of TLS 1.2 only suites with forward secrecy and authenticated encryption."""
    client = tls(stack, ssl.TLSVersion.TLSv1_2, suite)
    if suite in REFUSED_SUITES:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            dial(stack, client)
    else:
        with dial(stack, client) as connection:
            assert connection.cipher()[0] == suite


def test_http2(stack):
    client = ssl.create_default_context(cafile=stack["CA_FILE"])
    client.set_alpn_protocols(["h2", "http/1.1"])
    with dial(stack, client) as connection:
        assert connection.selected_alpn_protocol() == "h2"


def test_hsts_on_every_answer(people, stack):
    """RFC 6797: successes and errors of the workers, of the WebSocket server and of the web server itself, files."""
    person, origin = people.person(), stack.api_url.removesuffix("/api/v1")
    answers = [
        (person.get("/calls/active"), 200),
        (send(stack, "GET", "/calls/active"), 401),
        (person.get("/nothing"), 404),
        (send(stack, "GET", "/openapi.json"), 200),
        (send(stack, "POST", "/asyncapi.json"), 405),
        (send(stack, "GET", f"{origin}/"), 404),
        (send(stack, "GET", f"{origin}/healthz"), 200),
        (person.post("/calls/initiate", data=b"x" * 1_100_000), 413),
    ]
    for response, code in answers:
        assert response.status_code == code, expect.described(response)
        assert response.headers["Strict-Transport-Security"] == HSTS, expect.described(response)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    for request, code in ((upgrade(stack, "no token"), 401), (upgrade(stack, person.token), 101)):
        code_found, headers, _ = parsed(exchange(stack, request, until=b"\r\n\r\n"))
        assert code_found == code
        # Apache passes a 101 on as it came.
        if (SERVER, code) != ("apache", 101):
            assert headers["strict-transport-security"] == HSTS, headers


def test_own_names(people, stack):
    """Names are the host's in any case, with the port that was asked for or none."""
    person, port = people.person(), urllib.parse.urlsplit(stack.api_url).port
    for host in (
        "localhost",
        "LOCALHOST",
        f"localhost:{port}",
        "localhost:1",
        "127.0.0.1",
        "localhost.",
    ):
        expect.succeeded(person.get("/calls/active", headers={"Host": host}))


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "chattrix.invalid", "10.1.2.3:443"]
)
def test_unknown_names(people, stack, host):
    """421 for a name that is not this host's, whatever is asked of it: a page whose name was pointed here cannot
    pass for the host's own origin (§7.8)."""
    person, named = people.person(), {"Host": host, "Origin": f"https://{host}"}
    response = person.get("/calls/active", headers=named)
    expect.refused(response, 421, "MISDIRECTED_REQUEST")
    for path in ("/healthz", "/", "/ws", "/api/v1/openapi.json", "/%"):
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        code, headers, body = parsed(exchange(stack, request.encode()))
        assert code == (400 if path == "/%" else 421), (path, body)
        assert json.loads(body)["requestId"] == headers["x-request-id"]
    own = urllib.parse.urlsplit(stack.ws_url).netloc.encode()
    request = upgrade(stack, person.token, f"Origin: https://{host}\r\n")
    request = request.replace(b"Host: " + own, f"Host: {host}".encode())
    assert status(exchange(stack, request)) == 421


def test_no_name_at_all(stack):
    """HTTP/1.0 has no Host."""
    code, headers, _ = parsed(exchange(stack, b"GET /api/v1/calls/active HTTP/1.0\r\n\r\n"))
    # Apache compares the name of the TLS handshake with that of the request.
    assert code == (421 if SERVER == "nginx" else 400)
    assert headers["content-type"] == "application/json"


def test_the_name_is_the_request_lines(people, stack):
    """RFC 9112 §3.2.2: where the request line has a name, Host says nothing, and is no own origin (§7.8)."""
    person, url = people.person(), urllib.parse.urlsplit(stack.ws_url)
    for origin, code in ((f"https://{url.netloc}", 101), ("https://evil.example", 403)):
        request = upgrade(stack, person.token, f"Origin: {origin}\r\n")
        request = request.replace(b"GET /ws ", f"GET https://{url.netloc}/ws ".encode())
        request = request.replace(
            f"Host: {url.netloc}".encode(), f"Host: evil.example:{url.port}".encode()
        )
        assert status(exchange(stack, request, until=b"\r\n\r\n")) == code


def test_nobody_is_believed_about_addresses(stack):
    """Without a balancer X-Forwarded-For and its like are anybody's word: a client neither hides by them nor gets
    at what is for loopback only (§1)."""
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
    }
    response = send(stack, "GET", stack["OPS_URL"] + "/healthz", headers=claims)
    assert response.status_code == 200
    number = send(stack, "GET", "/calls/active", headers=claims).headers["X-Request-Id"]
    assert access_line(stack, number)["remoteAddress"] in ("127.0.0.1", "::1")


@pytest.mark.nginx("Apache's configuration is checked by make lint")
def test_the_configuration_gives_no_warning(stack):
    """`nginx -t` of the files as they are deployed, with this nginx's version."""
    folder = stack.directory / "nginx"
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin")
    done = subprocess.run(
        [program, "-t", "-c", folder / "nginx.conf", "-p", folder, "-g", "error_log stderr;"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not [
        line for line in done.stderr.splitlines() if "[warn]" in line or "[emerg]" in line
    ], done.stderr
