"""How long this machine stood still, or was too busy to wake this process: what is late by that is late by nobody's fault."""

from __future__ import annotations

import threading
import time

STEP = 0.02


class Pauses:
    """As long as the block lasts a thread wakes up fifty times a second, and adds up by how much it was late."""

    def __init__(self):
        self.lost = self.longest = 0.0
        self.began = self.slept = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> Pauses:
        self.began = self.slept = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self) -> None:
        while not self.over.wait(STEP):
            late, self.slept = self.late, time.monotonic()
            self.lost += late
            self.longest = max(self.longest, late)

    @property
    def late(self) -> float:
        """Of the thread's present sleep."""
        return max(0.0, time.monotonic() - self.slept - STEP)

    @property
    def seconds(self) -> float:
        """In all, a pause included of which only the asking thread has woken up."""
        return self.lost + (0.0 if self.over.is_set() else self.late)

    @property
    def took(self) -> float:
        """Since the block began, without them."""
        return time.monotonic() - self.began - self.seconds
