#!/usr/bin/env python3
"""R6, R15 at scale: one user with a million calls and a thousand users with a thousand each, beside a
user with a hundred. Page, cursor step, filtered page, total and statistics have to cost the large
user no more than twice what they cost the small one.

Runs against a stack that is up with RATE_LIMIT_CALL_HISTORY=0; reads its env file. Rows are made in
SQL as the program itself would have left them: calls, both users' history, totals, statistics.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import jwt
import pymysql
import requests

from stack import environment

LARGE, SMALL, CROWD = "bench-large", "bench-small", "bench-crowd-"
YEAR_SECONDS = 365 * 86_400

# What a call was, by its number: three of four are completed and last a minute or more.
KIND = "IF(n % 3 = 0, 'audio', 'video')"
STATUS = "ELT(1 + (n % 8), 'completed', 'completed', 'completed', 'missed', 'completed', 'rejected', 'completed', 'completed')"
REASON = "ELT(1 + (n % 8), 'hangup', 'hangup', 'hangup', 'cancelled', 'hangup', 'declined', 'hangup', 'hangup')"
SECONDS = "IF(n % 8 IN (3, 5), 0, 60 + n % 600)"


class Rows:
    """Makes the rows."""

    def __init__(self, env: dict[str, str]):
        self.database = pymysql.connect(
            unix_socket=env["MYSQL_SOCKET"], user=env["MYSQL_USER"], password=env["MYSQL_PASSWORD"],
            database=env["MYSQL_DATABASE"], autocommit=True, read_timeout=3600,
        )  # fmt: skip

    def run(self, sql: str, *values) -> None:
        with self.database.cursor() as cursor:
            cursor.execute(sql, values)

    def number(self, sql: str, *values) -> int:
        with self.database.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone()[0] or 0

    def users(self, ids: list[str]) -> None:
        with self.database.cursor() as cursor:
            cursor.executemany(
                "INSERT IGNORE INTO users (id, username) VALUES (%s, %s)", [(i, i) for i in ids]
            )

    def calls(self, user: str, count: int) -> None:
        """`count` calls of one user, spread evenly over the last year."""
        if self.number("SELECT COUNT(*) FROM call_history WHERE user_id = %s", user) == count:
            return
        # What a run that was interrupted has left.
        self.run("DELETE FROM calls WHERE caller_id = %s", user)
        self.run("DELETE FROM call_history WHERE user_id = %s", user)
        step = YEAR_SECONDS / count
        for start in range(0, count, 100_000):
            self.batch(user, start, min(100_000, count - start), step)
        self.sums(user)

    def batch(self, user: str, start: int, size: int, step: float) -> None:
        self.run("DROP TEMPORARY TABLE IF EXISTS made")
        # A temporary table cannot be read twice in one statement: numbers come by recursion.
        self.run(
            "CREATE TEMPORARY TABLE made (n INT PRIMARY KEY, id CHAR(36) CHARACTER SET ascii, at DATETIME(3)) "
            "SELECT n, LOWER(CONCAT(SUBSTR(h, 1, 8), '-', SUBSTR(h, 9, 4), '-7', SUBSTR(h, 14, 3), '-8', "
            "SUBSTR(h, 18, 3), '-', SUBSTR(h, 21, 12))) AS id, UTC_TIMESTAMP(3) - INTERVAL ((n + 1) * %s) SECOND AS at "
            "FROM (WITH RECURSIVE k AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM k WHERE i < 999) "
            "SELECT %s + a.i * 1000 + b.i AS n, LEFT(SHA2(CONCAT(%s, ':', %s + a.i * 1000 + b.i), 256), 32) AS h FROM k a JOIN k b "
            "WHERE a.i * 1000 + b.i < %s) numbers",
            step, start, user, start, size,
        )  # fmt: skip
        self.run(
            "INSERT INTO calls (id, channel_id, caller_id, callee_id, call_type, status, end_reason, created_at, "
            "expires_at, accepted_at, ended_at, counted_hour, duration_seconds) "
            f"SELECT id, REPLACE(id, '-', ''), %s, CONCAT(%s, n %% 1000), {KIND.replace('%', '%%')}, "
            f"IF({SECONDS.replace('%', '%%')} > 0 OR {STATUS.replace('%', '%%')} = 'missed', 'ended', 'rejected'), "
            f"{REASON.replace('%', '%%')}, at, at + INTERVAL 60 SECOND, IF({SECONDS.replace('%', '%%')} > 0, at, NULL), "
            f"at + INTERVAL {SECONDS.replace('%', '%%')} SECOND, DATE_FORMAT(at, '%%Y-%%m-%%d %%H:00:00'), "
            f"{SECONDS.replace('%', '%%')} FROM made",
            user, CROWD,
        )  # fmt: skip
        self.run(
            "INSERT INTO call_history (user_id, call_id, remote_user_id, call_type, status, direction, end_reason, "
            "`timestamp`, duration_seconds) "
            f"SELECT %s, id, CONCAT(%s, n %% 1000), {KIND.replace('%', '%%')}, {STATUS.replace('%', '%%')}, 'outgoing', "
            f"{REASON.replace('%', '%%')}, at, {SECONDS.replace('%', '%%')} FROM made",
            user, CROWD,
        )  # fmt: skip

    def sums(self, user: str) -> None:
        """Totals and statistics of one user, as the endings would have kept them."""
        pairs = [
            (t, s)
            for t in ("audio", "video")
            for s in ("completed", "missed", "rejected", "failed")
        ]
        names = ", ".join(f"{t}_{s}" for t, s in pairs)
        counts = ", ".join(f"SUM(call_type = '{t}' AND status = '{s}')" for t, s in pairs)
        self.run("DELETE FROM call_history_totals WHERE user_id = %s", user)
        self.run("DELETE FROM call_statistics WHERE user_id = %s", user)
        self.run(
            f"INSERT INTO call_history_totals (user_id, {names}) SELECT user_id, {counts} "
            "FROM call_history WHERE user_id = %s GROUP BY user_id", user,
        )  # fmt: skip
        for span, form in (("hour", "%%Y-%%m-%%d %%H:00:00"), ("day", "%%Y-%%m-%%d 00:00:00")):
            self.run(
                f"INSERT INTO call_statistics (user_id, span, starts_at, day_starts_at, {names}, total_seconds, "
                f"completed_seconds) SELECT user_id, '{span}', DATE_FORMAT(`timestamp`, '{form}') AS start, "
                f"DATE(MIN(`timestamp`)), {counts}, "
                "SUM(duration_seconds), SUM(IF(status = 'completed', duration_seconds, 0)) "
                "FROM call_history WHERE user_id = %s GROUP BY user_id, start", user,
            )  # fmt: skip


class Client:
    """One user's keep-alive connection."""

    def __init__(self, env: dict[str, str], user: str):
        token = jwt.encode({"sub": user, "exp": time.time() + 3600}, env["JWT_SECRET"], "HS256")
        self.url = env["API_URL"]
        self.session = requests.Session()
        self.session.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
        self.session.verify = env["CA_FILE"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> tuple[dict, float]:
        """The answer's data and the milliseconds it took."""
        start = time.perf_counter()
        answer = self.session.get(self.url + path)
        took = (time.perf_counter() - start) * 1000
        answer.raise_for_status()
        return answer.json()["data"], took


def compare(name: str, large, small, rounds: int) -> None:
    """Asks both in turns, so that whatever else the machine does hits both."""
    times: dict[str, list[float]] = {"large": [], "small": []}
    for _ in range(rounds):
        times["large"].append(large())
        times["small"].append(small())
    middle = {who: statistics.median(values) for who, values in times.items()}
    print(
        f"{name:28} {middle['large']:9.2f} ms {middle['small']:9.2f} ms {middle['large'] / middle['small']:7.2f} x"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--crowd", type=int, default=1000, help="users with a thousand calls each")
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    env = environment(Path(os.environ.get("STACK_DIR", ".stack")) / "env")
    rows = Rows(env)
    crowd = [f"{CROWD}{number}" for number in range(arguments.crowd)]
    rows.users([LARGE, SMALL, *crowd])
    start = time.perf_counter()
    rows.calls(LARGE, arguments.calls)
    rows.calls(SMALL, 100)
    for user in crowd:
        rows.calls(user, 1000)
    rows.run("ANALYZE TABLE call_history, calls, call_statistics")
    print(
        f"rows ready after {time.perf_counter() - start:.0f} s; {rows.number('SELECT COUNT(*) FROM call_history')} in call_history"
    )

    large, small = Client(env, LARGE), Client(env, SMALL)
    assert large.get("/calls/history")[0]["pagination"]["total"] == arguments.calls
    print(
        f"{'median of ' + str(arguments.rounds):28} {arguments.calls:>9} calls {100:>5} calls   ratio"
    )
    for name, path in {
        "page of 20, total": "/calls/history",
        "page of 20, video": "/calls/history?callType=video",
        "page of 20, rejected": "/calls/history?status=rejected",
        "page of 20, failed (none)": "/calls/history?status=failed",
        "page 4": "/calls/history?page=4",
        **{
            f"statistics, {p}": f"/calls/statistics?period={p}"
            for p in ("day", "week", "month", "year")
        },
    }.items():
        compare(
            name, lambda p=path: large.get(p)[1], lambda p=path: small.get(p)[1], arguments.rounds
        )

    def step(client: Client, depth: int):
        cursor = client.get("/calls/history")[0]["pagination"]["nextCursor"]
        for _ in range(depth):
            cursor = client.get(f"/calls/history?cursor={cursor}")[0]["pagination"]["nextCursor"]
        return lambda: client.get(f"/calls/history?cursor={cursor}")[1]

    compare("cursor step", step(large, 2), step(small, 2), arguments.rounds)
    compare("cursor step, 200 pages deep", step(large, 200), step(small, 2), arguments.rounds)


if __name__ == "__main__":
    main()
