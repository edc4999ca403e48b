"""A user's device: a socket that comes back, with the last event it has seen, whenever it breaks (contract 6.4)."""

from __future__ import annotations

import asyncio
import json
import random
import time
import urllib.parse

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from Chaos.records import Answer, Records
from description import frames
from support.people import Person
from support.sockets import EVENTS

STAYS_SECONDS, AWAY_SECONDS = 8.0, 2.0
HEARTBEAT_SECONDS = 10.0
COMMAND_SECONDS = 12.0


class Device:
    """Keeps every event that it has been sent, checked as it came."""

    def __init__(self, places: dict[str, Person], name: str | None, seed: str, records: Records):
        # Where the user may connect, and does at present.
        self.places, self.host = places, next(iter(places))
        self.name, self.records = name, records
        self.random = random.Random(seed)
        # Number → type and data.
        self.events: dict[int, tuple[str, dict]] = {}
        self.last = 0
        self.connection_ids: set[str] = set()
        self.connection: ClientConnection | None = None
        self.results: dict[str, asyncio.Future] = {}
        # Whether the present connection has had its first message, `connected`.
        self.has_begun = False
        # False: leave and come back no more. Restless devices go away by themselves.
        self.is_wanted = self.is_restless = True
        self.is_leaving = False

    def __str__(self) -> str:
        return f"{self.person.id}/{self.name or 'without a name'}"

    @property
    def person(self) -> Person:
        return self.places[self.host]

    @property
    def url(self) -> str:
        query = {"lastEventId": str(self.last)} | ({"deviceId": self.name} if self.name else {})
        return f"{self.person.stack.ws_url}?{urllib.parse.urlencode(query)}"

    async def live(self) -> None:
        """One connection after the other, to any of the hosts."""
        while self.is_wanted:
            self.host = self.random.choice(list(self.places))
            try:
                await self.connect()
            except (OSError, ConnectionClosed, InvalidMessage, TimeoutError) as error:
                self.records.count(f"socket: {type(error).__name__}")
            except InvalidHandshake as error:
                self.refused(error)
            await asyncio.sleep(self.random.uniform(0.1, AWAY_SECONDS if self.is_restless else 0.2))

    def refused(self, error: InvalidHandshake) -> None:
        status = getattr(getattr(error, "response", None), "status_code", None)
        self.records.count(f"handshake: {status}")
        if status != 503:
            self.records.violation(
                "a handshake is refused with 503 or not at all", f"{self}: {error!r}"
            )

    async def connect(self) -> None:
        async with connect(
            self.url,
            ssl=self.person.stack.tls,
            additional_headers={"Authorization": f"Bearer {self.person.token}"},
            compression=None,
            proxy=None,
            open_timeout=15,
            close_timeout=1,
            ping_interval=None,
        ) as connection:
            self.connection, self.is_leaving, self.has_begun = connection, False, False
            errand = asyncio.create_task(self.errands(connection))
            try:
                async for text in connection:
                    self.receive(json.loads(text))
                self.records.count(f"socket closed: {connection.close_code}")
            finally:
                # One that comes while the database is away is closed where it stays away.
                if self.has_begun and not self.is_leaving:
                    self.records.lost_sockets.append((f"{self}", self.host, time.time()))
                errand.cancel()
                self.connection = None
                for waiting in self.results.values():
                    if not waiting.done():
                        waiting.set_exception(ConnectionError("no result came before the end"))
                        # Nobody waits for it where the command could not be sent.
                        waiting.exception()
                self.results.clear()

    async def errands(self, connection: ClientConnection) -> None:
        """Heartbeats, and leaving after a while: with a close frame or without one."""
        leaves = time.monotonic() + self.random.expovariate(1 / STAYS_SECONDS) + 0.5
        polite = self.random.random() < 0.3
        beats = time.monotonic() + HEARTBEAT_SECONDS
        while self.is_wanted and not (self.is_restless and time.monotonic() > leaves):
            await asyncio.sleep(0.1)
            if time.monotonic() > beats:
                beats += HEARTBEAT_SECONDS
                await connection.send('{"type":"heartbeat"}')
        await self.leave(connection, polite)

    async def leave(self, connection: ClientConnection, polite: bool) -> None:
        self.is_leaving = True
        if polite:
            await connection.close()
        else:
            connection.transport.abort()

    def receive(self, frame: dict) -> None:
        try:
            frames.check(self.person.stack.ws_url, frame)
        except AssertionError as error:
            self.records.violation("a frame is as it is described", f"{self}: {error}")
        kind, data = frame["type"], frame["data"]
        if kind in EVENTS:
            self.keep(int(frame["id"]), kind, data)
        elif kind == "connected":
            self.has_begun = True
            self.connection_ids.add(data["connectionId"])
            if int(data["lastEventId"]) < self.last or data.get("resync"):
                self.records.violation("no event is taken back", f"{self} at {self.last}: {data}")
        elif kind == "command_result":
            waiting = self.results.pop(data["requestId"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(data)

    def keep(self, number: int, kind: str, data: dict) -> None:
        """In order; what comes again is what came before."""
        if number < self.last and number not in self.events:
            self.records.violation("events come in order", f"{self}: {number} after {self.last}")
        known = self.events.setdefault(number, (kind, data))
        if known != (kind, data):
            self.records.violation(
                "an event stays what it was", f"{self} {number}: {known}, {kind} {data}"
            )
        self.last = max(self.last, number)

    async def command(self, kind: str, call_id: str, **data) -> Answer | None:
        """Sends call.accept, call.reject or call.end; nothing where there is no connection."""
        connection = self.connection
        if connection is None:
            return None
        request_id, began = f"{self.random.getrandbits(64):016x}", time.time()
        waiting = self.results[request_id] = asyncio.get_running_loop().create_future()
        answer = Answer(
            self.person.id, kind, call_id, data, None, began, began, None, host=self.host
        )
        try:
            message = {
                "type": f"call.{kind}",
                "requestId": request_id,
                "data": {"callId": call_id} | data,
            }
            await connection.send(json.dumps(message))
            result = await asyncio.wait_for(waiting, COMMAND_SECONDS)
            body = result["body"]
            answer.status, answer.data = result["status"], body.get("data")
            error = body.get("error") or {}
            answer.code, answer.details = error.get("code"), error.get("details")
        except (ConnectionClosed, ConnectionError, TimeoutError) as error:
            answer.fault = f"command: {type(error).__name__}"
            answer.was_left = self.is_leaving and not isinstance(error, TimeoutError)
        answer.ended = time.time()
        self.records.add(answer)
        return answer
