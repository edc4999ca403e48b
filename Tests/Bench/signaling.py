#!/usr/bin/env python3
"""Scale of the sidecar beside uWebSockets and Node's ws, in one run and taken in turns: resident bytes
of an idle connection, handshakes a second, round trips a second.

Runs against a stack that is up with SIGNALING_MESSAGES_PER_SECOND=0, whose JWT_SECRET is in the
environment. Peers for which nothing is given (UWEBSOCKETS, NODE_WS) are left out, and that is said.
Server and load share the machine's cores, so each rate is given per second and per second of the
server's own processor time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics

import proxy
import table
from processes import resident_bytes, settle
from servers import Server, peer, peers, sidecar
from stack import Stack, user_ids

REFERENCE = "uWebSockets"


class Signaling:
    def __init__(self, arguments: argparse.Namespace):
        self.stack = Stack()
        os.environ["JWT_SECRET"] = self.stack.env["JWT_SECRET"]
        self.arguments = arguments
        self.known = peers()
        self.users = self.stack.folder / "bench-users"
        ids = user_ids(arguments.connections)
        self.stack.users(ids)
        self.users.write_text("".join(f"{i}\n" for i in ids))

    @contextlib.contextmanager
    def all_servers(self):
        """Every server that can be had, by name, each a process of its own."""
        with contextlib.ExitStack() as running:
            servers = {"sidecar": sidecar(self.stack, self.users)}
            for offset, name in enumerate(self.known):
                servers[name] = running.enter_context(peer(name, self.stack.port + 3 + offset))
            yield servers

    def settle(self, servers: dict[str, Server]) -> None:
        settle(*(server.pid for server in servers.values()), self.stack.pid("MYSQL"))

    def idle(self) -> None:
        """Always a process that has done nothing else, because freed memory is used again."""
        bytes_each: dict[str, list[float]] = {name: [] for name in ("sidecar", *self.known)}
        for _ in range(self.arguments.idle_rounds):
            for name, values in bytes_each.items():
                if name == "sidecar":
                    values.append(
                        self.bytes_each(sidecar(self.stack, self.users, self.stack.fresh_sidecar()))
                    )
                else:
                    with peer(name, self.stack.port + 3) as server:
                        values.append(self.bytes_each(server))
        table.heading(
            f"resident bytes each of {self.arguments.connections:,} idle", "sidecar", "peer"
        )
        for name in self.known:
            limit = {"target": "<= 1", "met": lambda ratio: ratio <= 1} if name == REFERENCE else {}
            table.row(f"beside {name}", bytes_each["sidecar"], bytes_each[name], **limit)

    def bytes_each(self, server: Server) -> float:
        # What the first connections touch, every later one shares.
        with server.crowd(100):
            pass
        settle(server.pid)
        before = resident_bytes(server.pid)
        with server.crowd(self.arguments.connections):
            settle(server.pid)
            return (resident_bytes(server.pid) - before) / self.arguments.connections

    def handshakes(self) -> None:
        count = self.arguments.connections
        rates: dict[str, list[float]] = {}
        with self.all_servers() as servers:
            for _ in range(self.arguments.rounds):
                for name, server in servers.items():
                    self.settle(servers)
                    done = server.load("handshakes", "--connections", str(count))
                    rates.setdefault(name, []).append(count / done["seconds"])
                    rates.setdefault(name + " cpu", []).append(count / done["serverSeconds"])
                self.settle(servers)
                done = servers["sidecar"].load(
                    "handshakes", "--connections", str(count), "--after-greeting"
                )
                rates.setdefault("greeted", []).append(count / done["greetedSeconds"])
        table.heading(f"handshakes a second, {count:,} in all, 64 at a time", "sidecar", "peer")
        for name in self.known:
            limit = (
                {"target": ">= 0.5", "met": lambda ratio: ratio >= 0.5} if name == REFERENCE else {}
            )
            table.row(f"JWT verified, beside {name}", rates["sidecar"], rates[name], **limit)
            table.row("  a second of the server's", rates["sidecar cpu"], rates[f"{name} cpu"])
        table.figure(
            "until `connected` has come, 64 at a time",
            statistics.median(rates["greeted"]),
            "a second",
        )

    def round_trips(self) -> None:
        rates: dict[str, list[float]] = {}
        with self.all_servers() as servers:
            self.settle(servers)
            for _ in range(self.arguments.rounds):
                for name, server in servers.items():
                    done = server.load("round-trips", "--seconds", str(self.arguments.seconds))
                    rates.setdefault(name, []).append(done["roundTrips"] / done["seconds"])
                    rates.setdefault(name + " cpu", []).append(
                        done["roundTrips"] / done["serverSeconds"]
                    )
        table.heading("round trips a second, 64 in flight", "ours", "peer")
        for ours, what, least in (("echo-server", "echo", 0.95), ("sidecar", "heartbeat", 0.6)):
            for name in self.known:
                if name == "echo-server":
                    continue
                limit = (
                    {"target": f">= {least}", "met": lambda r, least=least: r >= least}
                    if name == REFERENCE
                    else {}
                )
                table.row(f"{what}, beside {name}", rates[ours], rates[name], **limit)
                table.row(
                    "  a second of the server's",
                    rates[f"{ours} cpu"],
                    rates[f"{name} cpu"],
                    **limit,
                )

    def nginx(self) -> None:
        cost = proxy.bytes_each(self.stack, user_ids(self.arguments.proxied))
        table.heading(f"nginx in front, {self.arguments.proxied:,} idle with TLS", "", "")
        table.figure(
            "bytes each in nginx's workers", cost, "(its share of what they have in common)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--proxied", type=int, default=5_000, help="connections through nginx")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle-rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each run of round trips")
    parser.add_argument("--only", nargs="+", default=["idle", "handshakes", "round_trips", "nginx"])
    arguments = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    signaling = Signaling(arguments)
    for name in ("UWEBSOCKETS", "NODE_WS"):
        if not os.environ.get(name):
            print(f"{name} names no checkout: that peer is left out")
    for what in arguments.only:
        getattr(signaling, what)()


if __name__ == "__main__":
    main()
