"""How long this machine stood still, or was too busy to wake this process: what is late by that is late by nobody's fault."""

from __future__ import annotations

import threading
import time

STEP = 0.02


class Pauses:
    """As long as the block lasts a thread wakes up fifty times a second, and adds up by how much it was late."""

    def __init__(self):
        self.counted = self.most = 0.0
        self.began = self.slept = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> Pauses:
        self.began = self.slept = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        ended = time.monotonic()
        self.over.set()
        self.thread.join()
        self.count(ended)

    def watch(self) -> None:
        while not self.over.wait(STEP):
            self.count(time.monotonic())

    def count(self, now: float) -> None:
        """The sleep that ended at a moment: what another thread sees of it meanwhile is too much and not too little."""
        late = self.late_at(now)
        self.counted += late
        self.most = max(self.most, late)
        self.slept = now

    def late_at(self, now: float) -> float:
        return max(0.0, now - self.slept - STEP)

    @property
    def late(self) -> float:
        """Of the thread's present sleep, from which it may not have woken up yet."""
        return 0.0 if self.over.is_set() else self.late_at(time.monotonic())

    @property
    def seconds(self) -> float:
        """In all."""
        return self.counted + self.late

    @property
    def longest(self) -> float:
        return max(self.most, self.late)

    @property
    def took(self) -> float:
        """Since the block began, without them."""
        return time.monotonic() - self.began - self.seconds
