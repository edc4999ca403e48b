"""Transport: envelope, request ids, routes, methods, sizes, types of bodies (contract §1, §3)."""

from __future__ import annotations

import json
import re
import ssl
import urllib.parse
import uuid

import pytest
import requests

from support import expect, routes
from support import people as client
from support.raw import exchange
from support.sockets import EVENTS, OWN
from support.stack import wait_until

criterion = pytest.mark.criterion


@criterion("R12.5", "R12.1")
def test_success_envelope_carries_the_request_id(people):
    """R12.5: {"success":true,"data","requestId"}; the id is nginx's and stands in X-Request-Id."""
    person = people.person()
    first, second = person.get("/calls/active"), person.get("/calls/active")
    assert expect.succeeded(first) is None
    assert re.fullmatch(r"[0-9a-f]{32}", first.json()["requestId"])
    assert first.json()["requestId"] != second.json()["requestId"]


@criterion("R12.5")
def test_request_id_is_not_the_clients(people):
    """A client cannot choose the id under which its request is logged."""
    response = people.person().get("/calls/active", headers={"X-Request-Id": "mine"})
    expect.succeeded(response)
    assert "mine" not in response.text


@criterion("R12.1", "R12.5")
def test_error_envelope(people):
    """R12.1: success, error code and message, and the request id."""
    error = expect.refused(people.person().get(f"/calls/{uuid.uuid4()}"), 404, "RESOURCE_NOT_FOUND")
    assert error["details"] == {"resource": "call"}


def test_bodies_are_utf8(people):
    """JSON in UTF-8 both ways: names beyond the basic plane come back as they are."""
    name = 'Zoë "Ω" 𝔉𝔬𝔬 \\ 👩‍🚀 \u2028'
    caller, callee = people.person(full_name=name), people.person(avatar=None)
    people.befriend(caller, callee)
    call = caller.call(callee)
    assert call["callerName"] == name
    assert call["calleeAvatar"] is None
    assert callee.active()["callId"] == call["callId"]


@criterion("R12.2")
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/",
        "/calls",
        "/calls/",
        "/calls/x/y",
        "/calls/x/accept/z",
        "/agora/token",
        "/agora/token/generate/more",
        "/signaling",
        "/Calls/active",
    ],
)
def test_unknown_route(people, path):
    """R12.2: 404 RESOURCE_NOT_FOUND with details.resource route."""
    error = expect.refused(people.person().get(path), 404, "RESOURCE_NOT_FOUND")
    assert error["details"]["resource"] == "route"


@criterion("R12.2")
def test_route_is_checked_before_the_token(stack):
    """Order of checks: route, JWT, …: an unknown route is 404 without a token too."""
    expect.refused(client.send(stack, "GET", "/nothing"), 404, "RESOURCE_NOT_FOUND")
    expect.refused(client.send(stack, "PUT", "/calls/active"), 405, "METHOD_NOT_ALLOWED")


@criterion("R12.1")
@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/api/v1x", "/api/v2/calls/active", "/a.ico"]
)
def test_outside_of_the_prefix(stack, path):
    """Errors of nginx itself have the error body too."""
    origin = stack.api_url.removesuffix("/api/v1")
    expect.refused(client.send(stack, "GET", origin + path), 404, "RESOURCE_NOT_FOUND")


# What a route does not have. GET /calls/initiate could be read as a call of that id.
WRONG_METHODS = [
    (method, path)
    for path, allowed in sorted(routes.METHODS.items())
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "FOO"]
    if method not in allowed and (method, path) != ("GET", "/calls/initiate")
]


@criterion("R12.1")
@pytest.mark.parametrize("method, path", **routes.named(WRONG_METHODS))
def test_methods(people, method, path):
    """405 METHOD_NOT_ALLOWED with `Allow` for every method that a route does not have."""
    allowed = routes.METHODS[path]
    response = people.person().send(method, routes.at(path))
    expect.refused(response, 405, "METHOD_NOT_ALLOWED")
    named = {name.strip() for name in response.headers["Allow"].split(",")}
    assert named - {"HEAD", "OPTIONS"} == allowed


@pytest.mark.parametrize("size, status", [(16 * 1024, 400), (16 * 1024 + 1, 413)])
def test_body_limit(people, size, status):
    """Bodies of at most 16 KiB: the last byte that fits and the first that does not."""
    body = b'{"calleeId":"nobody","callType":"no","padding":""}'
    body = body[:-2] + b"x" * (size - len(body)) + body[-2:]
    assert len(body) == size
    response = people.person().post(
        "/calls/initiate", data=body, headers={"Content-Type": "application/json"}
    )
    expect.refused(response, status, {400: "VALIDATION_ERROR", 413: "PAYLOAD_TOO_LARGE"}[status])


