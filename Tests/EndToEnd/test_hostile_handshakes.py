"""Handshakes and connections that no honest client makes: an HTTP error, and nobody harmed."""

from __future__ import annotations

import contextlib
import socket

import pytest
from websockets.exceptions import InvalidStatus

from support.frames import CONTINUATION, TEXT, frame
from support.logins import connected
from support.raw import dial, exchange, status
from support.silence import upgrade
from support.stack import resident_bytes


@pytest.mark.parametrize(
    "query",
    [
        "token=%ff%fe",
        "token=%zz",
        "token=%00",
        "token=" + "a" * 10_000,
        "ticket=" + "a" * 5_000,
        "ticket=%ff",
        "ticket=*",
        "ticket=a%0d%0aDEL%20x",
        "token=a&token=b",
        "deviceId=" + "d" * 5_000,
        "lastEventId=%ff",
        "&&&==&=",
        "%",
    ],
    ids=range(13),
)
def test_odd_queries(people, query):
    """Contract codes, never a 5xx, and the sidecar goes on."""
    person = people.person()
    request = upgrade(people.stack, person.token).replace(b"GET /ws ", f"GET /ws?{query} ".encode())
    unauthorized = request.replace(b"Authorization: Bearer", b"X-Nothing:")
    assert status(exchange(people.stack, unauthorized)) in (400, 401, 414, 431)
    with dial(people.stack) as connection:
        connection.sendall(request)
        assert status(connection.recv(4096)) in (101, 400, 401, 414, 431)
    assert person.socket().heartbeat()


@pytest.mark.parametrize("device", ["", "d" * 129, "é" * 64, "\x00", "a b", '"\\'])
def test_odd_devices(people, device):
    """A device is any short text: taken or refused with 400, never worse."""
    person = people.person()
    try:
        assert person.socket(device=device).greeting["userId"] == person.id
    except InvalidStatus as refusal:
        assert refusal.response.status_code == 400


def test_connections_that_say_nothing(people):
    """Two hundred open sockets that never speak keep nobody else out."""
    host, port = people.stack["SIGNALING_ADDRESS"].rsplit(":", 1)
    silent = [socket.create_connection((host, int(port)), timeout=30) for _ in range(200)]
    try:
        assert people.person().socket().heartbeat()
    finally:
        for connection in silent:
            connection.close()


def test_heads_without_end(people, own_sidecar):
    """A request head that never ends is refused at a bound, and not kept. The sidecar is the test's own: that of the
    stack has other tests' connections at the same time."""
    process, address = own_sidecar()
    host, port = address.rsplit(":", 1)
    person = people.person()
    wire, _ = connected(person, person.token, address)
    wire.close()
    before = resident_bytes(process.pid)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\n")
            for _ in range(8000):
                connection.sendall(b"X-Filler: " + b"a" * 1000 + b"\r\n")
        assert resident_bytes(process.pid) - before < 2_000_000
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(4096)[9:12] in (b"400", b"431", b"")
    wire, _ = connected(person, person.token, address)
    wire.close()


def test_many_large_fragments(people):
    """Messages that never end are cut off at the largest message, on every connection."""
    person = people.person()
    with dial(people.stack) as connection:
        connection.sendall(upgrade(people.stack, person.token) + frame(TEXT, b"a", fin=False))
        with pytest.raises(OSError):
            for _ in range(5000):
                connection.sendall(frame(CONTINUATION, b"b" * 4000, fin=False))
            connection.settimeout(30)
            while connection.recv(65536):
                pass
            raise ConnectionResetError("closed as it should be")
    assert person.socket().heartbeat()
