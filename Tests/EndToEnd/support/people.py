"""Users made for one test, straight in the database, and what they do through the API."""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
import uuid

import requests

from description import responses
from support import expect, keys
from support.clock import prolong
from support.sockets import Socket
from support.stack import PATIENCE, Stack, wait_until

TIMEOUT_SECONDS = 45
connections = threading.local()


def session(stack: Stack) -> requests.Session:
    """This thread's kept-alive connection to a stack; it reads no proxy or netrc."""
    sessions = connections.__dict__.setdefault("sessions", {})
    if stack.api_url not in sessions:
        made = sessions[stack.api_url] = requests.Session()
        made.trust_env = False
        made.verify = stack.constant("CA_FILE")
        made.hooks["response"].append(responses.check)
    return sessions[stack.api_url]


def send(stack: Stack, method: str, path: str, token: str | None = None, **options):
    """One request; `path` is below /api/v1, or a whole URL."""
    headers = dict(options.pop("headers", None) or {})
    if token is not None:
        headers.setdefault("Authorization", f"Bearer {token}")
    url = path if "://" in path else stack.api_url + path
    options.setdefault("timeout", TIMEOUT_SECONDS)
    return session(stack).request(method, url, headers=headers, **options)


@dataclasses.dataclass
class Person:
    """A user with a login."""

    stack: Stack
    id: str
    full_name: str
    avatar: str | None

    @functools.cached_property
    def token(self) -> str:
        claims = {}
        if self.stack.get("JWT_ISSUER"):
            claims["iss"] = self.stack["JWT_ISSUER"]
        if self.stack.get("JWT_AUDIENCE"):
            claims["aud"] = self.stack["JWT_AUDIENCE"]
        return keys.token(self.stack.constant("JWT_SECRET"), self.id, **claims)

    def send(self, method: str, path: str, **options) -> requests.Response:
        return send(self.stack, method, path, self.token, **options)

    def get(self, path: str, **options) -> requests.Response:
        return self.send("GET", path, **options)

    def post(self, path: str, json=None, **options) -> requests.Response:
        return self.send("POST", path, json=json, **options)

    def patch(self, path: str, json=None, **options) -> requests.Response:
        return self.send("PATCH", path, json=json, **options)

    def delete(self, path: str, **options) -> requests.Response:
        return self.send("DELETE", path, **options)

    # Calls: the request, and (for what must succeed) the data of its answer.

    def initiate(
        self,
        callee: Person | str,
        kind: str = "video",
        key: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        **others,
    ) -> requests.Response:
        callee_id = callee.id if isinstance(callee, Person) else callee
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"calleeId": callee_id, "callType": kind} | others
        return self.post("/calls/initiate", body, headers=headers, timeout=timeout)

    def call(self, callee: Person, kind: str = "video") -> dict:
        return expect.succeeded(self.initiate(callee, kind), 201)

    def accept(self, call_id: str, **body) -> dict:
        return expect.succeeded(self.post(f"/calls/{call_id}/accept", body))

    def reject(self, call_id: str, **body) -> dict:
        return expect.succeeded(self.post(f"/calls/{call_id}/reject", body))

    def end(self, call_id: str, **body) -> dict:
        return expect.succeeded(self.post(f"/calls/{call_id}/end", body))

    def quiet(self, on: bool = True, **others) -> dict:
        """Whether the user may be disturbed."""
        body = {"doNotDisturb": on} | others
        return expect.succeeded(self.send("PUT", "/me/availability", json=body))

    def set_status(self, call_id: str, status: str) -> requests.Response:
        return self.patch(f"/calls/{call_id}/status", {"status": status})

    def report(self, call_id: str, quality: str = "good", **others) -> requests.Response:
        return self.post(f"/calls/{call_id}/quality", {"networkQuality": quality} | others)

    def details(self, call_id: str) -> dict:
        return expect.succeeded(self.get(f"/calls/{call_id}"))

    def active(self) -> dict | None:
        return expect.succeeded(self.get("/calls/active"))

    def history(self, **query) -> dict:
        return expect.succeeded(self.get("/calls/history", params=query))

    def statistics(self, **query) -> dict:
        return expect.succeeded(self.get("/calls/statistics", params=query))

    def socket(self, **options) -> Socket:
        """A signaling connection, authenticated by header, closed when the test ends."""
        options.setdefault("token", self.token)
        return Socket(self.stack, **options)