@pytest.mark.parametrize("size", [20_000, 1_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_body_far_over_the_limit(people, size, chunked):
    """413 PAYLOAD_TOO_LARGE for a megabyte, with a length or in chunks, and the service lives."""
    person = people.person()
    body = b'{"a":"' + b"x" * size + b'"}'
    chunks = (body[i : i + 8192] for i in range(0, len(body), 8192))
    response = person.post(
        "/calls/initiate",
        data=chunks if chunked else body,
        headers={"Content-Type": "application/json"},
    )
    expect.refused(response, 413, "PAYLOAD_TOO_LARGE")
    assert person.active() is None


def test_chunked_body(people):
    """A body without a Content-Length is read like any other."""
    caller, callee = people.pair()
    text = json.dumps({"calleeId": callee.id, "callType": "audio"}).encode()
    response = caller.post(
        "/calls/initiate",
        data=(text[i : i + 7] for i in range(0, len(text), 7)),
        headers={"Content-Type": "application/json"},
    )
    expect.succeeded(response, 201)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/xml",
        "text/json",
        "json",
    ],
)
@pytest.mark.parametrize("method, path, body", **routes.named(routes.FIELD_ROUTES))
def test_unsupported_media_type(people, kind, method, path, body):
    """415 UNSUPPORTED_MEDIA_TYPE for anything but application/json."""
    response = people.person().send(
        method, routes.at(path), data=json.dumps(body or {"a": 1}), headers={"Content-Type": kind}
    )
    expect.refused(response, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
    ],
)
def test_supported_media_types(people, kind):
    """The type's case and its parameters do not matter."""
    caller, callee = people.pair()
    body = json.dumps({"calleeId": callee.id, "callType": "audio"})
    response = caller.post("/calls/initiate", data=body, headers={"Content-Type": kind})
    expect.succeeded(response, 201)


def test_absent_body_counts_as_an_empty_object(people):
    """An absent body is `{}`, with a content type or without one."""
    _, callee, call = people.ringing()
    path = f"/calls/{call['callId']}"
    assert expect.succeeded(callee.send("POST", path + "/accept"))["status"] == "connecting"
    headers = {"Content-Type": "application/json"}
    ended = callee.send("POST", path + "/end", headers=headers)
    assert expect.succeeded(ended)["status"] == "ended"


@criterion("R12.3")
def test_absent_body_where_members_are_required(people):
    """All faults at once, each with its field."""
    person = people.person()
    expect.invalid(person.send("POST", "/calls/initiate"), calleeId="REQUIRED", callType="REQUIRED")
    expect.invalid(person.send("POST", "/agora/token/generate"), channelId="REQUIRED")
    expect.invalid(
        person.send("POST", "/agora/token/refresh"), channelId="REQUIRED", oldToken="REQUIRED"
    )


def test_unknown_members_are_ignored(people):
    caller, callee = people.pair()
    body = {"calleeId": callee.id, "callType": "audio", "x": {"y": [1, None]}, "": True}
    expect.succeeded(caller.post("/calls/initiate", body), 201)


@pytest.mark.parametrize("kind", ["video", "VIDEO", "Video", "aUdIo", "AUDIO"])
def test_call_type_in_any_case(people, kind):
    """Enumerations are read in any case and sent in lower case."""
    caller, callee = people.pair()
    assert caller.call(callee, kind)["callType"] == kind.lower()


@pytest.mark.parametrize(
    "quality, sent",
    [("VERY_BAD", "veryBad"), ("verybad", "veryBad"), ("veryBad", "veryBad"), ("Poor", "poor")],
)
def test_quality_in_any_case(connected, quality, sent):
    """`veryBad` is the one camel-case value; VERY_BAD is read too."""
    caller, callee, call = connected
    device = callee.socket()
    expect.succeeded(caller.report(call["callId"], quality))
    device.take("call_quality_warning", networkQuality=sent)


def test_other_enumerations_in_any_case(people):
    caller, callee, call = people.connecting()
    assert expect.succeeded(caller.set_status(call["callId"], "CONNECTED"))["status"] == "connected"
    body = {"channelId": call["channelId"], "role": "SUBSCRIBER"}
    assert expect.succeeded(caller.post("/agora/token/generate", body))["role"] == "subscriber"
    _, other, ringing = people.ringing()
    assert other.reject(ringing["callId"], reason="Unavailable")["reason"] == "unavailable"
    query = {"callType": "VIDEO", "status": "Completed"}
    assert caller.history(**query)["pagination"]["total"] == 0
    assert caller.statistics(period="WEEK")["period"] == "week"


def test_a_number_is_read_as_an_id(people):
    """Ids are strings on the wire; a number sent by a client is its decimal string."""
    number = uuid.uuid4().int % 10**9 + 10**9
    caller, callee = people.person(), people.person(id=str(number))
    people.befriend(caller, callee)
    body = {"calleeId": number, "callType": "audio"}
    call = expect.succeeded(caller.post("/calls/initiate", body), 201)
    assert call["calleeId"] == str(number)
    accepted = callee.post(f"/calls/{call['callId']}/accept", {"userId": number})
    expect.succeeded(accepted)


