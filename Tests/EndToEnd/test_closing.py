"""Close codes: each that the server can send, why it does, and that a client which does what the
code tells it has lost nothing (contract §6.4; RFC 6455 §7.4; the table in asyncapi.json)."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import struct
import time
import urllib.request

import pytest

from description.documents import asyncapi
from support import expect
from support.devices import Device
from support.frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame
from support.outbox import write_events
from support.sidecars import sidecar
from support.stack import resident_bytes
from support.variants import free_port
from support.wire import Ended, Wire

criterion = pytest.mark.criterion
HEARTBEAT = frame(TEXT, b'{"type":"heartbeat"}')

# What a client can do wrong: the code and what the reason speaks of.
FAULTS = {
    "no mask": (frame(TEXT, b"{}", mask=False), 1002, "mask"),
    "a reserved bit": (frame(TEXT, b"{}", reserved=4), 1002, "reserved"),
    "a reserved opcode": (frame(3, b""), 1002, "opcode"),
    "a reserved control opcode": (frame(11, b""), 1002, "opcode"),
    "a ping that is too long": (frame(PING, b"x" * 126), 1002, "control"),
    "a ping in fragments": (frame(PING, b"", fin=False), 1002, "control"),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002, "continuation"),
    "a message in a message": (
        frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
        1002,
        "message",
    ),
    "a length of 16 bits for 5 bytes": (b"\x81\xfe\x00\x05maskhello", 1002, "length"),
    "a length of 64 bits for 5 bytes": (b"\x81\xff" + struct.pack(">Q", 5) + b"mask", 1002, "len"),
    "a length of 2⁶³": (b"\x81\xff" + struct.pack(">Q", 2**63) + b"mask", 1002, "length"),
    "half a close code": (frame(CLOSE, b"x"), 1002, "close code"),
    "a close code for nobody": (frame(CLOSE, struct.pack(">H", 1006)), 1002, "close code"),
    "a binary frame": (frame(BINARY, b"{}"), 1003, "text"),
    "text that is not UTF-8": (frame(TEXT, b"\xff"), 1007, "UTF-8"),
    "fragments that are not UTF-8": (
        frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"\x28"),
        1007,
        "UTF-8",
    ),
    "a close reason that is not UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), 1007, "UTF-8"),
    "too many heartbeats": (HEARTBEAT * 60, 1008, "too many"),
    "too many pings": (frame(PING, b"") * 60, 1008, "too many"),
    "a message over 16 KiB": (frame(TEXT, b"x" * 16_385), 1009, "too big"),
    "fragments over 16 KiB": (
        frame(TEXT, b"x" * 9000, fin=False) + frame(CONTINUATION, b"x" * 9000),
        1009,
        "too big",
    ),
}
# Provoked below: the answer to the client's own close, the shutdown, the slow and the databaseless; and in
# test_logins.py the end of a login.
OTHERS = {1000, 1001, 1013, 4401}


def closing(wire: Wire):
    """The server's Close frame; what came before it is read and forgotten."""
    with pytest.raises(Ended) as ended:
        while True:
            wire.frame()
    close = ended.value.close
    assert close is not None, "ended without a Close frame"
    return close


@pytest.fixture
def listening(people):
    """A callee's device in a call, and the call; it is closed in the end."""
    caller, callee, call = people.connected()
    device = Device(callee)
    device.connect()
    yield caller, device, call["callId"]
    device.close()


def ends_with(wire: Wire) -> None:
    """Nothing comes after a Close frame; whoever is slow to answer it finds that the server has gone."""
    with contextlib.suppress(ConnectionError):
        wire.flush()
        assert wire.rest() == b"", "nothing comes after a Close frame"


def missed_nothing(caller, device: Device, call_id: str, quality: str) -> None:
    """What happened while it was away is what the device is sent first when it is back."""
    expect.succeeded(caller.report(call_id, quality))
    before = len(device.events)
    device.broken.append(device.wire)
    device.come_back()
    assert device.greetings[-1].get("resync") is None
    device.take(before + 1)
    assert device.events[-1]["data"]["networkQuality"] == quality


def test_the_description_lists_what_is_provoked():
    """The table of close codes is that of this file, and says of each whether to come back."""
    rows = re.findall(
        r"^\| (\d{4}) \| ([^|]+) \| ([^|]+) \|$", asyncapi().content["info"]["description"], re.M
    )
    assert {int(code) for code, _, _ in rows} == {code for _, code, _ in FAULTS.values()} | OTHERS
    advice = {int(code): text for code, _, text in rows}
    assert all(advice[code].startswith("yes") for code in (1001, 1008, 1009, 1013))
    assert all(advice[code].startswith("not before") for code in (1002, 1003, 1007))
    assert advice[4401].startswith("with a new JWT")


