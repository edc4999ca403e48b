"""Who is let in to signaling, and by which of four ways (contract §6.1, §7.8; R9)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import InvalidStatus

from support import expect, keys
from support.handshakes import not_admitted, ticket
from support.people import send
from support.raw import dial, status
from support.silence import upgrade
from support.sockets import Socket

criterion = pytest.mark.criterion


@criterion("R9.1")
@pytest.mark.parametrize("path", ["", "/chat"])
def test_four_ways_to_authenticate(people, path):
    """Header, ticket, subprotocol and query token; on both paths."""
    person = people.person()
    offered = ["chattrix.v1", f"bearer.{person.token}"]
    ways = {
        "header": {"token": person.token},
        "ticket": {"query": {"ticket": ticket(person)}},
        "subprotocol": {"subprotocols": offered},
        "query": {"query": {"token": person.token}},
    }
    for way, options in ways.items():
        socket = Socket(people.stack, path=path, **options)
        assert socket.greeting["userId"] == person.id, way
        selected = socket.connection.subprotocol
        assert selected == ("chattrix.v1" if way == "subprotocol" else None)


@criterion("R9.1", "R9.5")
def test_bad_credentials(people, stack):
    """Bad or absent credentials: 401 with the error body, no upgrade."""
    expired = keys.token(stack["JWT_SECRET"], "somebody", exp=int(time.time()) - 100)
    unsigned = keys.assembled({"alg": "none"}, keys.claims("somebody"), None)
    for bad in ("rubbish", expired, unsigned, ""):
        for options in [
            {"token": bad},
            {"query": {"token": bad}},
            {"query": {"ticket": bad}},
        ]:
            not_admitted(stack, 401, "AUTHENTICATION_FAILED", **options)
    for offered in (["chattrix.v1"], ["chattrix.v1", "bearer.rubbish"], ["another"]):
        not_admitted(stack, 401, "AUTHENTICATION_FAILED", subprotocols=offered)
    not_admitted(stack, 401, "AUTHENTICATION_FAILED")
    not_admitted(stack, 401, "AUTHENTICATION_FAILED", path="/chat")


@criterion("R9.1")
def test_large_logins(people, stack):
    """A login as long as REST takes it opens a socket too, whatever cookies a browser adds."""
    person = people.person()
    login = keys.token(stack["JWT_SECRET"], person.id, roles=["a" * 20] * 240)
    assert 7500 < len(login) <= 8192
    assert send(stack, "GET", "/calls/active", login).status_code == 200
    for options in [
        {"token": login},
        {"query": {"token": login}},
        {"subprotocols": ["chattrix.v1", f"bearer.{login}"]},
    ]:
        assert Socket(stack, **options).greeting["userId"] == person.id
    request = upgrade(stack, login)
    for _ in range(2):
        request = request.replace(b"\r\n\r\n", b"\r\nCookie: a=" + b"b" * 7000 + b"\r\n\r\n")
    with dial(stack) as connection:
        connection.sendall(request)
        assert status(connection.recv(4096)) == 101


def test_unknown_path(people, stack):
    """Only /ws and /ws/chat are paths of signaling."""
    not_admitted(stack, 404, "RESOURCE_NOT_FOUND", path="/other", token=people.person().token)


def test_ticket(people):
    """§6.1, §7.8: `data.ticket` with `expiresAt` 30 s ahead; single use."""
    person = people.person()
    asked = time.time()
    data = expect.succeeded(person.post("/signaling/ticket", {}))
    expires = expect.moment(data["expiresAt"]).timestamp()
    assert asked + 29 < expires < time.time() + 31
    assert len(data["ticket"]) >= 22 and data["ticket"].isascii()
    query = {"ticket": data["ticket"]}
    assert Socket(people.stack, query=query).greeting["userId"] == person.id
    not_admitted(people.stack, 401, "AUTHENTICATION_FAILED", query=query)
    assert ticket(person) != ticket(person)


def test_ticket_runs_out_by_itself(people):
    """Redis forgets a ticket after 30 s: its key lives no longer."""
    text = ticket(people.person())
    lifetimes = [
        people.stack.redis.ttl(key)
        for key in people.stack.redis.scan_iter(match="*ticket*", _type="string")
        if text in key.decode() or text in str(people.stack.redis.get(key))
    ]
    assert all(0 < seconds <= 30 for seconds in lifetimes), lifetimes


def test_a_ticket_opens_one_of_many_simultaneous_connections(people):
    """Single use also where ten come at the same moment."""
    query = {"ticket": ticket(people.person())}

    def attempt(_):
        try:
            Socket(people.stack, query=query)
            return 101
        except InvalidStatus as refusal:
            return refusal.response.status_code

    with ThreadPoolExecutor(10) as pool:
        results = sorted(pool.map(attempt, range(10)))
    assert results == [101] + [401] * 9


@criterion("R9.1")
def test_a_ticket_is_no_token_for_rest(people):
    text = ticket(people.person())
    response = send(people.stack, "GET", "/calls/active", text)
    expect.refused(response, 401, "AUTHENTICATION_FAILED")


def test_origin(people, stack):
    """§7.8: without ALLOWED_ORIGINS an Origin is accepted only when it is the host's own."""
    person = people.person()
    own = stack.api_url.removesuffix("/api/v1")
    assert person.socket(origin=own).greeting["userId"] == person.id
    assert person.socket().greeting["userId"] == person.id
    # As native clients write it: from the URL of the socket (§7.15).
    native = own.replace("https://", "wss://")
    for spelling in (native, native.upper(), own.replace("https://", "ws://")):
        assert person.socket(origin=spelling).greeting["userId"] == person.id
    for foreign in ("https://evil.example", "null", own + ".evil.example", "https://localhost:1"):
        not_admitted(stack, 403, "ORIGIN_NOT_ALLOWED", token=person.token, origin=foreign)
