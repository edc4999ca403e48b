"""A Redis beside the stack's own, which is its replica until it takes its place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import redis


class Replica:
    def __init__(self, directory: Path, port: int, master: int):
        self.port, self.master = port, master
        with (directory / "replica.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
                + ["--dir", str(directory), "--replicaof", "127.0.0.1", str(master)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        """What REDIS_URL says of both: the stack's first."""
        return ",".join(f"redis://127.0.0.1:{port}/0" for port in (self.master, self.port))

    def command(self, *words: str, port: int | None = None):
        with redis.Redis(host="127.0.0.1", port=port or self.port) as client:
            return client.execute_command(*words)

    def follows(self) -> bool:
        """Whether it has all that the stack's Redis has."""
        try:
            return self.command("ROLE")[3] == b"connected"
        except (redis.RedisError, IndexError):
            return False

    def take_over(self) -> None:
        """The replica becomes the master and the other way round, as Sentinel does it."""
        self.command("REPLICAOF", "NO", "ONE")
        self.command("REPLICAOF", "127.0.0.1", str(self.port), port=self.master)

    def give_back(self) -> None:
        self.command("REPLICAOF", "NO", "ONE", port=self.master)
        self.command("REPLICAOF", "127.0.0.1", str(self.master))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
