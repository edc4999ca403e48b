"""A database on another host: round trips and time of each operation, MySQL behind a relay that holds
up both directions."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import jwt
import pymysql

import roundtrips


def report(env: dict[str, str]) -> None:
    """With the database a millisecond away in each direction: round trips and time of each operation."""
    database = pymysql.connect(
        unix_socket=env["MYSQL_SOCKET"], user=env["MYSQL_USER"], password=env["MYSQL_PASSWORD"],
        database=env["MYSQL_DATABASE"], autocommit=True,
    )  # fmt: skip
    names = ("MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "MYSQL_SOCKET", "REDIS_URL")
    names += ("JWT_SECRET", "AGORA_APP_ID", "AGORA_APP_CERTIFICATE")
    one = roundtrips.Worker(
        {name: env[name] for name in names}, Path(env["PROGRAM_DIR"]) / "chattrix-worker", 0.001
    )
    expires = int(time.time()) + 3600

    def token(user: str) -> str:
        return jwt.encode({"sub": user, "exp": expires}, env["JWT_SECRET"], "HS256")

    costs: dict[str, list[tuple[int, float]]] = {}

    def ask(name: str, user: str, method: str, path: str, **body) -> dict:
        content = json.dumps(body).encode() if body else b""
        trips, took, answer = one.cost(method, f"/api/v1{path}", token(user), content)
        costs.setdefault(name, []).append((trips, took))
        return json.loads(answer)["data"]

    try:
        for number in range(12):
            caller, callee = f"bench-caller-{9000 + number}", f"bench-callee-{9000 + number}"
            with database.cursor() as cursor:
                cursor.execute("DELETE FROM user_lines WHERE user_id IN (%s, %s)", (caller, callee))
            for name in ("initiate, first call", "initiate"):
                call = ask(
                    name, caller, "POST", "/calls/initiate", calleeId=callee, callType="video"
                )
                path = f"/calls/{call['callId']}"
                ask("accept", callee, "POST", f"{path}/accept")
                channel = call["channelId"]
                old = ask("generate", caller, "POST", "/agora/token/generate", channelId=channel)
                ask(
                    "refresh", caller, "POST", "/agora/token/refresh", channelId=channel,
                    oldToken=old["token"],
                )  # fmt: skip
                ask("status", caller, "PATCH", f"{path}/status", status="connected")
                ask("quality", caller, "POST", f"{path}/quality", networkQuality="bad")
                ask("active", caller, "GET", "/calls/active")
                ask("details", caller, "GET", path)
                ask("end", callee, "POST", f"{path}/end")
            ask("history", caller, "GET", "/calls/history?page=1&limit=20")
    finally:
        one.stop()
    print(
        "\nMySQL 1 ms away in each direction, medians of 12; what it takes without the delay is in it"
    )
    print(f"{'':22} {'round trips':>12} {'ms':>7}")
    for name, found in costs.items():
        warm = found[2:]
        trips = statistics.median(trips for trips, _ in warm)
        print(f"{name:22} {trips:12.0f} {statistics.median(took for _, took in warm):7.1f}")
