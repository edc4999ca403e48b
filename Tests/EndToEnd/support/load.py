"""Load: clients that go on calling while a test kills what answers them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import threading
import time
from collections.abc import Callable

import requests

from support import expect
from support.people import People
from support.stack import wait_until


class Load:
    """Threads that go on asking; each remembers what it was answered."""

    def __init__(self, people, threads: int = 4):
        self.stopping = threading.Event()
        self.codes: list[int] = []
        self.texts: list[str] = []
        self.threads = [
            threading.Thread(target=self.ask, args=(people.pair(),), daemon=True)
            for _ in range(threads)
        ]

    def ask(self, pair) -> None:
        caller, callee = pair
        while not self.stopping.is_set():
            for request in (
                lambda: caller.initiate(callee),
                lambda: callee.get("/calls/active"),
                lambda: self.end(callee),
                lambda: caller.get("/calls/history"),
            ):
                try:
                    response = request()
                    code = response.status_code if response is not None else 200
                    if code >= 500:
                        self.texts.append(expect.described(response))
                except requests.RequestException as error:
                    code, _ = 599, self.texts.append(repr(error))
                self.codes.append(code)

    @staticmethod
    def end(callee):
        active = callee.get("/calls/active")
        if active.status_code != 200 or active.json()["data"] is None:
            return active
        return callee.post(f"/calls/{active.json()['data']['callId']}/end", {})

    @property
    def lost(self) -> list[str]:
        return self.texts

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: len(self.codes) > 20, 60, message="load")
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class Traffic:
    """Clients of host a that read, and others that call and hang up, and what they were answered."""

    def __init__(self, people: People):
        self.answers: list[tuple[float, float, int]] = []
        self.unanswered: list[str] = []
        self.stop = threading.Event()
        self.readers = people.pair()
        self.pairs = [people.pair() for _ in range(2)]

    def ask(self, request):
        """One request, with its beginning and end."""
        begin = time.monotonic()
        response = request()
        self.answers.append((begin, time.monotonic(), response.status_code))
        if response.status_code == 503 and int(response.headers["Retry-After"]) < 1:
            self.unanswered.append("503 without Retry-After")
        return response

    def read(self, person) -> None:
        self.ask(lambda: person.get("/calls/active", timeout=60))

    def call(self, caller, callee) -> None:
        response = self.ask(lambda: caller.initiate(callee, timeout=60))
        body = response.json()
        if response.status_code == 201:
            call_id = body["data"]["callId"]
        elif response.status_code == 409:  # made by a request whose answer was 503
            call_id = (body["error"].get("details") or {}).get("activeCallId")
        else:
            return
        if call_id:
            self.ask(lambda: caller.post(f"/calls/{call_id}/end", {}, timeout=60))

    @contextlib.contextmanager
    def flowing(self):
        def go_on(step, *persons) -> None:
            while not self.stop.is_set():
                try:
                    step(*persons)
                except Exception as error:
                    self.unanswered.append(repr(error))
                time.sleep(0.01)

        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            for person in self.readers:
                threads.submit(go_on, self.read, person)
            for pair in self.pairs:
                threads.submit(go_on, self.call, *pair)
            try:
                yield self
            finally:
                self.stop.set()

    def await_success(self, remedy: Callable[[], None] = lambda: None) -> None:
        """Waits until a request that is sent from now on has succeeded; tries the remedy each time that none has for
        15 s."""
        now = last = time.monotonic()

        def succeeds() -> bool:
            nonlocal last
            if time.monotonic() - last > 15:
                remedy()
                last = time.monotonic()
            return any(begin > now and status < 300 for begin, _, status in list(self.answers))

        wait_until(succeeds, 60, 0.1)

    def described(self, moment: float) -> str:
        """What happened from a moment on."""
        after = [entry for entry in self.answers if entry[1] >= moment]
        successes = sorted(end for _, end, status in self.answers if status < 300)
        gap = max(later - earlier for earlier, later in itertools.pairwise(successes))
        failed = sum(status >= 500 for _, _, status in after)
        slowest = max(end - begin for begin, end, _ in after)
        return (
            f"{gap:.1f} s without a success, {failed} of {len(after)} requests failed (503), "
            f"the slowest took {slowest:.1f} s"
        )

    def check(self) -> None:
        assert not self.unanswered
        assert {status for _, _, status in self.answers} <= {200, 201, 409, 503}
