"""Close codes: each that the server can send, why it does, and that a client which does what the
code tells it has lost nothing (contract §6.4; RFC 6455 §7.4; the table in asyncapi.json)."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import struct
import time

import pytest

from description.documents import asyncapi
from support import expect
from support.devices import Device
from support.sidecars import sidecar
from support.variants import free_port
from support.wire import DOORS, Ended, Wire
from test_backlog import write_events
from test_frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame

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
# Provoked below: the answer to the client's own close, the shutdown, the slow and the databaseless.
OTHERS = {1000, 1001, 1013}


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


def missed_nothing(caller, device: Device, call_id: str, quality: str) -> None:
    """What happened while it was away is what the device is sent first when it is back."""
    expect.succeeded(caller.report(call_id, quality))
    before = len(device.events)
    device.broken.append(device.wire)
    device.come_back()
    assert device.greetings[-1]["resync"] is False
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
    assert device.wire.rest() == b"", "nothing comes after a Close frame"
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
            wire.flush()
            assert wire.rest() == b""
            wire.close()
        assert server.wait(10) == 0
    with sidecar(people.stack, address):
        missed_nothing(caller, device, call_id, "veryBad")


@criterion("C6.4")
@pytest.mark.timeout(60)
def test_the_database_is_away(people, listening, tmp_path):
    """1013 for who cannot be told where it stands; nothing is lost when the database is back."""
    caller, device, call_id = listening
    address = f"127.0.0.1:{free_port()}"
    path = tmp_path / "mariadb.sock"
    with sidecar(people.stack, address, MYSQL_SOCKET=str(path)):
        device.leave("close")
        device.door = address
        device.open()
        device.wire.socket.settimeout(30)
        device.wire.accepted()
        close = closing(device.wire)
        assert close.code == 1013 and "database" in close.reason, close
        os.symlink(people.stack["MYSQL_SOCKET"], path)
        missed_nothing(caller, device, call_id, "poor")


def neglected(people, door: str, count: int, padding: int, seconds: float) -> tuple[Device, int]:
    """A device that has not read for so long while so many events came, and the last one's id."""
    caller, callee, call = people.connected()
    reader = Device(callee, door=door)
    reader.connect()
    last = write_events(people, callee, call["callId"], count, padding)
    expect.succeeded(caller.report(call["callId"], "poor"))  # the relay looks at once
    time.sleep(seconds)
    return reader, last + 1


def cut_off(reader: Device, last: int):
    """Reads until all is there or the server has ended it; its Close frame, where one came."""
    try:
        while int(reader.last) < last:
            reader.step()
    except Ended as ended:
        return ended.close
    except ConnectionResetError:
        pass
    return None


def has_lost_nothing(reader: Device, last: int) -> None:
    """Comes back as often as it takes: on a busy machine a reader may be too slow again."""
    for _ in range(20):
        if int(reader.last) < last:
            reader.come_back()
            cut_off(reader, last)
    first = int(reader.events[0]["id"])
    assert [int(event["id"]) for event in reader.events] == list(range(first, last + 1))
    assert reader.again == []
    reader.close()


@criterion("C6.4")
@pytest.mark.parametrize("door", DOORS)
def test_a_slow_reader(people, door):
    """§6.4: who does not read is cut off at the queue limit, 1013, and has lost nothing."""
    for _ in range(8):
        # Pages of several times the limit (256 KiB), and more than the system holds.
        reader, last = neglected(people, door, 400, 30_000, 1)
        close = cut_off(reader, last)
        has_lost_nothing(reader, last)
        # Now and then what waits is just below the limit when the system takes no more.
        if close is not None:
            break
    assert close is not None and close.code == 1013 and "slow" in close.reason, close


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_reader_that_takes_nothing(people):
    """With less than the limit waiting for it: dropped after 30 s, and it has lost nothing."""
    reader, last = neglected(people, "sidecar", 8000, 1000, 40)
    assert cut_off(reader, last) is None, "a Close frame would never have come"
    assert int(reader.last) < last, "all was read: it was not dropped at all"
    has_lost_nothing(reader, last)
