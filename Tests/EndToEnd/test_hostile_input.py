"""What no honest client sends: contract codes, never a 5xx (contract §3, §7.11; R12.3)."""

from __future__ import annotations

import json
import uuid
from urllib.parse import quote

import pytest
import requests

from support import expect, routes
from support.people import TIMEOUT_SECONDS, session
from support.raw import exchange, status
from support.stack import SERVER

criterion = pytest.mark.criterion

MALFORMED = {
    "nothing but a brace": b"{",
    "unclosed": b'{"calleeId":"a"',
    "trailing comma": b'{"calleeId":"a",}',
    "trailing text": b'{"calleeId":"a"} x',
    "two values": b"{}{}",
    "single quotes": b"{'calleeId':'a'}",
    "no quotes": b"{calleeId:1}",
    "comment": b'{"a":1 /* c */}',
    "leading zero": b'{"a":01}',
    "minus alone": b'{"a":-}',
    "plus": b'{"a":+1}',
    "no integer part": b'{"a":.5}',
    "no fraction": b'{"a":1.}',
    "no exponent": b'{"a":1e}',
    "hexadecimal": b'{"a":0x10}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "half a literal": b'{"a":nul}',
    "upper-case literal": b'{"a":True}',
    "control character": b'{"a":"\x01"}',
    "newline in a string": b'{"a":"\n"}',
    "tab in a string": b'{"a":"\t"}',
    "NUL in a string": b'{"a":"\x00"}',
    "unknown escape": b'{"a":"\\x41"}',
    "short escape": b'{"a":"\\u12"}',
    "bad hexadecimal escape": b'{"a":"\\u12G4"}',
    "byte FF": b'{"a":"\xff"}',
    "overlong": b'{"a":"\xc0\xaf"}',
    "overlong NUL": b'{"a":"\xc0\x80"}',
    "encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "beyond U+10FFFF": b'{"a":"\xf4\x90\x80\x80"}',
    "cut off": b'{"a":"\xe2\x82"}',
    "lone continuation": b'{"a":"\x80"}',
    "invalid outside of a string": b'{"a":1}\xff',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "only a comma": b",",
    "only spaces and a bracket": b"   ]",
    "deep arrays": b"[" * 8000,
    "deep objects": b'{"a":' * 3000,
}


def post(person, path, body: bytes, method="POST"):
    return person.send(method, path, data=body, headers={"Content-Type": "application/json"})


@criterion("R12.3")
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_json(people, name):
    """400 MALFORMED_JSON: invalid UTF-8, control characters, leading zeros, trailing text, …"""
    response = post(people.person(), "/calls/initiate", MALFORMED[name])
    expect.refused(response, 400, "MALFORMED_JSON")


@criterion("R12.3")
@pytest.mark.parametrize("method, path, body", **routes.named(routes.FIELD_ROUTES))
def test_malformed_json_on_every_route(people, method, path, body):
    """The body is read before the rules are looked at: also for a call that does not exist."""
    response = post(people.person(), routes.at(path), b'{"a":', method)
    expect.refused(response, 400, "MALFORMED_JSON")


@criterion("R12.3")
@pytest.mark.parametrize("text", ["[]", '"x"', "12", "null", "true", "[{}]", "-0.5e3"])
@pytest.mark.parametrize("method, path, body", **routes.named(routes.FIELD_ROUTES))
def test_a_body_that_is_not_an_object(people, method, path, body, text):
    """JSON, but no object: VALIDATION_ERROR."""
    response = post(people.person(), routes.at(path), text.encode(), method)
    error = expect.refused(response, 400, "VALIDATION_ERROR")
    assert isinstance(error.get("details", []), list)


