"""One fault after the other, now and then two at once, and the stack whole again in between."""

from __future__ import annotations

import asyncio
import time

import pymysql
import requests

from Chaos.faults import Deck, Fault, befall, named
from Chaos.processes import companions
from Chaos.records import Kind, Outage, Records
from Chaos.stage import WORKERS, Stage
from support.stack import Stack


class Conductor:
    def __init__(self, stage: Stage, records: Records, seed: str):
        self.stage, self.records = stage, records
        self.deck = Deck(seed, stage)
        self.is_wanted = True
        self.done: list[Fault] = []

    async def play(self) -> None:
        while self.is_wanted:
            await asyncio.sleep(self.deck.pause())
            await self.strike(self.deck.deal())

    async def strike(self, faults: list[Fault]) -> None:
        kinds = tuple(fault.kind for fault in faults)
        names = await asyncio.to_thread(lambda: [named(self.stage, fault) for fault in faults])
        outage = Outage(" and ".join(names), time.time(), float("inf"), kinds)
        self.records.outages.append(outage)
        results = await asyncio.gather(
            *(asyncio.to_thread(befall, self.stage, fault) for fault in faults),
            return_exceptions=True,
        )
        for fault, result in zip(faults, results, strict=True):
            if isinstance(result, BaseException):
                self.records.violation("a fault can be undone", f"{fault}: {result!r}")
        self.done += faults
        missing = await self.until_whole(kinds)
        outage.ended = time.time()
        if missing:
            self.records.violation(
                "the stack is whole again after a fault", f"{outage.name}: {missing}"
            )

    async def until_whole(self, kinds: tuple[Kind, ...]) -> str:
        """Waits; what is missing still when it has waited long enough."""
        deadline = time.monotonic() + self.stage.whole_seconds
        while missing := await asyncio.to_thread(self.missing):
            if time.monotonic() > deadline:
                break
            await asyncio.to_thread(self.mend, kinds)
            await asyncio.sleep(0.1)
        return missing

    def mend(self, kinds: tuple[Kind, ...]) -> None:
        """Brings back a server that has ended by itself, or left its cluster."""
        for name, host in self.stage.ended():
            self.records.count(f"{name} ended by itself")
            if not self.stage.may_end(name, kinds):
                self.records.violation("a server outlives its clients", f"{name}: {kinds}")
            self.stage.start(name, host)

    def missing(self) -> str:
        """What is not as it was at the beginning; nothing where all is well."""
        try:
            found = (self.stage.lacking(), *map(self.lacks, self.stage.hosts.values()))
        except (OSError, ValueError, KeyError, RuntimeError, pymysql.err.Error) as error:
            return repr(error)[:300]
        return "; ".join(filter(None, found))

    @staticmethod
    def lacks(stack: Stack) -> str:
        """The same for one host."""
        for path in ("/readyz", "/signaling/readyz"):
            options = {"timeout": 5, "verify": stack.constant("CA_FILE")}
            response = requests.get(stack["OPS_URL"].rstrip("/") + path, **options)
            if response.status_code != 200 or response.json().get("status") != "ready":
                return f"{path}: {response.status_code} {response.text[:200]}"
        workers, senders = len(stack.workers()), len(companions(stack))
        return "" if (workers, senders) == (WORKERS, 1) else f"{workers} workers, {senders} senders"
