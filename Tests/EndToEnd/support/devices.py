"""A user's device as a client should be: it remembers the last event that it has wholly received,
and comes back with its id whenever its connection breaks (contract §6.4)."""

from __future__ import annotations

import dataclasses

from support.people import Person
from support.wire import PARTS, Wire


@dataclasses.dataclass(frozen=True)
class Cut:
    """Where a connection breaks: before, in, or after a device's n-th frame, and how.

    Frame 0 is the 101, 1 is `connected`; what follows counts once, however often it is sent.
    """

    frame: int
    where: str  # "before", one of PARTS, or "after"
    way: str  # one of WAYS
    late: bool = False  # stays away until one more thing has happened

    def __str__(self) -> str:
        return f"{self.where} frame {self.frame}, {self.way}{', late' if self.late else ''}"


class Device:
    """One device, whose connection may break once; what it is sent is checked as it comes."""

    def __init__(
        self,
        person: Person,
        name: str | None = None,
        cut: Cut | None = None,
        *,
        door: str = "nginx",
        last: str | None = None,
    ):
        self.person, self.name, self.door = person, name, door
        self.cut = self.due = cut
        self.last = last  # the newest event wholly received
        self.wire: Wire | None = None
        self.broken: list[Wire] = []
        self.is_away = False
        self.taken = 0  # frames wholly received, each once
        self.greetings: list[dict] = []
        self.events: list[dict] = []
        self.again: list[dict] = []  # events that came once more
        self.command: dict | None = None  # sent, and not answered yet
        self.results: list[dict] = []

    def __str__(self) -> str:
        return f"{self.name} by {self.door} ({self.cut or 'never cut'})"

    # Connecting.

    def connect(self, **options) -> None:
        """Opens a connection behind what it has seen, and reads up to `connected`."""
        self.open(**options)
        for frame, read in enumerate((self.wire.accepted, self.greet)):
            is_first = self.taken == frame
            if is_first and self.breaks_off("before", *PARTS):
                if self.due.where in PARTS:
                    self.wire.part(self.due.where, of_head=frame == 0)
                return self.break_off()
            ends = is_first and self.breaks_off("after")
            read()
            self.taken += is_first
            if ends:
                return self.break_off()

    def open(self, **options) -> None:
        query = {"deviceId": self.name, "lastEventId": self.last}
        self.wire = Wire(self.person.stack, self.person.token, door=self.door, **(query | options))

    def greet(self) -> None:
        frame = self.wire.frame()
        assert frame["type"] == "connected" and "id" not in frame, frame
        self.greetings.append(frame["data"])
        # From here on events are followed; but an invitation may be about to be repeated.
        if self.last is None and not self.rings:
            self.last = frame["data"]["lastEventId"]

    @property
    def rings(self) -> bool:
        """Whether a call waited for this user's answer when the connection opened."""
        call = self.greetings[-1]["activeCall"]
        unanswered = call is not None and call["status"] in ("initiating", "ringing")
        return unanswered and call["calleeId"] == self.person.id

    # Breaking off.

    def breaks_off(self, *places: str) -> bool:
        """Whether its cut is due at the frame that comes next, at one of these places."""
        due = self.due
        return due is not None and due.frame == self.taken and due.where in places

    def break_off(self) -> None:
        self.leave(self.due.way)
        if not self.cut.late:
            self.come_back()

    def leave(self, way: str) -> None:
        self.due, self.is_away = None, True
        self.wire.cut(way)
        if way == "close":
            assert self.wire.rest().endswith(b"\x88\x02\x03\xe8"), "1000 was not echoed"
        self.broken.append(self.wire)

    def come_back(self, **options) -> None:
        """Resumes, and says again what has not been answered."""
        self.is_away = False
        self.connect(**options)
        if self.command is not None:
            self.wire.send(self.command)

    def close(self) -> None:
        for wire in [*self.broken, self.wire]:
            if wire is not None:
                wire.close()

    # What it is sent, and says.

    def step(self) -> None:
        """Takes a frame; breaks off in it or after it where that is due."""
        if self.breaks_off(*PARTS):
            self.wire.part(self.due.where)
            return self.break_off()
        ends = self.breaks_off("after")
        if self.record(self.wire.frame()) and ends:
            self.break_off()

    def record(self, frame: dict) -> bool:
        """Notes a frame; whether it is a new one."""
        if frame["type"] == "command_result":
            is_new = self.answered(frame["data"])
        elif any(frame["id"] == event["id"] for event in self.events):
            assert frame in self.events, "an event came again as another"
            self.again.append(frame)
            is_new = False
        else:
            newest = int(self.events[-1]["id"]) if self.events else 0
            assert int(frame["id"]) > newest, (newest, frame)
            self.events.append(frame)
            self.last = frame["id"]
            is_new = True
        self.taken += is_new
        return is_new

    def answered(self, result: dict) -> bool:
        self.results.append(result)
        is_awaited = self.command is not None and self.command["requestId"] == result["requestId"]
        if is_awaited:
            self.command = None
        return is_awaited

    def take(self, events: int) -> None:
        """Reads until it has had so many events and its command is answered, or it has left."""
        while not self.is_away and (len(self.events) < events or self.command is not None):
            self.step()

    def take_all_before(self, call_id: str) -> list[dict]:
        """The events up to the first of another call, which serves as a fence, exclusive."""
        while True:
            for index, event in enumerate(self.events):
                if event["data"].get("callId") == call_id:
                    return self.events[:index]
            self.step()

    def say(self, kind: str, request_id: str, **data) -> None:
        """Sends a command, which is sent again after a cut until it has been answered."""
        self.command = {"type": kind, "requestId": request_id, "data": data}
        self.wire.send(self.command)


def whole_replay(device: Device, fence: str) -> list[dict]:
    """All that a device of that name is sent that was never connected before, up to the fence."""
    whole = Device(device.person, device.name, door="sidecar", last="0")
    try:
        whole.connect()
        return whole.take_all_before(fence)
    finally:
        whole.close()
