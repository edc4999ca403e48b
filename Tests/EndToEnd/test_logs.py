"""Logs: one JSON object a line, and nothing secret in any of them (contract §1, §6.1; R12)."""

from __future__ import annotations

import json
import re
import struct
import time

import pytest
from websockets.exceptions import InvalidStatus

from support import expect, keys
from support.logs import access_line, program_files, program_lines, settle, texts
from support.people import send
from support.raw import dial, exchange, parsed
from support.silence import upgrade
from support.sockets import Socket
from support.stack import command

criterion = pytest.mark.criterion


@criterion("R12.5")
def test_every_line_is_a_json_object(people):
    """time, level, event, and the request id where there is a request."""
    person = people.person()
    person.get("/nothing")
    person.initiate("nobody")
    person.socket().heartbeat()
    assert program_files(people.stack)
    lines = program_lines(people.stack)
    assert lines
    for line in lines:
        assert {"time", "level", "event"} <= set(line), line
        expect.moment(line["time"])
        assert line["level"].lower() in ("debug", "info", "warning", "error", "notice"), line
        assert isinstance(line["event"], str) and line["event"], line
        assert isinstance(line.get("requestId", ""), str | None), line


def exercised(people) -> set[str]:
    """Uses every kind of secret in every place where a client may put it, right and wrong."""
    stack = people.stack
    caller, callee, call = people.connected()
    channel = call["channelId"]
    body = {"channelId": channel}
    agora = expect.succeeded(caller.post("/agora/token/generate", body))["token"]
    renewed = caller.post("/agora/token/refresh", body | {"oldToken": agora})
    agora2 = expect.succeeded(renewed)["token"]
    caller.post("/agora/token/refresh", body | {"oldToken": agora2[:-8] + "AAAAAAAA"})
    tickets = [expect.succeeded(caller.post("/signaling/ticket", {}))["ticket"] for _ in range(3)]
    expired = keys.token(stack["JWT_SECRET"], caller.id, exp=int(time.time()) - 3600)
    forged = keys.token("y" * 40, caller.id)
    for token in (expired, forged, callee.token):
        send(stack, "GET", "/calls/active", token)
        send(stack, "GET", "/calls/active", params={"token": token})
        send(stack, "GET", "/calls/active", headers={"Authorization": token})
    Socket(stack, query={"token": caller.token}).heartbeat()
    Socket(stack, query={"ticket": tickets[0]}).heartbeat()
    Socket(stack, subprotocols=["chattrix.v1", f"bearer.{callee.token}"]).heartbeat()
    for options in [
        {"query": {"token": expired}},
        {"query": {"token": forged}},
        {"query": {"ticket": tickets[0]}},
        {"query": {"ticket": tickets[1]}, "origin": "https://evil.example"},
        {"query": {"ticket": tickets[2] + "x"}},
        {"query": {"token": callee.token}, "path": "/other"},
        {"subprotocols": ["chattrix.v1", f"bearer.{forged}"]},
    ]:
        try:
            Socket(stack, **options)
        except InvalidStatus:
            pass
    caller.end(call["callId"])
    whole = {agora, agora2, *tickets, caller.token, callee.token, expired, forged}
    # A token without its signature is no secret, but the signature alone is one.
    return whole | {token.rpartition(".")[2] for token in (caller.token, callee.token, expired)}


@criterion("R9.5")
def test_no_secret_reaches_a_log(people):
    """No token, ticket, signature, password or key in any file, nginx's included."""
    stack = people.stack
    secrets = exercised(people)
    secrets |= {stack["JWT_SECRET"], stack["AGORA_APP_CERTIFICATE"], stack["MYSQL_PASSWORD"]}
    time.sleep(0.3)  # what the programs hold gets written
    settle(stack)
    for path, text in texts(stack).items():
        found = [secret for secret in secrets if secret and secret in text]
        assert not found, (path, found)


