"""The stack that a benchmark runs against: what its env file says, its database, its programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pymysql


def environment(path: Path) -> dict[str, str]:
    """The NAME=value lines of a stack's env file."""
    pairs = (
        line.split("=", 1)
        for line in path.read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    return {name: value.strip("'") for name, value in pairs}


class Stack:
    def __init__(self):
        self.folder = Path(os.environ.get("STACK_DIR", ".stack"))
        self.env = environment(self.folder / "env")
        self.port = int(self.env["API_URL"].split("/")[2].split(":")[1])
        host, port = self.env["SIGNALING_ADDRESS"].split(":")
        self.signaling = (host, int(port))

    def pid(self, name: str) -> int:
        """Of `MYSQL`, `REDIS`, `NGINX`, `SIGNALING` or `SUPERVISOR`, as it is now."""
        self.env = environment(self.folder / "env")
        return int(self.env[f"{name}_PID"] or 0)

    def database(self) -> pymysql.Connection:
        return pymysql.connect(
            unix_socket=self.env["MYSQL_SOCKET"], user=self.env["MYSQL_USER"], password=self.env["MYSQL_PASSWORD"],
            database=self.env["MYSQL_DATABASE"], autocommit=True, read_timeout=600,
        )  # fmt: skip

    def users(self, ids: list[str]) -> None:
        """Makes them, with the line that a user has from the first call on."""
        with self.database() as database, database.cursor() as cursor:
            cursor.executemany(
                "INSERT IGNORE INTO users (id, username) VALUES (%s, %s)", [(i, i) for i in ids]
            )
            cursor.executemany(
                "INSERT IGNORE INTO user_lines (user_id) VALUES (%s)", [(i,) for i in ids]
            )

    def fresh_sidecar(self) -> int:
        """Ends the sidecar and waits for the one that is started in its place.

        :return: its process id."""
        old = self.pid("SIGNALING")
        os.kill(old, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            new = self.pid("SIGNALING")
            if new != old and listens(self.signaling):
                return new
            time.sleep(0.1)
        raise TimeoutError("the sidecar did not come back")

    def fresh_nginx(self) -> None:
        """Starts it anew: what its workers have once had they use again."""
        subprocess.run([str(self.folder / "bin" / "start-nginx")], check=True)


def listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def user_ids(count: int) -> list[str]:
    """As long as most installations' ids are: UUIDs."""
    return [f"be4c4000-0000-7000-8000-{number:012x}" for number in range(count)]
