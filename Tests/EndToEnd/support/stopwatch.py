"""How long something took, without the time in which the machine let nothing of this process run."""

from __future__ import annotations

import threading
import time

# How long the thread sleeps at a time, and what it may sleep longer by on any machine.
SLEEP_SECONDS, USUAL_SECONDS = 0.02, 0.05


class Stopwatch:
    """A block's `seconds`. A thread beside it sleeps again and again: by what it sleeps too long everything on the
    machine is held up, since it asks for next to nothing."""

    def __enter__(self):
        self.is_over = threading.Event()
        self.lost = 0.0
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        self.began = time.monotonic()
        return self

    def __exit__(self, *_):
        took = time.monotonic() - self.began
        self.is_over.set()
        self.thread.join()
        self.seconds = took - self.lost

    def watch(self) -> None:
        while not self.is_over.is_set():
            began = time.monotonic()
            self.is_over.wait(SLEEP_SECONDS)
            late = time.monotonic() - began - SLEEP_SECONDS
            if late > USUAL_SECONDS:
                self.lost += late