# path and agent as a client sends them; the path as it is logged
REQUESTS = [
    ("/api/v1/calls/active", "plain", "/api/v1/calls/active"),
    ("/api/v1/calls/active?token=SECRET", "query", "/api/v1/calls/active"),
    ("/API/v1/Calls/Active", "case", "/API/v1/Calls/Active"),
    ("/api/v1/calls/0192d4e0-7c1a-7000-8000-0123456789ab/end", "call", None),
    ("/api/v1/calls/0192d4e0-7c1a-7000-8000-0123456789ab/end?SECRET", "call and query", None),
    ("/api/v1/calls/history/0192d4e0-7c1a-7000-8000-0123456789ab?SECRET", "entry", None),
    ("/api/v1/calls/active/" + "S" * 36, "longest part", "/api/v1/calls/active/" + "S" * 36),
    ("/api/v1/calls/active/SECRET" + "x" * 31, "longer part", "(not one of ours)"),
    ("/SECRET" + "x" * 40 + "?SECRET", "longer part alone", "(not one of ours)"),
    ("/api/v1/calls/%22%5c", "escapes", "/api/v1/calls/%22%5c"),
    ('/api/v1/calls/"SECRET', "quotation mark", "(not one of ours)"),
    ("/api/v1/calls/\\SECRET", "backslash", "(not one of ours)"),
    ("/api/v1/calls/\xc3\xa9SECRET", "other bytes", "(not one of ours)"),
    ("/nowhere", "A" * 200, "/nowhere"),
    ("/nowhere", "A" * 201, "/nowhere"),
    ("/nowhere", 'with "quotes"', "/nowhere"),
    ("/nowhere", "with \\", "/nowhere"),
    ("/nowhere", "caf\xc3\xa9", "/nowhere"),
]


def test_nginx_logs_paths_without_what_may_be_secret(stack):
    """§1, §6.1: one JSON object a line, whatever a client sends; the path without its query and without parts
    that are longer than an id."""
    marks = {}
    for path, agent, logged in REQUESTS:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
        head, _, _ = exchange(stack, request.encode("latin-1")).partition(b"\r\n\r\n")
        number = re.search(rb"(?i)^x-request-id: (\w+)", head, re.MULTILINE)[1].decode()
        marks[number] = (path, agent, logged or path.partition("?")[0])
    for number, (path, agent, logged) in marks.items():
        line = access_line(stack, number)
        assert line["path"] == logged, (path, line)
        kept = re.fullmatch(r"[ -~]{1,200}", agent) and not re.search(r'["\\]', agent)
        assert line["userAgent"] == (agent if kept else ""), line
        assert line["method"] == "GET" and line["protocol"] == "HTTP/1.1" and line["status"] >= 400
        assert "SECRET" not in json.dumps(line)


def test_nginx_logs_no_frame_of_a_websocket(people, stack):
    """§6.1: frames that come with the handshake are read into the memory that the request lies in; the line that is
    written when the socket is closed is the request's all the same, and one line."""
    person = people.person()
    text = b'{"type":"heartbeat","data":{},"SECRET":"' + b'x","path":"/secret?' * 40 + b'"}'
    # RFC 6455 §5.3 lets a client choose its mask: with this one the bytes stay as they are.
    plain = struct.pack(">BBH4x", 0x81, 0x80 | 126, len(text)) + text
    with dial(stack) as connection:
        # More than the buffer holds: what comes after that is read into it from its beginning.
        connection.sendall(upgrade(stack, person.token, "User-Agent: tester\r\n") + plain * 8)
        answer = b""
        while answer.count(b"heartbeat.ack") < 8:
            answer += connection.recv(4096)
    code, headers, _ = parsed(answer)
    assert code == 101
    number = headers["x-request-id"]
    line = access_line(stack, number)
    assert (line["method"], line["protocol"], line["path"]) == ("GET", "HTTP/1.1", "/ws")
    assert line["status"] == 101 and line["userAgent"] == "tester"


def test_no_secret_in_the_list_of_processes(stack):
    """Secrets never reach `ps`."""
    secrets = {stack["JWT_SECRET"], stack["AGORA_APP_CERTIFICATE"], stack["MYSQL_PASSWORD"]}
    pids = [stack.pid("SUPERVISOR"), stack.pid("SIGNALING"), *stack.workers()]
    assert len(pids) >= 3
    for pid in pids:
        assert not [secret for secret in secrets if secret in command(pid)]
