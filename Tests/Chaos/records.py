"""What happened in a run as the clients saw it: every answer, and what broke a rule."""

from __future__ import annotations

import bisect
import collections
import dataclasses
import threading
import time
from typing import NamedTuple


@dataclasses.dataclass
class Answer:
    """One request or command and what became of it."""

    user: str
    # What was asked: initiate, accept, …
    kind: str
    # The call that it was about, where there was one.
    call_id: str | None
    sent: dict
    key: str | None
    # Seconds since the epoch.
    began: float
    ended: float
    # None: no answer came, so nobody knows what it did.
    status: int | None
    data: dict | list | None = None
    code: str | None = None
    details: object = None
    request_id: str | None = None
    fault: str = ""
    # Whether its device went away by itself before the answer came.
    was_left: bool = False
    # Where it was sent, among several hosts.
    host: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status in (200, 201)

    @property
    def is_ambiguous(self) -> bool:
        """Whether the request may have been carried out, or may still be, for all that its client knows."""
        return self.status is None or self.status == 503

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.gmtime(self.began)) + f"{self.began % 1:.3f}"[1:]
        took = f"{self.ended - self.began:.2f} s"
        host = self.host and f"@{self.host}"
        return f"{clock} {self.user}{host} {self.kind} {self.call_id or ''} → {self.status} {self.code or self.fault} ({took})"


class Kind(NamedTuple):
    """What a fault is, but for its chances."""

    way: str
    target: str
    # Whose program it is; empty where there is one host, and of what all hosts share.
    host: str = ""


@dataclasses.dataclass
class Outage:
    """From a fault, or two, until the stack was whole again."""

    name: str
    began: float
    ended: float
    faults: tuple[Kind, ...] = ()

    def at(self, host: str) -> list[Kind]:
        """Its faults, without those of another host's programs."""
        return [kind for kind in self.faults if not host or kind.host in ("", host)]


class Records:
    """Written by clients, devices and faults, each in its own thread or task."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers: list[Answer] = []
        self.outages: list[Outage] = []
        # When the machine was too busy for this process, and so for others.
        self.stalls: list[Outage] = []
        # Whose socket broke, at which host, although its device meant to stay, and when.
        self.lost_sockets: list[tuple[str, str, float]] = []
        self.violations: collections.defaultdict[str, list[str]] = collections.defaultdict(list)
        self.counts: collections.Counter[str] = collections.Counter()

    def add(self, answer: Answer) -> None:
        with self.lock:
            self.answers.append(answer)

    def violation(self, rule: str, what: object) -> None:
        with self.lock:
            self.violations[rule].append(str(what))

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def of(self, *kinds: str) -> list[Answer]:
        return [answer for answer in self.answers if answer.kind in kinds]

    def uptime(self, since: float, until: float) -> float:
        """The seconds between two moments in which no fault was under way and the machine did not stand still."""
        up, moment = 0.0, since
        for outage in sorted(self.outages + self.stalls, key=lambda outage: outage.began):
            if outage.began >= until:
                break
            up += max(0.0, outage.began - moment)
            moment = max(moment, outage.ended)
        return up + max(0.0, until - moment)

    def near(self, began: float, ended: float, seconds: float) -> list[Outage]:
        """The faults that were under way between two moments, or shortly before."""
        found = []
        for outages in (self.outages, self.stalls):
            # Each list is in the order of time, and none in it begins before another's end.
            index = bisect.bisect_right(outages, ended, key=lambda outage: outage.began)
            while index > 0 and began <= outages[index - 1].ended + seconds:
                index -= 1
                found.append(outages[index])
        return found

    def without_violations(self) -> Records:
        """The same answers and outages, to be judged anew."""
        copy = Records()
        copy.answers, copy.outages, copy.stalls = self.answers, self.outages, self.stalls
        return copy

    def statuses(self) -> dict[str, int]:
        """How many requests got which status."""
        found = collections.Counter(str(answer.status or "none") for answer in self.answers)
        return dict(sorted(found.items()))
