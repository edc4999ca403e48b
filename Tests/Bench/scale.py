#!/usr/bin/env python3
"""What an installation grows by: processor time of a hint, of the poll, of a socket and of a call, each
program's apart, and memory of a socket. CONTRIBUTING.md, "Scale", multiplies these figures.

Processor time, unlike a duration, depends little on what else the machine does. Runs against a stack that is
up without rate limits.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import socket
import subprocess
import time

import latency
import proxy
import table
from processes import children, processor_seconds, resident_bytes, settle
from servers import sidecar
from stack import Stack, user_ids
from wire import Loop

# What each of the sidecars that are measured beside the stack's holds.
USERS_EACH = 200


def channel(host: int, user: int) -> str:
    """Of a user who is connected to a host."""
    return f"chattrix:user:{host:08}-0000-7000-8000-{user:012}"


class Meter:
    """Processor time of each of the stack's programs."""

    def __init__(self, stack: Stack):
        supervisor, nginx = stack.pid("SUPERVISOR"), stack.pid("NGINX")
        self.pids = {
            "workers": [supervisor, *children(supervisor)],
            "sidecar": [stack.pid("SIGNALING")],
            "nginx": children(nginx),
            "database": [stack.pid("MYSQL")],
            "Redis": [stack.pid("REDIS")],
        }
        self.idle = dict.fromkeys(self.pids, 0.0)
        self.idle = self.measured(lambda: time.sleep(6), per_second=True)

    def measured(self, action, per_second: bool = False) -> dict[str, float]:
        """Seconds of each while an action ran, without what it uses when nothing happens."""
        settle(*self.pids["database"], *self.pids["sidecar"], seconds=3)
        before, begin = self.now(), time.monotonic()
        action()
        took = time.monotonic() - begin
        used = {name: self.now()[name] - before[name] - self.idle[name] * took for name in before}
        return {name: value / took if per_second else value for name, value in used.items()}

    def now(self) -> dict[str, float]:
        return {name: sum(map(processor_seconds, pids)) for name, pids in self.pids.items()}