@pytest.mark.parametrize("text", ["\ud800", "\udc00x", "\ud800\ud800"])
def test_lone_surrogate_escapes(people, text):
    """An escape that is half a character is no text: refused, never a 5xx."""
    body = json.dumps({"calleeId": text, "callType": "audio"}).encode()
    response = post(people.person(), "/calls/initiate", body)
    assert response.status_code == 400, expect.described(response)
    expect.envelope(response)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1e400}',
        '{"a":-1e400}',
        '{"a":99999999999999999999999999}',
        '{"a":1,"a":2}',
        '{"":{"":{"":[]}}}',
        '{"\\u0000":"\\u0000"}',
        ' \t\r\n{"a":"\\ud83d\\ude00"} \n',
    ],
)
def test_odd_but_valid_json(people, text):
    """Valid JSON whose members are unknown is ignored; what is missing is named."""
    response = post(people.person(), "/calls/initiate", text.encode())
    assert response.status_code == 400, expect.described(response)
    assert response.json()["error"]["code"] in ("VALIDATION_ERROR", "MALFORMED_JSON")


WRONG = [True, False, [], {}, ["a"], {"a": "b"}, 1.5]
FIELDS = [
    ("POST", "/agora/token/generate", "channelId"),
    ("POST", "/agora/token/generate", "role"),
    ("POST", "/agora/token/generate", "expirationSeconds"),
    ("POST", "/agora/token/refresh", "channelId"),
    ("POST", "/agora/token/refresh", "oldToken"),
    ("POST", "/calls/initiate", "calleeId"),
    ("POST", "/calls/initiate", "callType"),
    ("POST", "/calls/{id}/reject", "reason"),
    ("PATCH", "/calls/{id}/status", "status"),
    ("POST", "/calls/{id}/quality", "networkQuality"),
]
VALID = {path: body for _, path, body in routes.FIELD_ROUTES}


@criterion("R12.3")
@pytest.mark.parametrize("method, path, field", FIELDS)
def test_wrong_types(people, method, path, field):
    """Every field with values of every wrong type: VALIDATION_ERROR on that field."""
    person = people.person()
    for index, value in enumerate(WRONG):
        if index == 4:
            person = people.person()  # an invalid body counts in a rate limit
        body = VALID[path] | {field: value}
        expect.invalid(person.send(method, routes.at(path), json=body), **{field: None})


@criterion("R12.3")
@pytest.mark.parametrize("value", [[], {}, True, 1.5])
@pytest.mark.parametrize("method, path, body", **routes.named(routes.FIELD_ROUTES))
def test_wrong_types_of_user_id(people, method, path, body, value):
    """A userId that is no id at all is a validation error or not the user's own; never a 5xx."""
    response = people.person().send(method, routes.at(path), json=body | {"userId": value})
    assert response.status_code in (400, 403), expect.described(response)
    expect.envelope(response)


INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE calls; -- ",
    '" OR ""="',
    "\\",
    "\\'",
    "%",
    "_",
    "x' UNION SELECT NULL,NULL,NULL -- ",
    "1) OR 1=1 #",
    "/*!50000 SLEEP(5) */",
    "${jndi:ldap://127.0.0.1/a}",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "\u0000",
    "a\u0000b",
    "\r\nX-Injected: yes",
    "𝕏" * 16,
    "٣",
    "\u202e",
]


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_sql_in_every_string(people, text):
    """Whatever a string holds, it is data: contract codes, no 5xx, and nothing else happens."""
    caller, callee, call = people.connecting()
    channel, call_id = call["channelId"], call["callId"]
    stranger = people.person()
    answers = [
        stranger.initiate(text, "audio"),
        stranger.initiate(callee.id, text),
        caller.post("/agora/token/generate", {"channelId": text}),
        caller.post("/agora/token/generate", {"channelId": channel, "role": text}),
        caller.post("/agora/token/generate", {"channelId": channel, "expirationSeconds": text}),
        caller.post("/agora/token/generate", {"channelId": channel, "userId": text}),
        caller.post("/agora/token/refresh", {"channelId": channel, "oldToken": text}),
        callee.post(f"/calls/{call_id}/reject", {"reason": text}),
        caller.patch(f"/calls/{call_id}/status", {"status": text}),
        caller.report(call_id, text),
        caller.report(call_id, "good", packetLossRate=text, roundTripTime=text),
        caller.get("/calls/history", params={"callType": text}),
        caller.get("/calls/history", params={"status": text}),
        caller.get("/calls/history", params={"page": text, "limit": text}),
        caller.get("/calls/statistics", params={"period": text}),
        caller.get("/calls/statistics", params={"userId": text}),
    ]
    for response in answers:
        assert response.status_code in (400, 403, 404), expect.described(response)
        assert expect.envelope(response)["success"] is False
        assert "X-Injected" not in response.headers
    assert caller.details(call_id)["status"] == "connecting"


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_anything_as_a_call_id(people, text):
    """A call id in a path is data too."""
    person = people.person()
    escaped = quote(text, safe="")
    for method, path, body in routes.CALL_ROUTES + [("DELETE", "/calls/history/{id}", None)]:
        response = person.send(method, path.replace("{id}", escaped), json=body)
        assert response.status_code in (400, 404), expect.described(response)
        expect.envelope(response)


