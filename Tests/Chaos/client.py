"""A user of the run: makes calls and answers them, as its part of the seed says, and notes every answer.

Its decisions come from its own generator, in the order in which it makes them; when it is asked to make
them depends on the machine.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import requests

from Chaos.device import Device
from Chaos.ledger import stamp
from Chaos.records import Answer, Records
from description import responses
from support.people import Person

# More than nginx waits for a worker (30 s): what it answers then counts too.
TIMEOUT_SECONDS = 40
# How often a user goes to another host, where there is one, without a need.
MOVES = 0.05
# How often a request with an Idempotency-Key is repeated until it is known what became of it.
REPEATS = 60
# Read often, and of no use afterwards.
READS = {"active", "details", "history", "statistics", "unseen"}
RANKS = ["initiating", "ringing", "connecting", "connected", "disconnecting"]


@dataclasses.dataclass
class Course:
    """What a user means to do with one call, drawn when the call is first seen."""

    answer: str
    patience: int
    reports: int
    takes_token: bool
    leaves: str
    turns: int = 0

    @classmethod
    def draw(cls, chance: random.Random) -> Course:
        ways = ["accept", "command", "twice", "reject", "decline", "ignore", "end"]
        return cls(
            answer=chance.choices(ways, [30, 25, 10, 10, 5, 10, 5])[0],
            patience=chance.randint(1, 12),
            reports=chance.randint(0, 2),
            takes_token=chance.random() < 0.3,
            leaves=chance.choices(["end", "command", "patch", "stay"], [45, 25, 10, 20])[0],
        )


class Client:
    def __init__(
        self,
        places: dict[str, Person],
        friends: list[Person],
        seed: str,
        records: Records,
        pool: ThreadPoolExecutor,
    ):
        self.places, self.friends, self.records, self.pool = places, friends, records, pool
        self.random = random.Random(seed)
        # Which host the user asks at present, and the kept-alive connections to each.
        self.host = self.random.choice(list(places))
        self.sessions: dict[str, requests.Session] = {}
        names = self.random.choice([[], ["phone"], ["phone"], ["phone", None], ["phone", "tablet"]])
        self.devices = [
            Device(places, name, f"{seed}:device:{index}", records)
            for index, name in enumerate(names)
        ]
        self.courses: dict[str, Course] = {}
        # Calls that are over, and the rank of the status in which others were seen last.
        self.over: set[str] = set()
        self.ranks: dict[str, int] = {}
        # False: makes no more calls and ends those it has.
        self.is_busy = True
        self.is_idle = False

    @property
    def person(self) -> Person:
        return self.places[self.host]

    async def live(self) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(0.02, 0.25))
            answer = await self.ask("active", "GET", "/calls/active")
            if answer.status != 200:
                await asyncio.sleep(0.2)
                continue
            call = answer.data
            self.is_idle = call is None
            if call is not None:
                self.observe(call)
                await self.take_turn(call)
            elif self.is_busy:
                await self.do_something()

    def observe(self, call: dict) -> None:
        """A call never goes back to an earlier status."""
        call_id, rank = call["callId"], RANKS.index(call["status"])
        if call_id in self.over or rank < self.ranks.get(call_id, 0):
            self.records.violation("a call never goes back", f"{self.person.id}: {call}")
        self.ranks[call_id] = rank

    async def take_turn(self, call: dict) -> None:
        call_id = call["callId"]
        course = self.courses.get(call_id) or self.courses.setdefault(
            call_id, Course.draw(self.random)
        )
        course.turns += 1
        is_caller = call["callerId"] == self.person.id
        if not self.is_busy:
            await self.change("end", call_id)
        elif call["status"] not in ("initiating", "ringing"):
            await self.talk(call, course)
        elif is_caller:
            if course.leaves == "end" and course.turns > course.patience:
                await self.change("end", call_id)
        else:
            await self.respond(call_id, course)

    async def respond(self, call_id: str, course: Course) -> None:
        device = self.random.choice(self.devices) if self.devices else None
        named = {"deviceId": device.name} if device and device.name else {}
        match course.answer:
            case "accept":
                await self.change("accept", call_id, **named)
            case "command" if device and device.connection:
                self.note(await device.command("accept", call_id))
            case "twice":
                answers = [self.change("accept", call_id, deviceId=f"desk-{n}") for n in range(2)]
                await asyncio.gather(*answers)
            case "reject":
                await self.change("reject", call_id, reason="busy")
            case "decline" if device and device.connection:
                self.note(await device.command("reject", call_id, reason="declined"))
            case "end":
                await self.change("end", call_id)
            case "command" | "decline":
                await self.change("reject", call_id)

    async def talk(self, call: dict, course: Course) -> None:
        call_id = call["callId"]
        if call["status"] == "connecting":
            await self.change("connected", call_id)
        if course.takes_token:
            course.takes_token = False
            await self.take_tokens(call["channelId"], call_id)
        if course.reports > 0:
            course.reports -= 1
            quality = self.random.choice(["excellent", "good", "poor", "bad", "veryBad"])
            loss, trip = self.random.random(), self.random.randint(1, 900)
            body = {"networkQuality": quality, "packetLossRate": loss, "roundTripTime": trip}
            await self.ask("quality", "POST", f"/calls/{call_id}/quality", body, call_id)
        if course.turns <= course.patience or course.leaves == "stay":
            return
        device = self.random.choice(self.devices) if self.devices else None
        if course.leaves == "command" and device and device.connection:
            self.note(await device.command("end", call_id))
        elif course.leaves == "patch" and call["status"] != "disconnecting":
            await self.change("disconnecting", call_id)
        elif course.leaves != "patch":
            await self.change("end", call_id)

    async def take_tokens(self, channel_id: str, call_id: str) -> None:
        body = {"channelId": channel_id, "role": "publisher"}
        first = await self.ask("token", "POST", "/agora/token/generate", body, call_id)
        if first.succeeded:
            body = {"channelId": channel_id, "oldToken": first.data["token"]}
            await self.ask("refresh", "POST", "/agora/token/refresh", body, call_id)

    async def change(self, kind: str, call_id: str, **body) -> Answer:
        if kind in ("connected", "disconnecting"):
            answer = await self.ask(
                kind, "PATCH", f"/calls/{call_id}/status", {"status": kind}, call_id
            )
        else:
            answer = await self.ask(kind, "POST", f"/calls/{call_id}/{kind}", body, call_id)
        return self.note(answer)

    def note(self, answer: Answer | None) -> Answer | None:
        """A call that is over stays so."""
        ended = answer is not None and answer.succeeded and answer.kind in ("end", "reject")
        if ended or (answer is not None and answer.status == 410):
            self.over.add(answer.call_id)
        return answer

    async def do_something(self) -> None:
        """While the user is in no call."""
        what = self.random.choices(
            [
                "call",
                "history",
                "delete",
                "statistics",
                "seen",
                "availability",
                "unseen",
                "nothing",
            ],
            [60, 5, 5, 4, 5, 3, 4, 14],
        )[0]
        match what:
            case "call":
                await self.call()
            case "history" | "statistics":
                await self.ask(what, "GET", f"/calls/{what}")
            case "unseen":
                await self.ask("unseen", "GET", "/calls/history/unseen")
            case "seen":
                await self.ask("seen", "POST", "/calls/history/seen", {})
            case "delete":
                await self.delete()
            case "availability":
                await self.ask("availability", "PUT", "/me/availability", self.availability())

    def availability(self) -> dict:
        """Not to be disturbed for a moment, or to be disturbed again."""
        until = time.time() + self.random.uniform(0.5, 3)
        if self.random.random() < 0.5:
            return {"doNotDisturb": False}
        return {"doNotDisturb": True, "until": stamp(until)}

    async def delete(self) -> None:
        """Takes an entry out of the history."""
        answer = await self.ask("history", "GET", "/calls/history?limit=10")
        if answer.succeeded and answer.data["calls"]:
            call_id = self.random.choice(answer.data["calls"])["callId"]
            await self.ask("delete", "DELETE", f"/calls/history/{call_id}", None, call_id)

    async def call(self) -> None:
        """With an Idempotency-Key it is repeated until it is known what became of it."""
        callee = self.random.choice(self.friends)
        body = {"calleeId": callee.id, "callType": self.random.choice(["audio", "video"])}
        if self.random.random() < 0.25:
            body["joinIncoming"] = True
        key = (
            uuid.UUID(int=self.random.getrandbits(128)).hex if self.random.random() < 0.7 else None
        )
        for _ in range(REPEATS if key else 1):
            answer = await self.ask("initiate", "POST", "/calls/initiate", body, None, key)
            if answer.status == 201:
                self.records.count("calls")
            if not answer.is_ambiguous:
                break
            await asyncio.sleep(self.random.uniform(0.1, 0.6))

    async def ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: dict | None = None,
        call_id: str | None = None,
        key: str | None = None,
    ) -> Answer:
        loop = asyncio.get_running_loop()
        answer = Answer(
            self.person.id, kind, call_id, body or {}, key, time.time(), 0.0, None, host=self.host
        )
        await loop.run_in_executor(self.pool, self.send, answer, method, path)
        if answer.status is None or self.random.random() < MOVES:
            self.host = self.random.choice(list(self.places))
        self.records.add(answer if kind not in READS else dataclasses.replace(answer, data=None))
        return answer

    def send(self, answer: Answer, method: str, path: str) -> None:
        """One request; what is not as the description has it breaks a rule."""
        headers = {"Authorization": f"Bearer {self.person.token}"}
        if answer.key is not None:
            headers["Idempotency-Key"] = answer.key
        body = answer.sent if method in ("POST", "PUT", "PATCH") else None
        try:
            response = self.session(answer.host).request(
                method,
                self.places[answer.host].stack.api_url + path,
                json=body,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
            )
            answer.status = response.status_code
            self.read(answer, response)
        except (requests.RequestException, ValueError) as error:
            answer.fault = f"{type(error).__name__}: {str(error)[-200:]}"
        answer.ended = time.time()

    def read(self, answer: Answer, response: requests.Response) -> None:
        found = responses.faults(response, has_body=True)
        if found:
            self.records.violation(
                "an answer is as it is described", f"{answer}: {found} {response.text[:500]}"
            )
        body = response.json()
        error = body.get("error") or {}
        answer.data, answer.request_id = body.get("data"), body.get("requestId")
        answer.code, answer.details = error.get("code"), error.get("details")
        if answer.status == 503 and not response.headers.get("Retry-After", "").isdigit():
            self.records.violation("a 503 says when to come again", answer)

    def session(self, host: str) -> requests.Session:
        """The user's own kept-alive connection: its requests take turns, but for an accept from two devices."""
        if host not in self.sessions:
            made = self.sessions[host] = requests.Session()
            made.trust_env = False
            made.verify = self.places[host].stack.constant("CA_FILE")
        return self.sessions[host]

    def close(self) -> None:
        for session in self.sessions.values():
            session.close()
