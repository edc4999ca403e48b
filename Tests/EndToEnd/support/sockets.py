"""A signaling connection: what `websockets` receives, checked frame by frame (contract §6)."""

from __future__ import annotations

import json
import time
import urllib.parse

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from description import frames
from support import expect
from support.stack import PATIENCE, Stack

# What is written to a user's outbox, and so has an id that rises.
EVENTS = {
    "call_invitation",
    "call_ringing",
    "call_accepted",
    "call_answered_elsewhere",
    "call_rejected",
    "call_status_updated",
    "call_ended",
    "call_timeout",
    "call_quality_warning",
    "history_seen",
}
# What speaks to one connection only. The contract is silent about `error`, the answer to a frame
# that cannot be read.
OWN = {"connected", "auth_expiring", "command_result", "heartbeat.ack", "error"}

opened: list[Socket] = []


class Socket:
    """One connection. Frames that a test did not ask for yet stay in `unread`."""

    def __init__(
        self,
        stack: Stack,
        *,
        token: str | None = None,
        path: str = "",
        device: str | None = None,
        last_event_id: int | str | None = None,
        query: dict | None = None,
        origin: str | None = None,
        subprotocols: list[str] | None = None,
        greeted: bool = True,
    ):
        parameters = dict(query or {})
        if device is not None:
            parameters["deviceId"] = device
        if last_event_id is not None:
            parameters["lastEventId"] = str(last_event_id)
        url = stack.ws_url + path
        if parameters:
            url += "?" + urllib.parse.urlencode(parameters)
        self.url = url
        self.connection = connect(
            url,
            ssl=stack.shared_tls,
            additional_headers={} if token is None else {"Authorization": f"Bearer {token}"},
            origin=origin,
            subprotocols=subprotocols,
            compression=None,
            proxy=None,
            open_timeout=PATIENCE,
            close_timeout=2,
            ping_interval=None,
            max_queue=None,
            legacy=True,
        )
        opened.append(self)
        self.frames: list[dict] = []
        self.unread: list[dict] = []
        # Of the events that came: the highest id, and all of them.
        self.newest, self.numbers = -1, set()
        self.greeting: dict = {}
        if greeted:
            frame = self.receive(PATIENCE)
            assert frame["type"] == "connected", frame
            self.unread.remove(frame)
            self.greeting = frame["data"]

    def receive(self, timeout: float) -> dict | None:
        """The next frame, or nothing when none came in time; every frame is checked here."""
        try:
            text = self.connection.recv(timeout=timeout)
        except TimeoutError:
            return None
        assert isinstance(text, str), "a binary frame"
        frame = json.loads(text)
        frames.check(self.url, frame)
        assert frame["type"] in EVENTS | OWN, frame
        assert {"type", "data", "timestamp"} <= set(frame) <= {"id", "type", "data", "timestamp"}
        expect.moment(frame["timestamp"])
        if frame["type"] in EVENTS:
            assert isinstance(frame["id"], str) and frame["id"].isdigit(), frame
            self.check_order(frame)
        self.frames.append(frame)
        self.unread.append(frame)
        return frame

    def check_order(self, frame: dict) -> None:
        """In order per user; an event may come twice, but never late for the first time."""
        number = int(frame["id"])
        assert number > self.newest or number in self.numbers, (sorted(self.numbers), frame)
        self.newest = max(number, self.newest)
        self.numbers.add(number)

    @property
    def events(self) -> list[dict]:
        """The events received so far, without what speaks to this connection only."""
        return [frame for frame in self.frames if frame["type"] in EVENTS]

    @property
    def types(self) -> list[str]:
        return [frame["type"] for frame in self.events]

    def take(self, kind: str, timeout: float = PATIENCE, **members) -> dict:
        """The next unread frame of a type with these data members; others are kept."""
        deadline = time.monotonic() + timeout

        def fits(frame):
            data = frame["data"]
            return frame["type"] == kind and all(
                name in data and data[name] == value for name, value in members.items()
            )

        frame = next(filter(fits, self.unread), None)
        while frame is None:
            left = deadline - time.monotonic()
            came = self.receive(left) if left > 0 else None
            if came is None:
                got = [(frame["type"], frame["data"]) for frame in self.frames]
                raise AssertionError(f"no {kind} with {members} in {timeout} s; came: {got}")
            frame = came if fits(came) else None
        self.unread.remove(frame)
        return frame

    def until(self, call_id: str, timeout: float = PATIENCE) -> list[dict]:
        """All events up to the first one of that call, which serves as a fence, exclusive."""
        deadline = time.monotonic() + timeout
        while True:
            for index, frame in enumerate(self.events):
                if frame["data"].get("callId") == call_id:
                    return self.events[:index]
            left = deadline - time.monotonic()
            if left <= 0 or self.receive(left) is None:
                raise AssertionError(f"nothing of {call_id} in {timeout} s; came: {self.types}")

    def listen(self, seconds: float) -> list[dict]:
        """The events that come within a time: for where no later event can be the fence."""
        deadline = time.monotonic() + seconds
        before = len(self.frames)
        while (left := deadline - time.monotonic()) > 0:
            self.receive(left)
        return [frame for frame in self.frames[before:] if frame["type"] in EVENTS]

    def send(self, message: dict | str | bytes) -> None:
        self.connection.send(json.dumps(message) if isinstance(message, dict) else message)

    def command(self, kind: str, request_id="r-1", timeout=PATIENCE, member="data", **data) -> dict:
        """Sends a command and gives the data of its result."""
        self.send({"type": kind, "requestId": request_id, member: data})
        return self.take("command_result", timeout, requestId=request_id)["data"]

    def heartbeat(self) -> dict:
        self.send({"type": "heartbeat"})
        return self.take("heartbeat.ack")["data"]

    def closed(self, timeout: float = PATIENCE) -> int | None:
        """Waits until the server closes and gives the code (None: without a close frame)."""
        deadline = time.monotonic() + timeout
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.receive(left)
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code
        raise AssertionError(f"still open after {timeout} s")

    def close(self) -> None:
        self.connection.close()


def close_all() -> None:
    """Closes what a test opened."""
    while opened:
        opened.pop().close()