@pytest.mark.parametrize("text", INJECTIONS[:12], ids=range(12))
def test_anything_as_a_cursor_device_or_key(people, text):
    """The strings that are opaque to the server."""
    caller, callee = people.pair()
    call = caller.call(callee)
    accepted = callee.post(f"/calls/{call['callId']}/accept", {"deviceId": text})
    expect.succeeded(accepted)
    response = caller.get("/calls/history", params={"cursor": text})
    assert response.status_code in (200, 400), expect.described(response)
    friend = people.friend_of(people.person())
    assert friend.initiate("nobody", "audio", key=text.strip() or "k").status_code in (400, 404)


LONG = "a" * 10_000


def test_ten_thousand_characters(people):
    """Ids of 10,000 characters in bodies and queries: refused like any wrong value."""
    caller, callee, call = people.connecting()
    channel, call_id = call["channelId"], call["callId"]
    expect.invalid(people.person().initiate(LONG), calleeId=None)
    expect.invalid(people.person().initiate(callee.id, LONG), callType="INVALID_CALL_TYPE")
    generate, refresh = "/agora/token/generate", "/agora/token/refresh"
    expect.invalid(caller.post(generate, {"channelId": LONG}), channelId="INVALID_CHANNEL_ID")
    expect.invalid(caller.post(generate, {"channelId": channel, "role": LONG}), role="INVALID_ROLE")
    expect.invalid(
        caller.post(refresh, {"channelId": channel, "oldToken": "007" + LONG}),
        oldToken="INVALID_TOKEN",
    )
    response = caller.post(f"/calls/{call_id}/end", {"userId": LONG})
    assert response.status_code in (400, 403), expect.described(response)
    response = callee.post(f"/calls/{call_id}/accept", {"deviceId": LONG})
    assert response.status_code in (200, 400, 409), expect.described(response)
    expect.invalid(callee.post(f"/calls/{call_id}/reject", {"reason": LONG}), reason=None)
    expect.invalid(caller.set_status(call_id, LONG), status="INVALID_STATUS")
    expect.invalid(caller.report(call_id, LONG), networkQuality="INVALID_QUALITY")
    long = "a" * 6_000  # fits into a request line
    expect.invalid(caller.get(f"/calls/history?status={long}"), status="INVALID_STATUS")
    expect.invalid(caller.get(f"/calls/statistics?period={long}"), period="INVALID_PERIOD")
    response = caller.get(f"/calls/history?cursor={long}")
    assert response.status_code in (200, 400), expect.described(response)


@pytest.mark.parametrize("length", [65, 1000, 6000, 10_000])
def test_long_paths_and_headers(people, length):
    """A path or header that is too long for the server is refused with the error body too."""
    person = people.person()
    long = "a" * length
    answers = [
        person.get(f"/calls/{long}"),
        person.post(f"/calls/{long}/accept", {}),
        person.delete(f"/calls/history/{long}"),
        person.get("/calls/active?x=" + long),
        person.initiate("nobody", "audio", key=long),
        person.get("/calls/active", headers={"X-Long": long}),
    ]
    for response in answers:
        assert response.status_code in (200, 400, 404, 414, 431), expect.described(response)
        expect.envelope(response)