class People:
    """Makes fresh users, so that tests share none and no rate limit is met by accident."""

    def __init__(self, stack: Stack):
        self.stack = stack

    def person(self, id: str | None = None, full_name: str | None = None, avatar=...) -> Person:
        identity = f"user-{uuid.uuid4().hex[:24]}" if id is None else id
        name = f"Person {identity[-8:]}" if full_name is None else full_name
        if avatar is ...:
            avatar = f"https://pictures.example/{uuid.uuid4().hex}.png"
        username = f"name{uuid.uuid4().hex[:20]}"
        self.stack.sql(
            "INSERT INTO users (id, username, full_name, avatar_url) VALUES (%s, %s, %s, %s)",
            identity,
            username,
            name,
            avatar,
        )
        return Person(self.stack, identity, name, avatar)

    def contact(self, user: Person, other: Person, status: str = "ACCEPTED") -> None:
        """Writes the one direction of a contact."""
        self.stack.sql(
            "INSERT INTO contacts (user_id, contact_user_id, status) VALUES (%s, %s, %s)",
            user.id,
            other.id,
            status,
        )

    def befriend(self, user: Person, other: Person) -> None:
        self.contact(user, other)
        self.contact(other, user)

    def pair(self) -> tuple[Person, Person]:
        """Two users who are contacts: a caller and a callee."""
        caller, callee = self.person(), self.person()
        self.befriend(caller, callee)
        return caller, callee

    def friend_of(self, person: Person) -> Person:
        """A fresh contact of somebody."""
        friend = self.person()
        self.befriend(friend, person)
        return friend

    # Calls that have got somewhere.

    def ringing(self, kind: str = "video") -> tuple[Person, Person, dict]:
        """A call that nobody has answered (`initiating`: the callee has no device connected)."""
        caller, callee = self.pair()
        return caller, callee, caller.call(callee, kind)

    def connecting(self, kind: str = "video") -> tuple[Person, Person, dict]:
        """A call that has been accepted; where it had rung out because the machine stood still, another one."""
        while True:
            caller, callee, call = self.ringing(kind)
            response = callee.post(f"/calls/{call['callId']}/accept", {})
            if response.status_code != 410 or not has_rung_out(call):
                expect.succeeded(response)
                return caller, callee, call

    def connected(self, kind: str = "video") -> tuple[Person, Person, dict]:
        caller, callee, call = self.connecting(kind)
        expect.succeeded(caller.set_status(call["callId"], "connected"))
        return caller, callee, call

    def warned(self, times: int) -> tuple[Person, Person, dict]:
        """A connected call whose callee has been warned of the caller's network."""
        caller, callee, call = self.connected()
        for _ in range(times):
            expect.succeeded(caller.report(call["callId"], "poor"))
        return caller, callee, call

    def disconnecting(self, kind: str = "video") -> tuple[Person, Person, dict]:
        caller, callee, call = self.connected(kind)
        expect.succeeded(caller.set_status(call["callId"], "disconnecting"))
        return caller, callee, call

    def disconnecting_for_long(self) -> tuple[Person, Person, dict]:
        """A call that stays so; after ten seconds it would be ended."""
        while True:
            caller, callee, call = self.disconnecting()
            prolong(self.stack, call["callId"])
            if caller.details(call["callId"])["status"] == "disconnecting":
                return caller, callee, call

    def ended(self, kind: str = "video") -> tuple[Person, Person, dict]:
        caller, callee, call = self.connected(kind)
        caller.end(call["callId"])
        return caller, callee, call

    def rejected(self, kind: str = "video") -> tuple[Person, Person, dict]:
        caller, callee, call = self.ringing(kind)
        callee.reject(call["callId"])
        return caller, callee, call

    def in_status(self, status: str) -> tuple[Person, Person, dict]:
        """A call that is in one of the statuses that a test can bring about at once."""
        if status == "initiating":
            return self.ringing()
        if status == "ringing":
            return self.with_device_ringing()
        if status == "disconnecting":
            return self.disconnecting_for_long()
        return getattr(self, status)()

    def with_device_ringing(self) -> tuple[Person, Person, dict]:
        """A call whose invitation has reached a device of the callee; where it had rung out, another one."""

        def status(caller: Person, call: dict) -> str | None:
            found = caller.details(call["callId"])["status"]
            return found if found == "ringing" or has_rung_out(call) else None

        while True:
            caller, callee = self.pair()
            device = callee.socket()
            call = caller.call(callee)
            device.take("call_invitation", callId=call["callId"])
            if wait_until(lambda p=caller, c=call: status(p, c), message="ringing") == "ringing":
                return caller, callee, call

    def wait_for_status(self, person: Person, call_id: str, status: str, timeout=PATIENCE) -> dict:
        def reached():
            details = person.details(call_id)
            return details if details["status"] == status else None

        return wait_until(reached, timeout, message=f"status {status}")


def has_rung_out(call: dict) -> bool:
    """Whether a call's deadline is over, by the clock that the stack has, too."""
    return time.time() >= expect.moment(call["expiresAt"]).timestamp()
