#!/usr/bin/env python3
"""Design, section 7: the REST figures, each beside its peers in the same run, through the same nginx.

Sides take turns of some seconds, so that whatever else the machine does hits all of them; of each the
median counts, and of the medians the ratio. `rest.sh` has brought everything up and says where it is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jwt
import pymysql

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import distant  # noqa: E402
import processes  # noqa: E402
import worker  # noqa: E402

CONNECTIONS, THREADS = 32, 2
LIVE = 1000  # calls that tokens are asked for, and users whose history is read
API, PEER = "/api/v1", "/peer"


@dataclass
class Turn:
    rate: float
    p50: float = 0.0  # milliseconds
    p99: float = 0.0
    pool: float = 0.0  # microseconds of processor time a request: the side's own processes
    nginx: float = 0.0
    mysql: float = 0.0
    redis: float = 0.0


PARTS = ("rate", "p50", "p99", "pool", "nginx", "mysql", "redis")


class Processors:
    """Processor time of the processes that take part, by what they are."""

    def __init__(self, env: dict[str, str]):
        self.groups = {
            "ours": self.tree(int(env["SUPERVISOR_PID"])),
            "C echo": self.tree(int(env["PEER_ECHO_PID"])),
            "PHP-FPM": self.tree(int(env["PEER_PHP_PID"])),
            "nginx": self.tree(int(env["NGINX_PID"])),
            "mysql": [int(env["MYSQL_PID"])],
            "redis": [int(env["REDIS_PID"])],
        }

    @staticmethod
    def tree(pid: int) -> list[int]:
        return [pid, *processes.children(pid)]

    def read(self, group: str) -> float:
        """Microseconds, of all threads (proc(5), schedstat)."""
        return sum(
            int(path.read_text().split()[0]) / 1000
            for pid in self.groups[group]
            for path in Path(f"/proc/{pid}/task").glob("*/schedstat")
        )


class Rows:
    """The people, and the tables as every turn finds them."""

    def __init__(self, env: dict[str, str], pairs: int):
        self.pairs = pairs
        self.database = pymysql.connect(
            unix_socket=env["MYSQL_SOCKET"], user=env["MYSQL_USER"], password=env["MYSQL_PASSWORD"],
            database=env["MYSQL_DATABASE"], autocommit=True, read_timeout=600,
        )  # fmt: skip

    def run(self, sql: str) -> None:
        with self.database.cursor() as cursor:
            cursor.execute(sql)

    def make(self) -> None:
        """Unless an earlier run on this stack has."""
        with self.database.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM call_history_totals WHERE user_id LIKE 'bench-caller-%'"
            )
            done = cursor.fetchone()[0] >= LIVE
            cursor.execute("SELECT COUNT(*) FROM user_lines WHERE user_id LIKE 'bench-callee-%'")
            if not done or cursor.fetchone()[0] < self.pairs:
                self.script("people.sql")

    def script(self, name: str) -> None:
        text = (
            (HERE / name)
            .read_text()
            .replace("@PAIRS@", str(self.pairs))
            .replace("@LIVE@", str(LIVE))
        )
        lines = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
        for statement in filter(None, map(str.strip, lines.split(";"))):
            self.run(statement)

    def reset(self) -> None:
        """No calls but the live ones of the tokens, nobody busy, nothing audited: for each turn the same."""
        time.sleep(0.5)  # what the last turn left in hand commits
        self.script("reset.sql")
        time.sleep(1)  # InnoDB tidies up


class Requests:
    """The files that load.lua reads."""

    def __init__(self, env: dict[str, str], folder: Path, pairs: int):
        self.folder = folder
        expires = int(time.time()) + 86_400
        self.tokens = [
            jwt.encode(
                {"sub": f"bench-caller-{number}", "exp": expires}, env["JWT_SECRET"], "HS256"
            )
            for number in range(1, pairs + 1)
        ]

    def write(self, name: str, lines: list[str]) -> dict[str, Path]:
        """A file for the API and one for the peer, by their prefixes."""
        files = {}
        for prefix in (API, PEER):
            files[prefix] = self.folder / f"{name}-{prefix.strip('/').replace('/', '-')}"
            files[prefix].write_text(
                "".join(line.replace("PREFIX", prefix) + "\n" for line in lines)
            )
        return files

    def refusals(self) -> tuple[Path, ...]:
        unknown = self.write("404", ["GET\tPREFIX/nothing/here\t\t"] * THREADS)[API]
        nobody = self.write("401", ["GET\tPREFIX/calls/active\t\t"] * THREADS)[API]
        echo = self.folder / "echo"
        echo.write_text("GET\t/echo/calls/active\t\t\n" * THREADS)
        plain = self.folder / "plain"
        plain.write_text("GET\t/plain/calls/active\t\t\n" * THREADS)
        return nobody, unknown, echo, plain

    def token(self) -> dict[str, Path]:
        return self.write(
            "token",
            [
                f'POST\tPREFIX/agora/token/generate\t{token}\t{{"channelId":"channel{number:025}","role":"publisher"}}'
                for number, token in enumerate(self.tokens[:LIVE], 1)
            ],
        )

    def history(self) -> dict[str, Path]:
        return self.write(
            "history",
            [f"GET\tPREFIX/calls/history?page=1&limit=20\t{t}\t" for t in self.tokens[:LIVE]],
        )

    def initiate(self) -> dict[str, Path]:
        return self.write(
            "initiate",
            [
                f'POST\tPREFIX/calls/initiate\t{token}\t{{"calleeId":"bench-callee-{number}","callType":"video"}}'
                for number, token in enumerate(self.tokens, 1)
            ],
        )


class Load:
    """One turn of load."""

    def __init__(self, env: dict[str, str], seconds: int, folder: Path):
        self.env, self.seconds = env, seconds
        self.processors = Processors(env)
        self.url = env["OPS_URL"]
        # Not on the command line, which everybody can read.
        self.settings = folder / "sysbench.cnf"
        self.settings.touch(mode=0o600)
        self.settings.write_text(
            f"mysql-socket={env['MYSQL_SOCKET']}\nmysql-user={env['MYSQL_USER']}\n"
            f"mysql-password={env['MYSQL_PASSWORD']}\nmysql-db={env['MYSQL_DATABASE']}\n"
        )

    def wrk(self, requests: Path, side: str, *, refused: bool = False) -> Turn:
        groups = {"pool": side, "nginx": "nginx", "mysql": "mysql", "redis": "redis"}
        before = {part: self.processors.read(group) for part, group in groups.items()}
        command = [
            "wrk",
            f"-t{THREADS}",
            f"-c{CONNECTIONS}",
            f"-d{self.seconds}s",
            "-s",
            str(HERE / "load.lua"),
        ]
        output = subprocess.check_output([*command, self.url, "--", str(requests)], text=True)
        result = next(line for line in output.splitlines() if line.startswith("result "))
        count, duration, refusals, failures, p50, p99 = map(int, result.split()[1:])
        if failures or refusals != (count if refused else 0):
            raise SystemExit(
                f"{requests.name}: {count} requests, {refusals} refused, {failures} failed"
            )
        spent = {
            part: (self.processors.read(group) - before[part]) / count
            for part, group in groups.items()
        }
        return Turn(count / duration * 1e6, p50 / 1000, p99 / 1000, **spent)

    def sysbench(self, subject: str, connections: int, people: int) -> Turn:
        output = subprocess.check_output(
            ["sysbench", f"--config-file={self.settings}", f"--threads={connections}", f"--time={self.seconds}",
             "--db-driver=mysql", str(HERE / "sql.lua"), f"--subject={subject}", f"--people={people}", "run"],
            text=True,
        )  # fmt: skip
        events = next(line for line in output.splitlines() if "total number of events:" in line)
        took = next(line for line in output.splitlines() if "total time:" in line)
        count, seconds = int(events.split()[-1]), float(took.split()[-1].rstrip("s"))
        if subject == "initiate" and count > people:
            raise SystemExit(f"{count} initiates need more than {people} pairs (--pairs)")
        return Turn(count / seconds)


def measure(
    sides: dict[str, Callable[[], Turn]], before: Callable[[], None], rounds: int
) -> dict[str, Turn]:
    turns: dict[str, list[Turn]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            before()
            turns[name].append(side())
    return {
        name: Turn(*(statistics.median(getattr(turn, part) for turn in all_) for part in PARTS))
        for name, all_ in turns.items()
    }


def compare(what: str, results: dict[str, Turn], targets: dict[str, float]) -> None:
    ours = results["ours"]
    for peer, target in targets.items():
        ratio = ours.rate / results[peer].rate
        print(
            f"{what:16} {ours.rate:8.0f} {ours.p50:7.1f} {ours.p99:7.1f}   {peer:18} {results[peer].rate:8.0f} "
            f"{results[peer].p99 or '':>7.4}  {ratio:6.2f} {target:6.2f}  {'met' if ratio >= target else 'NOT MET'}",
            flush=True,
        )


def costs(what: str, results: dict[str, Turn], limit: float, echo: Turn) -> None:
    """Where the two cores' time of a request goes, and a worker's beside the C echo's."""
    for side, turn in results.items():
        if not turn.pool:
            continue
        rest = 2e6 / turn.rate - turn.pool - turn.nginx - turn.mysql - turn.redis
        line = f"{what:16} {side:12} {turn.pool:7.0f} {turn.nginx:7.0f} {turn.mysql:7.0f} {turn.redis:7.0f} {rest:7.0f}"
        if side in ("ours", "401"):
            ratio = turn.pool / echo.pool
            line += f"   {ratio:5.2f} x the C echo's ({limit}): {'met' if ratio <= limit else 'NOT MET'}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of a turn")
    parser.add_argument(
        "--pairs", type=int, default=60_000, help="of users who can call each other"
    )
    parser.add_argument("--only", default="refusals,token,history,initiate,first,distant,worker")
    arguments = parser.parse_args()
    env = dict(os.environ)
    supervisor = int(env["SUPERVISOR_PID"])
    before = worker.pool(supervisor)
    rows = Rows(env, arguments.pairs)
    rows.make()
    rows.reset()

    with tempfile.TemporaryDirectory(dir=env["STACK_DIR"]) as name:
        folder = Path(name)
        requests, load = (
            Requests(env, folder, arguments.pairs),
            Load(env, arguments.seconds, folder),
        )
        workers = len(before)
        turns = f"medians of {arguments.rounds} turns of {arguments.seconds} s"
        print(f"{CONNECTIONS} connections with TLS, {workers} processes a pool; {turns}")
        ours = f"{'ours/s':>8} {'p50 ms':>7} {'p99 ms':>7}"
        print(
            f"{'':16} {ours}   {'peer':18} {'peer/s':>8} {'p99 ms':>7}  {'ratio':>6} {'target':>6}"
        )

        nobody, unknown, echo_file, plain = requests.refusals()
        sides = {"C echo": lambda: load.wrk(echo_file, "C echo", refused=True)}
        if "refusals" in arguments.only:
            sides |= {
                "401": lambda: load.wrk(nobody, "ours", refused=True),
                "404": lambda: load.wrk(unknown, "ours", refused=True),
                "plain": lambda: load.wrk(plain, "C echo", refused=True),
            }
        results = measure(sides, lambda: None, arguments.rounds)
        echo = results["C echo"]
        for what in ("401", "404") if "refusals" in arguments.only else ():
            peers = {"C echo": echo, "C echo, plain": results["plain"]}
            compare(f"a {what}", {"ours": results[what]} | peers, dict.fromkeys(peers, 0.9))
        spent: list[tuple[str, dict[str, Turn], float]] = [("refusal", results, 1.4)]

        def without_lines() -> None:
            rows.reset()
            rows.run("DELETE FROM user_lines WHERE user_id LIKE 'bench-%'")

        for subject, connections, people, targets, limit in (
            ("token", workers, LIVE, (2.0, 0.6), 4), ("history", workers, LIVE, (2.0, 0.6), 4),
            ("initiate", 16, arguments.pairs, (2.0, 0.6), 5), ("first", 16, arguments.pairs, (1.5, None), 5),
        ):  # fmt: skip
            if subject not in arguments.only:
                continue
            files = getattr(requests, subject.replace("first", "initiate"))()
            sides = {
                "ours": lambda f=files: load.wrk(f[API], "ours"),
                "PHP-FPM": lambda f=files: load.wrk(f[PEER], "PHP-FPM"),
            }
            wanted = {"PHP-FPM": targets[0]}
            if targets[1]:
                bare = f"SQL alone, {connections}"
                sides[bare] = lambda s=subject, c=connections, p=people: load.sysbench(s, c, p)
                wanted[bare] = targets[1]
            before_turn = without_lines if subject == "first" else rows.reset
            results = measure(sides, before_turn, arguments.rounds)
            compare(subject, results, wanted)
            spent.append((subject, results, limit))

        print(
            "\nMicroseconds of processor time a request; the rest is the load, the kernel and idle time"
        )
        print(f"{'':16} {'':12} {'pool':>7} {'nginx':>7} {'MySQL':>7} {'Redis':>7} {'rest':>7}")
        for what, results, limit in spent:
            costs(what, results, limit, echo)
        if "first" in arguments.only:
            rows.script("people.sql")
        if "distant" in arguments.only:
            distant.report(env)
        if "worker" in arguments.only:
            worker.report(Path(env["PROGRAM_DIR"]) / "chattrix-worker", before, supervisor)


if __name__ == "__main__":
    main()
