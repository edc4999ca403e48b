"""Who uses the service while it is restarted: devices that come back whenever their connection ends (contract
§6.4), and users who go on calling. Both note whatever an upgrade must not do."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import random
import threading

import requests
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from support import expect
from support.people import Person
from support.stack import Stack, wait_until

BACK_OFF_SECONDS = 1


class Device:
    """A user's device, which follows the user's events over any number of connections."""

    def __init__(self, person: Person):
        self.person = person
        self.last: int | None = None
        self.events = 0
        self.is_connected = False
        self.connections = 0
        self.closes: list[int | None] = []
        self.faults: list[str] = []

    async def live(self, stack: Stack) -> None:
        while True:
            try:
                async with self.connection(stack) as socket:
                    async for text in socket:
                        self.take(json.loads(text))
                self.closes.append(socket.close_code)
            except ConnectionClosed as closed:
                self.closes.append(closed.rcvd and closed.rcvd.code)
            except json.JSONDecodeError as error:
                self.faults.append(f"no JSON: {error.doc[:300]!r}")
            except Exception as error:
                self.faults.append(f"handshake: {error!r}")
            self.is_connected = False
            await asyncio.sleep(random.uniform(0, BACK_OFF_SECONDS))

    def connection(self, stack: Stack):
        resumed = "" if self.last is None else f"&lastEventId={self.last}"
        return connect(
            f"{stack.ws_url}?deviceId=phone{resumed}",
            ssl=stack.tls,
            additional_headers={"Authorization": f"Bearer {self.person.token}"},
            compression=None,
            proxy=None,
            open_timeout=60,
            ping_interval=None,
        )

    def take(self, frame: dict) -> None:
        if frame["type"] == "connected":
            self.connections += 1
            self.is_connected = True
            if self.last is None:
                self.last = int(frame["data"]["lastEventId"])
            if frame["data"].get("resync"):
                self.faults.append("resync")
        elif "id" in frame:
            number = int(frame["id"])
            # An invitation that still rings may be repeated; nothing may be passed over.
            if number > self.last + 1:
                self.faults.append(f"{frame['type']} {number} after {self.last}")
            self.events += number > self.last
            self.last = max(self.last, number)


class Devices:
    """One for each of these users, in a thread of their own."""

    def __init__(self, stack: Stack, persons: list[Person]):
        self.stack = stack
        self.devices = [Device(person) for person in persons]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.tasks = [
            asyncio.run_coroutine_threadsafe(device.live(self.stack), self.loop)
            for device in self.devices
        ]
        self.await_connected()
        return self

    def __exit__(self, *_):
        for task in self.tasks:
            task.cancel()
        # The connections close in their own time.
        asyncio.run_coroutine_threadsafe(self.finish(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    @staticmethod
    async def finish() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=30)

    def await_connected(self, seconds: float = 90) -> None:
        def connected():
            return all(device.is_connected for device in self.devices)

        wait_until(connected, seconds, 0.05, "all devices connected")

    def await_closed(self, each: int, seconds: float = 90) -> None:
        """Until every device has seen so many connections end."""

        def closed():
            return all(len(device.closes) >= each for device in self.devices)

        wait_until(closed, seconds, 0.05, f"{each} closed connections of each device")

    def await_events(self, seconds: float = 90) -> None:
        """Until each has had all of its user's events, which are counted from 1."""
        newest = {
            row["user_id"]: row["last_event_id"]
            for row in self.stack.sql("SELECT user_id, last_event_id FROM user_lines")
        }

        def behind():
            return [d for d in self.devices if d.events < newest.get(d.person.id, 0)]

        wait_until(lambda: not behind(), seconds, 0.05, "every event")

    @property
    def faults(self) -> list[str]:
        return [fault for device in self.devices for fault in device.faults]

    @property
    def codes(self) -> collections.Counter:
        return collections.Counter(code for device in self.devices for code in device.closes)

    @property
    def events(self) -> int:
        return sum(device.events for device in self.devices)


class Calls:
    """Threads that call all the time, each the pairs that are its own; what is not answered with 2xx is a fault.

    A call is answered by a device that is not connected, so that the connected one is told of every event.
    """

    def __init__(self, pairs: list[tuple[Person, Person]], threads: int):
        self.stopping = threading.Event()
        self.answered = 0
        self.faults: list[str] = []
        self.threads = [
            threading.Thread(target=self.ask, args=(pairs[index::threads],), daemon=True)
            for index in range(threads)
        ]

    def ask(self, pairs: list[tuple[Person, Person]]) -> None:
        while not self.stopping.is_set():
            caller, callee = random.choice(pairs)
            call = self.request(lambda c=caller, p=callee: c.initiate(p))
            if call is None:
                continue
            path = f"/calls/{call['callId']}"
            self.request(lambda c=callee, p=path: c.post(f"{p}/accept", {"deviceId": "tablet"}))
            self.request(lambda c=caller, p=path: c.patch(f"{p}/status", {"status": "connected"}))
            self.request(lambda c=caller: c.get("/calls/active"))
            self.request(lambda c=callee, p=path: c.post(f"{p}/end", {}))
            self.request(lambda c=callee: c.get("/calls/history"))

    def request(self, send) -> dict | None:
        try:
            response = send()
        except requests.RequestException as error:
            self.faults.append(repr(error))
            return None
        if response.ok:
            self.answered += 1
            return response.json()["data"]
        self.faults.append(expect.described(response))
        return None

    def go_on(self, requests_: int = 50, seconds: float = 120) -> None:
        """Until so many more have been answered."""
        wanted = self.answered + requests_
        wait_until(lambda: self.answered >= wanted, seconds, message=f"{requests_} more answers")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.go_on(20)
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def in_use(stack: Stack, people, count: int, threads: int):
    """So many connected devices, and calls between their users; gives both."""
    pairs = [people.pair() for _ in range(count // 2)]
    with Devices(stack, [person for pair in pairs for person in pair]) as devices:
        with Calls(pairs, threads) as calls:
            yield devices, calls
        devices.await_connected()
        devices.await_events()