@criterion("C6.4")
@pytest.mark.parametrize("fault", FAULTS)
def test_faults(listening, fault):
    """The code, a reason that says what was wrong, the end of the stream; and no event is lost."""
    caller, device, call_id = listening
    data, code, reason = FAULTS[fault]
    with contextlib.suppress(OSError):
        device.wire.socket.sendall(data)
    close = closing(device.wire)
    assert close.code == code, close
    assert reason in close.reason and close.reason.isascii(), close
    ends_with(device.wire)
    missed_nothing(caller, device, call_id, "poor")


@criterion("C6.4")
@pytest.mark.parametrize(
    "payload", [b"", b"\x03\xe8", b"\x03\xe9going", b"\x0f\xa0own", b"\x13\x87"], ids=repr
)
def test_the_clients_own_close(listening, payload):
    """RFC 6455 §5.5.1: answered with the code that was given, and then the stream ends."""
    caller, device, call_id = listening
    device.wire.socket.sendall(frame(CLOSE, payload) + HEARTBEAT)
    assert device.wire.rest() == b"\x88" + bytes([len(payload[:2])]) + payload[:2]
    missed_nothing(caller, device, call_id, "bad")


@criterion("C6.4")
def test_a_shutdown(people, listening):
    """§6.4: 1001 for everybody, in the midst of a message, too; the successor knows what came."""
    caller, device, call_id = listening
    address = f"127.0.0.1:{free_port()}"
    device.leave("close")
    device.door = address
    with sidecar(people.stack, address) as server:
        device.come_back()
        talking = Wire(people.stack, caller.token, door=address)
        talking.accepted()
        talking.socket.sendall(frame(TEXT, b'{"type":', fin=False))
        wires = [Wire(people.stack, people.person().token, door=address) for _ in range(20)]
        for wire in wires:
            wire.accepted()
        server.send_signal(signal.SIGTERM)
        for wire in [device.wire, talking, *wires]:
            close = closing(wire)
            assert close.code == 1001 and "shut" in close.reason, close
            ends_with(wire)
            wire.close()
        assert server.wait(60) == 0
    with sidecar(people.stack, address):
        missed_nothing(caller, device, call_id, "veryBad")


@criterion("C6.4")
def test_the_database_is_away(people, listening, tmp_path):
    """1013 for who cannot be told where it stands; nothing is lost when the database is back."""
    caller, device, call_id = listening
    address = f"127.0.0.1:{free_port()}"
    path = tmp_path / "mariadb.sock"
    with sidecar(people.stack, address, MYSQL_SOCKET=str(path)):
        device.leave("close")
        device.door = address
        device.open()
        device.wire.socket.settimeout(60)
        device.wire.accepted()
        close = closing(device.wire)
        assert close.code == 1013 and "database" in close.reason, close
        os.symlink(people.stack["MYSQL_SOCKET"], path)
        missed_nothing(caller, device, call_id, "poor")


def take_the_rest(reader: Device, last: int):
    """Reads until the last event has come or the server has ended it; its Close frame, if any."""
    try:
        while int(reader.last) < last:
            reader.step()
    except Ended as ended:
        return ended.close
    except ConnectionResetError:
        pass
    return None


def has_lost_nothing(reader: Device, first: int, last: int) -> None:
    assert int(reader.last) < last, "all was read: it was not slow at all"
    reader.come_back()
    assert take_the_rest(reader, last) is None
    assert [int(event["id"]) for event in reader.events] == list(range(first, last + 1))
    assert reader.again == []
    reader.close()


@criterion("C6.4")
def test_a_slow_reader(people, listening):
    """§6.4: who makes the server talk and does not read is cut off at the queue limit, 1013; and
    has lost no event."""
    caller, device, call_id = listening
    address = f"127.0.0.1:{free_port()}"
    device.leave("close")
    device.door = address
    with sidecar(people.stack, address, SIGNALING_MESSAGES_PER_SECOND="0") as server:
        device.come_back()
        first = int(device.last) + 1
        before = resident_bytes(server.pid)
        for _ in range(4):
            expect.succeeded(caller.report(call_id, "poor"))
            # Far more answers, in all, than the system holds and the limit (256 KiB) allows.
            device.wire.socket.sendall(frame(PING, b"x" * 125) * 30_000)
        expect.succeeded(caller.report(call_id, "bad"))
        assert resident_bytes(server.pid) - before < 4_000_000
        close = take_the_rest(device, first + 4)
        assert close is not None and close.code == 1013 and "slow" in close.reason, close
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
            assert b"chattrix_signaling_slow_readers_total 1\n" in answer.read()
        has_lost_nothing(device, first, first + 4)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_reader_that_takes_nothing(people):
    """Events wait for who does not read, but not for ever: 30 s; and none of them is lost."""
    caller, callee, call = people.connected()
    reader = Device(callee, door="sidecar")
    reader.connect()
    first = int(reader.last) + 1
    last = write_events(people, callee, call["callId"], 8000, padding=1000) + 1
    expect.succeeded(caller.report(call["callId"], "poor"))  # the relay looks at once
    time.sleep(40)
    assert take_the_rest(reader, last) is None, "a Close frame would never have come"
    has_lost_nothing(reader, first, last)
