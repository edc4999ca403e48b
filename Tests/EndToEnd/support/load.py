"""Load: clients that go on calling while a test kills what answers them."""

from __future__ import annotations

import threading

import requests

from support import expect
from support.stack import wait_until


class Load:
    """Threads that go on asking; each remembers what it was answered."""

    def __init__(self, people, threads: int = 4):
        self.stopping = threading.Event()
        self.codes: list[int] = []
        self.texts: list[str] = []
        self.threads = [
            threading.Thread(target=self.ask, args=(people.pair(),)) for _ in range(threads)
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
        wait_until(lambda: len(self.codes) > 20, 20, message="load")
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
