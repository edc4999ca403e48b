"""A worker that hangs, and clients by the thousand that are slow: neither is in anybody's way (design §1). They take
their time: `pytest -m slow`."""

from __future__ import annotations

import resource
import signal
import socket
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import expect
from support.crowd import capacity
from support.logs import program_lines
from support.outages import POOL, descriptors, kill
from support.raw import dial
from support.stack import wait_until

pytestmark = pytest.mark.slow
criterion = pytest.mark.criterion

# What the web server waits for a worker (nginx/chattrix/worker.conf), and what the supervisor does (README).
ANSWER_SECONDS, HANG_SECONDS = 30, 35


@criterion("R12.4")
@pytest.mark.variant("fragile")
@pytest.mark.xdist_group("fragile")
def test_a_worker_that_hangs(people, stack):
    """Its client gets a 503, all others their answers; the supervisor kills it after 35 s and starts another."""
    caller, callee = people.pair()
    caller.end(caller.call(callee)["callId"])  # makes their lines
    for _ in range(12 * POOL):
        caller.active()  # so that no worker has a connection still to make
    before = descriptors(stack)
    with stack.connect() as connection, connection.cursor() as cursor, ThreadPoolExecutor(1) as one:
        connection.begin()
        cursor.execute("SELECT * FROM user_lines WHERE user_id = %s FOR UPDATE", caller.id)
        began = time.monotonic()
        body = {"calleeId": callee.id, "callType": "audio"}
        waiting = one.submit(caller.post, "/calls/initiate", json=body, timeout=60)

        def with_a_request():
            return [pid for pid, count in descriptors(stack).items() if count > before[pid]]

        (victim,) = wait_until(with_a_request, 4, 0.01)
        kill(victim, signal.SIGSTOP)
        connection.rollback()
        for _ in range(10 * POOL):
            assert people.person().active() is None
        refusal = waiting.result()
    assert time.monotonic() - began > ANSWER_SECONDS - 2
    expect.refused(refusal, 503, "SERVICE_UNAVAILABLE")
    assert int(refusal.headers["Retry-After"]) >= 1
    wait_until(lambda: victim not in stack.workers() and len(stack.workers()) == POOL, HANG_SECONDS)
    assert time.monotonic() - began > HANG_SECONDS - 1
    (line,) = [
        line
        for line in program_lines(stack)
        if line["event"] == "worker_hangs" and line["worker"] == victim
    ]
    assert line["level"] == "error" and line["milliseconds"] >= HANG_SECONDS * 1000
    # If the call was made, it has rung for its time, and nothing is left of it.
    wait_until(lambda: caller.active() is None and callee.active() is None, 30, 0.2)
    caller.end(caller.call(callee)["callId"])


WANTED = 2_000


class SlowClients:
    """Connections that send the parts of a request now and then: half of them its head, half its body."""

    def __init__(self, stack, token: str):
        self.host = urllib.parse.urlsplit(stack.api_url).netloc
        self.stack = stack
        self.head = (
            f"POST /api/v1/calls/initiate HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        ).encode()
        self.opened: list[tuple[socket.socket, bytes]] = []
        self.is_over = threading.Event()
        self.rounds = 0

    def open(self, number: int) -> None:
        connection = dial(self.stack, self.stack.shared_tls, timeout=30)
        if number % 2:
            connection.sendall(self.head)
            self.opened.append((connection, b"X"))
        else:
            connection.sendall(self.head + b"Content-Length: 2000\r\n\r\n{")
            self.opened.append((connection, b" "))

    def drip(self) -> None:
        """A byte of each every second or so."""
        while not self.is_over.wait(1):
            for connection, byte in self.opened:
                try:
                    connection.sendall(byte)
                except OSError:
                    continue
            self.rounds += 1

    def close(self) -> None:
        self.is_over.set()
        for connection, _ in self.opened:
            connection.close()


@criterion("R11.1")
@pytest.mark.variant("crowded")
@pytest.mark.xdist_group("crowded")
def test_thousands_of_slow_clients(people, stack):
    """2,000 requests that arrive a byte a second, with two workers: calls go on beside them."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(WANTED, capacity(WANTED))
    assert count >= 1000, "too few descriptors (ulimit -n)"
    clients = SlowClients(stack, people.person().token)
    dripping = threading.Thread(target=clients.drip)
    try:
        dripping.start()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(clients.open, range(count)))
        took = []
        for _ in range(50):
            caller, callee = people.pair()
            listening = callee.socket()
            began = time.monotonic()
            call = caller.call(callee)
            listening.take("call_invitation", timeout=10, callId=call["callId"])
            callee.accept(call["callId"])
            caller.end(call["callId"])
            took.append(time.monotonic() - began)
            listening.close()
        took.sort()
        print(f"{count} slow clients, {clients.rounds} bytes each; a call: {took[25]:.3f} s")
        assert took[-1] < 5, took[-5:]
        assert clients.rounds >= 1
        assert len(stack.workers()) == 2
    finally:
        clients.close()
        dripping.join()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