class Redis:
    """Publishes; nothing else is asked of it."""

    def __init__(self, stack: Stack):
        self.address = ("127.0.0.1", stack.port + 1)

    def publish(self, channel: str, count: int) -> None:
        command = f"*3\r\n$7\r\nPUBLISH\r\n${len(channel)}\r\n{channel}\r\n$1\r\n1\r\n"
        with socket.create_connection(self.address) as connection:
            answers = connection.makefile("rb")
            # One by one, as the workers do it.
            for _ in range(count):
                connection.sendall(command.encode())
                answers.readline()

    @contextlib.contextmanager
    def listeners(self, count: int):
        """Subscribers beside the sidecar, as many users' each, which throw away what they hear."""
        command = ["redis-cli", "-p", str(self.address[1]), "SUBSCRIBE"]
        processes = [
            subprocess.Popen(
                command + [channel(host, user) for user in range(USERS_EACH)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            for host in range(count)
        ]
        time.sleep(1)
        try:
            yield
        finally:
            for process in processes:
                process.kill()
                process.wait()


class Scale:
    def __init__(self, arguments: argparse.Namespace):
        self.stack = Stack()
        os.environ["JWT_SECRET"] = self.stack.env["JWT_SECRET"]
        self.arguments = arguments
        self.ids = user_ids(arguments.connections)
        self.stack.users(self.ids)
        self.meter = Meter(self.stack)

    def idle(self) -> None:
        table.heading("a host on which nothing happens", "", "")
        for name, seconds in self.meter.idle.items():
            table.figure(f"  {name}", seconds * 1000, "ms of processor time a second")

    def hints(self) -> None:
        """Of users whom one of the sidecars holds, and of those whom none holds."""
        redis, count = Redis(self.stack), self.arguments.hints
        table.heading(f"{count:,} hints", "", "")
        for sidecars in (2, 10, 50):
            with redis.listeners(sidecars - 1):
                for name, host in (("held by one", 0), ("held by none", sidecars)):
                    used = self.meter.measured(
                        lambda host=host: redis.publish(channel(host, 7), count)
                    )
                    table.figure(
                        f"  {sidecars} sidecars, {name}: Redis", used["Redis"] / count * 1e6, "µs"
                    )
                    table.figure(
                        "    a sidecar that holds another", used["sidecar"] / count * 1e6, "µs"
                    )

    def poll(self) -> None:
        """Rows that are dated in the future are seen by every poll until they are deleted."""
        table.heading("the poll of one sidecar, four times a second", "", "")
        for rows in self.arguments.events:
            with self.stack.database() as database, database.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at) "
                    "VALUES (%s, %s, '00000000-0000-7000-8000-000000000000', 'call_ended', '{}', "
                    "UTC_TIMESTAMP(3) + INTERVAL 1 HOUR)",
                    [(self.ids[row // 3 % len(self.ids)], 10**9 + row) for row in range(rows)],
                )
            try:
                used = self.meter.measured(lambda: time.sleep(8), per_second=True)
            finally:
                with self.stack.database() as database, database.cursor() as cursor:
                    cursor.execute("DELETE FROM call_events WHERE event_id >= 1000000000")
            for name in ("database", "sidecar"):
                table.figure(
                    f"  {rows:,} events in its window: {name}", used[name] * 1000, "ms a second"
                )
                table.figure("    each", used[name] / rows / 4.2 * 1e6, "µs an event and poll")

    def sockets(self) -> None:
        count = self.arguments.connections
        users = self.stack.folder / "bench-users"
        users.write_text("".join(f"{i}\n" for i in self.ids))
        server = sidecar(self.stack, users, self.stack.fresh_sidecar())
        table.heading(f"{count:,} sockets of as many users", "", "")
        with server.crowd(100):
            pass
        settle(server.pid)
        before = resident_bytes(server.pid)
        redis = self.stack.pid("REDIS")
        redis_before = resident_bytes(redis)
        with server.crowd(count):
            settle(server.pid)
            table.figure(
                "  resident in Redis", (resident_bytes(redis) - redis_before) / count, "bytes each"
            )
            table.figure(
                "  resident in the sidecar",
                (resident_bytes(server.pid) - before) / count,
                "bytes each",
            )
            descriptors = len(os.listdir(f"/proc/{server.pid}/fd"))
            table.figure("  descriptors of the sidecar", descriptors, "")
            self.meter.pids["sidecar"] = [server.pid]
            # Each is pinged, and noted as present, once within 30 s.
            used = self.meter.measured(lambda: time.sleep(35), per_second=True)
            for name in ("sidecar", "database"):
                table.figure(f"  while they are silent: {name}", used[name] * 1000, "ms a second")
        self.meter = Meter(self.stack)
        done: dict[str, float] = {}
        used = self.meter.measured(
            lambda: done.update(
                server.load("handshakes", "--connections", str(count), "--after-greeting")
            )
        )
        table.figure("  all of them back, 64 at a time", count / done["greetedSeconds"], "a second")
        for name in ("sidecar", "database", "Redis"):
            table.figure(f"    {name}", used[name] / count * 1e6, "µs each")
        proxied = self.arguments.proxied
        table.figure(
            "  resident in nginx", proxy.bytes_each(self.stack, self.ids[:proxied]), "bytes each"
        )
        self.meter = Meter(self.stack)

        def through_nginx() -> None:
            loop = Loop()
            proxy.open_all(loop, self.stack, self.ids[:proxied])
            loop.close()

        used = self.meter.measured(through_nginx)
        table.figure("  a handshake with TLS: nginx", used["nginx"] / proxied * 1e6, "µs each")

    def calls(self) -> None:
        """initiate, ringing, accept, two tokens, end; caller and callee have a socket each."""
        count = self.arguments.calls
        latency.prepare(self.stack, 16)
        begun = self.events()
        used = self.meter.measured(lambda: whole_calls(self.stack, 16, count))
        table.heading(f"{count:,} calls with two tokens, 16 at a time", "", "")
        table.figure("  events", (self.events() - begun) / count, "a call")
        for name, seconds in used.items():
            table.figure(f"  {name}", seconds / count * 1000, "ms of processor time a call")

    def events(self) -> int:
        with self.stack.database() as database, database.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM call_events")
            return cursor.fetchone()[0]


class WholePair(latency.Pair):
    """After the invitation the callee accepts, both fetch a token, and the caller hangs up."""

    def __post_init__(self):
        super().__post_init__()
        self.answering = latency.Requests(self.loop, self.stack, self.callee)
        self.listening = latency.WebSocket(self.loop, self.stack, self.caller, lambda *_: None)

    def initiated(self, status: int, answer: dict, at: float) -> None:
        if status == 201:
            self.channel = answer["data"]["channelId"]
        super().initiated(status, answer, at)

    def check(self) -> None:
        if self.call_id is None or self.call_id not in self.invitations:
            return
        self.call.invited = self.invitations.pop(self.call_id)
        call_id, self.call_id = self.call_id, None
        token = ("/agora/token/generate", {"channelId": self.channel})
        steps = [
            (self.answering, f"/calls/{call_id}/accept", {}),
            (self.answering, *token),
            (self.requests, *token),
        ]

        def go_on(status: int = 200, answer: dict | None = None, at: float = 0) -> None:
            if status != 200:
                raise RuntimeError(f"{status} {answer}")
            if steps:
                requests, path, body = steps.pop(0)
                requests.post(path, body, go_on)
            else:
                self.requests.post(f"/calls/{call_id}/end", {}, self.ended)

        go_on()


def whole_calls(stack: Stack, pairs: int, count: int) -> None:
    loop, ids = Loop(), user_ids(2 * pairs)
    people = [WholePair(loop, stack, ids[2 * n], ids[2 * n + 1], False, 0) for n in range(pairs)]
    try:
        loop.run(lambda: all(pair.socket.is_open and pair.listening.is_open for pair in people))
        for pair in people:
            pair.begin(count // pairs)
        loop.run(lambda: not any(pair.left for pair in people), seconds=170)
    finally:
        loop.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ["idle", "hints", "poll", "sockets", "calls"]
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--proxied", type=int, default=2_000, help="connections through nginx")
    parser.add_argument("--hints", type=int, default=20_000)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--calls", type=int, default=800)
    parser.add_argument("--only", nargs="+", default=parts, choices=parts)
    arguments = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    scale = Scale(arguments)
    for part in arguments.only:
        getattr(scale, part)()


if __name__ == "__main__":
    main()
