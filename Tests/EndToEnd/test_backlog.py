"""Many events for one user: a long replay, and a reader that is too slow (contract §6.4)."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time

import pytest

from support.silence import upgrade
from support.stack import resident_bytes, wait_until
from support.variants import variant

pytestmark = variant("brisk")


def write_events(people, user, call_id: str, count: int, padding: int = 0) -> int:
    """Puts warnings into a user's outbox, as so many transactions would; gives the last id.

    What makes them longer is white space: JSON that means the same.
    """
    stack = people.stack
    data = json.dumps({"callId": call_id, "participantId": "p", "networkQuality": "poor"})
    padded = data[:-1] + " " * padding + "}"
    (line,) = stack.sql("SELECT last_event_id AS n FROM user_lines WHERE user_id = %s", user.id)
    first = line["n"] + 1
    rows = ", ".join(["(%s, %s, %s, 'call_quality_warning', %s, UTC_TIMESTAMP(3))"] * 50)
    for start in range(first, first + count, 50):
        values = [
            value
            for number in range(start, start + 50)
            for value in (user.id, number, call_id, padded)
        ]
        stack.sql(
            "INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at) "
            f"VALUES {rows}",
            *values,
        )
    last = first + count - 1
    stack.sql("UPDATE user_lines SET last_event_id = %s WHERE user_id = %s", last, user.id)
    return last


def test_a_long_replay(people):
    """All that is kept, in order, however much it is, and then what is new."""
    caller, callee, call = people.connected()
    before = int(callee.socket().greeting["lastEventId"])
    last = write_events(people, callee, call["callId"], 3000, padding=64)
    device = callee.socket(last_event_id=before)
    assert int(device.greeting["lastEventId"]) == last
    caller.end(call["callId"])
    device.take("call_ended", timeout=30)
    numbers = [int(frame["id"]) for frame in device.events]
    assert numbers == list(range(before + 1, last + 2))


def plain_connection(people, user) -> socket.socket:
    """A connection to the sidecar itself that can take in only a few kilobytes."""
    host, port = people.stack["SIGNALING_ADDRESS"].rsplit(":", 1)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    connection.connect((host, int(port)))
    connection.sendall(upgrade(people.stack, user.token))
    assert connection.recv(12).startswith(b"HTTP/1.1 101")
    return connection


@pytest.mark.timeout(120)
def test_a_slow_reader_is_never_buffered_without_bound(people):
    """What a reader does not take waits in the outbox, or the reader is cut off.

    Either is fine for memory; what it does get comes in order and without a gap.
    """
    caller, callee, call = people.connected()
    pid = people.stack.pid("SIGNALING")
    before = resident_bytes(pid)
    with plain_connection(people, callee) as slow:
        time.sleep(0.2)  # the greeting has been written, so what follows is no replay
        last = write_events(people, callee, call["callId"], 4000, padding=4000)
        caller.report(call["callId"], "poor")  # a hint, so that the relay looks at once
        peak = 0
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            peak = max(peak, resident_bytes(pid) - before)
            time.sleep(0.02)
        received = bytearray()
        slow.settimeout(3)
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while piece := slow.recv(1 << 20):
                received += piece
    assert peak < 4 * 1024 * 1024, peak
    numbers = [int(number) for number in re.findall(rb'"id":"(\d+)"', received)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    device = callee.socket(last_event_id=last)
    assert device.take("call_quality_warning", participantId=caller.id)
    wait_until(lambda: resident_bytes(pid) - before < 2 * 1024 * 1024, 10, 0.2, "memory given back")
