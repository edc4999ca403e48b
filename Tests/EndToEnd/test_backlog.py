"""Many events for one user: a long replay, and a reader that is too slow (contract §6.4)."""

from __future__ import annotations

import contextlib
import re
import socket
import time

import pytest

from support.outbox import write_events
from support.silence import upgrade
from support.stack import PATIENCE, resident_bytes, wait_until
from support.variants import variant

pytestmark = variant("unlimited")


def test_a_long_replay(people):
    """All that is kept, in order, however much it is, and then what is new."""
    caller, callee, call = people.connected()
    before = int(callee.socket().greeting["lastEventId"])
    last = write_events(people, callee, call["callId"], 3000, padding=64)
    device = callee.socket(last_event_id=before)
    assert int(device.greeting["lastEventId"]) == last
    caller.end(call["callId"])
    device.take("call_ended", timeout=60)
    numbers = [int(frame["id"]) for frame in device.events]
    assert numbers == list(range(before + 1, last + 2))


def plain_connection(people, user) -> socket.socket:
    """A connection to the sidecar itself that can take in only a few kilobytes, and has been greeted."""
    host, port = people.stack["SIGNALING_ADDRESS"].rsplit(":", 1)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE)
    connection.connect((host, int(port)))
    connection.sendall(upgrade(people.stack, user.token))
    answer = b""
    while b'"type":"connected"' not in answer:
        answer += connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101"[: len(answer)])
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
        # The greeting has come, so what follows is no replay.
        last = write_events(people, callee, call["callId"], 4000, padding=4000)
        caller.report(call["callId"], "poor")  # a hint, so that the relay looks at once
        peak = 0
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            peak = max(peak, resident_bytes(pid) - before)
            time.sleep(0.02)
        received = bytearray()
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while piece := slow.recv(1 << 20):
                received += piece
                slow.settimeout(3)
    assert peak < 4 * 1024 * 1024, peak
    numbers = [int(number) for number in re.findall(rb'"id":"(\d+)"', received)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    device = callee.socket(last_event_id=last)
    assert device.take("call_quality_warning", participantId=caller.id)
    wait_until(
        lambda: resident_bytes(pid) - before < 2 * 1024 * 1024,
        interval=0.2,
        message="memory given back",
    )
