#!/usr/bin/env python3
"""From an initiate to the invitation on the callee's socket, all through nginx with TLS.

The commit itself cannot be seen from outside. Before it is the request's departure, right after it
the hint that the worker publishes in Redis, and then its 201: what is measured from the departure has
the whole transaction in it, what is measured from the hint lacks a round trip to Redis.

Runs against a stack that is up without rate limits.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import subprocess
from dataclasses import dataclass, field

import table
from stack import Stack, user_ids
from wire import HintsHeard, Loop, Requests, WebSocket, pause


@dataclass
class Call:
    left: float = 0
    answered: float = 0
    invited: float = 0
    hinted: float = 0

    def took(self, start: str, end: str) -> float:
        """Milliseconds."""
        return (getattr(self, end) - getattr(self, start)) * 1000


@dataclass
class Pair:
    """A caller and a callee, one call at a time: initiate, the invitation, the caller hangs up."""

    loop: Loop
    stack: Stack
    caller: str
    callee: str
    is_away: bool
    pause_seconds: float
    calls: list[Call] = field(default_factory=list)
    left: int = 0

    def __post_init__(self):
        self.requests = Requests(self.loop, self.stack, self.caller)
        self.socket = (
            None if self.is_away else WebSocket(self.loop, self.stack, self.callee, self.heard)
        )
        self.call = Call()
        self.call_id = None
        self.invitations: dict[str, float] = {}

    def begin(self, count: int) -> None:
        self.left = count
        self.loop.later(pause(self.pause_seconds), self.initiate)

    def initiate(self) -> None:
        self.call, self.call_id = Call(), None
        body = {"calleeId": self.callee, "callType": "video"}
        self.call.left = self.requests.post("/calls/initiate", body, self.initiated)

    def initiated(self, status: int, answer: dict, at: float) -> None:
        if status != 201:
            raise RuntimeError(f"initiate: {status} {answer}")
        self.call.answered, self.call_id = at, answer["data"]["callId"]
        self.check()

    def heard(self, kind: str, data: dict, at: float) -> None:
        if kind == "call_invitation":
            self.invitations[data["callId"]] = at
            self.check()

    def hinted(self, at: float) -> None:
        # Of the hints for the callee, the first after the departure tells of the invitation.
        if not self.call.hinted:
            self.call.hinted = at

    def check(self) -> None:
        if self.call_id is None or not (self.is_away or self.call_id in self.invitations):
            return
        self.call.invited = self.invitations.pop(self.call_id, 0)
        self.requests.post(f"/calls/{self.call_id}/end", {}, self.ended)
        self.call_id = None

    def ended(self, status: int, answer: dict, _: float) -> None:
        if status != 200:
            raise RuntimeError(f"end: {status} {answer}")
        self.calls.append(self.call)
        self.left -= 1
        if self.left:
            self.loop.later(pause(self.pause_seconds), self.initiate)


def measure(
    stack: Stack,
    pairs: int,
    calls: int,
    *,
    away: bool = False,
    hints: bool = False,
    pause_seconds: float = 0.01,
) -> list[Call]:
    """:param calls: of all pairs together."""
    loop = Loop()
    ids = user_ids(2 * pairs)
    people = [
        Pair(loop, stack, ids[2 * n], ids[2 * n + 1], away, pause_seconds) for n in range(pairs)
    ]
    if hints:
        by_callee = {pair.callee: pair for pair in people}
        HintsHeard(
            loop, stack, lambda user, at: by_callee[user].hinted(at) if user in by_callee else None
        )
    loop.run(lambda: all(pair.socket is None or pair.socket.is_open for pair in people))
    gc.collect()
    gc.disable()
    try:
        for pair in people:
            pair.begin(calls // pairs)
        loop.run(lambda: not any(pair.left for pair in people), seconds=170)
    finally:
        gc.enable()
        loop.close()
    return [call for pair in people for call in pair.calls]


def prepare(stack: Stack, pairs: int) -> None:
    ids = user_ids(2 * pairs)
    stack.users(ids)
    contacts = [(ids[n], ids[n ^ 1]) for n in range(len(ids))]
    with stack.database() as database, database.cursor() as cursor:
        cursor.executemany(
            "INSERT IGNORE INTO contacts (user_id, contact_user_id, status) VALUES (%s, %s, 'ACCEPTED')",
            contacts,
        )


@contextlib.contextmanager
def without_redis(stack: Stack):
    starter = stack.folder / "bin" / "start-redis"
    os.kill(stack.pid("REDIS"), 15)
    try:
        yield
    finally:
        subprocess.run([str(starter)], check=True)


def spread(name: str, calls: list[Call], start: str, end: str, limit: float | None = None) -> float:
    """Median, p99 and the longest of a time.

    :return: the p99."""
    values = [call.took(start, end) for call in calls]
    p50, p99 = (table.percentile(values, share) for share in (0.5, 0.99))
    verdict = "" if limit is None else f"  p99 < {limit:g}: {'met' if p99 < limit else 'MISSED'}"
    print(f"{name:52} {p50:8.2f} {p99:8.2f} {max(values):8.2f}{verdict}", flush=True)
    return p99


def one_call(stack: Stack, count: int) -> None:
    calls = measure(stack, 1, count, hints=True)
    print(f"\n{f'{count:,} calls one after another, ms':52} {'p50':>8} {'p99':>8} {'max':>8}")
    spread("commit, as its hint in Redis tells → invitation", calls, "hinted", "invited", limit=5)
    spread("201 → invitation", calls, "answered", "invited")
    spread("request leaves → invitation, transaction and all", calls, "left", "invited")
    spread("request leaves → 201", calls, "left", "answered")


def one_call_without_redis(stack: Stack, count: int) -> None:
    with without_redis(stack):
        calls = measure(stack, 10, count, pause_seconds=0.5)
    print(f"\n{f'{count:,} calls with Redis stopped, ms':52} {'p50':>8} {'p99':>8} {'max':>8}")
    spread("201 → invitation", calls, "answered", "invited", limit=300)
    spread("request leaves → invitation", calls, "left", "invited")


def beside_rest(stack: Stack, pairs: int, count: int) -> None:
    """The two taken in turns, in four blocks each."""
    there: list[Call] = []
    away: list[Call] = []
    for _ in range(4):
        away += measure(stack, pairs, count // 4, away=True, pause_seconds=0)
        there += measure(stack, pairs, count // 4, pause_seconds=0)
    print(f"\n{f'{count:,} calls, {pairs} at a time, ms':52} {'p50':>8} {'p99':>8} {'max':>8}")
    rest = spread("callee away: request leaves → 201", away, "left", "answered")
    spread("callee there: request leaves → 201", there, "left", "answered")
    invited = spread("callee there: request leaves → invitation", there, "left", "invited")
    print(
        f"{'p99 of the invitation ÷ p99 of the call':52} {invited / rest:8.2f}  <= 3: {'met' if invited <= 3 * rest else 'MISSED'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument(
        "--only", nargs="+", default=["one", "rest", "redis"], choices=["one", "rest", "redis"]
    )
    arguments = parser.parse_args()
    stack = Stack()
    prepare(stack, 16)
    if "one" in arguments.only:
        one_call(stack, arguments.calls)
    if "rest" in arguments.only:
        beside_rest(stack, 1, arguments.calls)
        beside_rest(stack, 16, 4 * arguments.calls)
    if "redis" in arguments.only:
        one_call_without_redis(stack, arguments.calls)


if __name__ == "__main__":
    main()