def test_the_longest_user_ids(people):
    """A user id is 1–64 characters, whatever characters."""
    long = people.person(id=(uuid.uuid4().hex + "é" * 64)[:64])
    short = people.person(id="~" + uuid.uuid4().hex[:6])
    people.befriend(long, short)
    call = long.call(short)
    assert call["callerId"] == long.id
    assert short.accept(call["callId"])["status"] == "connecting"


def test_times(people):
    """ISO 8601, UTC, milliseconds, Z."""
    _, callee, call = people.ringing()
    accepted = callee.accept(call["callId"])
    for text in (call["createdAt"], accepted["acceptedAt"]):
        assert expect.recent(text)
    assert expect.milliseconds(call["createdAt"]) <= expect.milliseconds(accepted["acceptedAt"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_operations_need_no_token(stack, path):
    """/healthz, /readyz and /metrics answer loopback without a JWT."""

    def answer():
        response = client.send(stack, "GET", stack["OPS_URL"].rstrip("/") + path)
        if path != "/readyz":
            assert response.status_code == 200, expect.described(response)
        # On a machine that stands still a store may seem to be away for a moment.
        elif response.json() != {"status": "ready"}:
            return None
        return response

    response = wait_until(answer)
    assert response.status_code == 200
    if path == "/metrics":
        sample = re.compile(r"[a-zA-Z_:][\w:]*(\{.*\})? [-+0-9.eEInNaf]+( \d+)?")
        lines = response.text.splitlines()
        samples = [line for line in lines if line and not line.startswith("#")]
        assert samples and all(sample.fullmatch(line) for line in samples)


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_the_interface_describes_itself(stack, name):
    """The descriptions are served, without a token, and name every route or frame."""
    response = client.send(stack, "GET", f"/{name}")
    assert response.status_code == 200
    described = response.json()
    if name == "asyncapi.json":
        missing = [kind for kind in EVENTS | OWN if f'"{kind}"' not in response.text]
    else:
        paths = {
            re.sub(r"\{\w+\}", "{id}", path): item for path, item in described["paths"].items()
        }
        missing = [
            (method, path)
            for method, path, _ in routes.ROUTES
            if method.lower() not in paths.get(path, paths.get("/api/v1" + path, {}))
        ]
    assert missing == []


def test_tls_is_verified_and_modern(stack):
    """Plain HTTP gets no API; TLS below 1.2 gets no handshake."""
    url = urllib.parse.urlsplit(stack.api_url)
    plain = requests.get(
        f"http://{url.netloc}{url.path}/calls/active", timeout=30, allow_redirects=False
    )
    assert plain.status_code in (301, 308, 400, 497), plain.status_code
    old = ssl.create_default_context(cafile=stack["CA_FILE"])
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exchange(stack, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", tls=old)


def test_keep_alive(people):
    """One TLS connection serves many requests, errors among them."""
    person = people.person()
    with requests.Session() as session:
        session.trust_env = False
        session.verify = people.stack["CA_FILE"]
        headers = {"Authorization": f"Bearer {person.token}"}
        ports = set()
        for path in ["/calls/active", "/nothing", "/calls/x", "/calls/active"]:
            with session.get(
                people.stack.api_url + path, headers=headers, stream=True, timeout=30
            ) as response:
                ports.add(response.raw.connection.sock.getsockname()[1])
                response.content  # noqa: B018 (reads the body, so that the connection is free)
        assert len(ports) == 1


def test_no_cors_headers_by_default(people):
    """Without ALLOWED_ORIGINS there is no CORS header at all (§7.9)."""
    person = people.person()
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    answers = [
        person.get("/calls/active", headers=headers),
        client.send(people.stack, "GET", "/calls/active", headers=headers),
        client.send(people.stack, "OPTIONS", "/calls/active", headers=headers),
        client.send(people.stack, "GET", "/openapi.json", headers=headers),
        client.send(people.stack, "OPTIONS", "/openapi.json", headers=headers),
        client.send(
            people.stack, "POST", "/calls/initiate", data=b"x" * 1_100_000, headers=headers
        ),
    ]
    assert [response.status_code for response in answers] == [200, 401, 405, 200, 405, 413]
    for response in answers:
        names = [name.lower() for name in response.headers]
        assert "vary" not in names
        assert not [name for name in names if name.startswith("access-control")]


def test_server_errors_do_not_show_software_versions(people):
    """The client sees no internals: no version of nginx in a header."""
    response = people.person().get("/nothing")
    assert not re.search(r"\d", response.headers.get("Server", ""))