@pytest.mark.parametrize(
    "path",
    [
        "/calls/%ff%fe",
        "/calls/%00",
        "/calls/%",
        "/calls/%zz",
        "/calls/%C0%AF/accept",
        "/calls/active/%2e%2e",
        "/calls//active",
        "//calls/active",
        "/calls/active;x=1",
        "/calls/active%3fx",
        "/calls/%2e%2e/%2e%2e/etc/passwd",
    ],
)
def test_odd_paths(people, path):
    """Broken escapes, invalid UTF-8, dots and slashes: an error body, never a 5xx."""
    person = people.person()
    origin = people.stack.api_url.split("/api/")[0].removeprefix("https://")
    request = (
        f"GET /api/v1{path} HTTP/1.1\r\nHost: {origin}\r\nConnection: close\r\n"
        f"Authorization: Bearer {person.token}\r\n\r\n"
    )
    answer = exchange(people.stack, request.encode())
    assert status(answer) in (200, 301, 308, 400, 404, 405), answer[:500]
    if status(answer) >= 400:
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert body["success"] is False and body["error"]["code"], answer[:500]


def test_other_characters_in_headers(people):
    """Headers that mean nothing to us may hold any bytes (RFC 9110 §5.5: obs-text)."""
    for name in ("User-Agent", "Referer", "X-Whatever", "Cookie"):
        response = people.person().get("/calls/active", headers={name: b"caf\xe9"})
        expect.succeeded(response)


@criterion("R12.1", "R12.3")
def test_what_nginx_cannot_read(people):
    """A validation error of nginx's own says what is wrong as all others do."""
    person = people.person()
    prepared = session(people.stack).prepare_request(
        requests.Request("GET", f"{people.stack.api_url}/calls/active")
    )
    prepared.url = f"{people.stack.api_url}/calls/%00"
    response = session(people.stack).send(prepared, timeout=TIMEOUT_SECONDS)
    if SERVER == "nginx":
        expect.invalid(response, request="INVALID_BODY")
    else:  # Apache has nothing at such an address
        expect.refused(response, 404, "RESOURCE_NOT_FOUND")
    response = person.get("/calls/active", headers={"Host": "a b"})
    expect.invalid(response, request="INVALID_BODY")


@pytest.mark.parametrize(
    "query", ["status=%ff", "status=%zz", "status=%", "page=%C0%AF", "page=1%00"]
)
def test_broken_queries(people, query):
    """Broken escapes and invalid UTF-8 in a query are validation errors."""
    person = people.person()
    url = f"{people.stack.api_url}/calls/history?{query}"
    prepared = session(people.stack).prepare_request(
        requests.Request("GET", url, headers={"Authorization": f"Bearer {person.token}"})
    )
    prepared.url = url
    expect.refused(
        session(people.stack).send(prepared, timeout=TIMEOUT_SECONDS), 400, "VALIDATION_ERROR"
    )


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x00\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 1000,
        b"POST /api/v1/calls/initiate HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/calls/initiate HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/calls/initiate HTTP/1.1\r\nHost: x\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /api/v1/calls/active HTTP/1.1\r\n\r\n",
        b"TRACE /api/v1/calls/active HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=range(9),
)
def test_broken_http(people, request_bytes):
    """What is no HTTP gets a 4xx (or 505) or nothing, and harms nobody."""
    answer = exchange(people.stack, request_bytes + b"\r\n")
    assert status(answer) in (0, 400, 401, 404, 405, 408, 421, 505), answer[:300]
    assert people.person().active() is None


def test_the_tables_are_all_there(people):
    """After all that a call still works from its beginning to its end."""
    caller, _, call = people.connected()
    assert caller.end(call["callId"])["status"] == "ended"
    assert caller.history()["pagination"]["total"] == 1


def test_unknown_ids_of_the_right_form(people):
    """A random id of the right form teaches nothing: 404."""
    person = people.person()
    for method, path, body in routes.CALL_ROUTES:
        response = person.send(method, routes.at(path, str(uuid.uuid4())), json=body)
        error = expect.refused(response, 404, "RESOURCE_NOT_FOUND")
        assert error["details"] == {"resource": "call"}
