"""Three database nodes on loopback, and two hosts' programs over them: what clusters of each kind have in common."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pymysql
import pytest

from support.hosts import answers
from support.stack import Stack, alive, make, wait_until
from support.variants import NO_LIMITS, free_port

PASSWORD = "cluster"


def free_ports(count: int) -> list[int]:
    """Ports that nobody takes while a node is down either."""
    firsts = [free_port() for _ in range(0, count, 5)]
    return [first + offset for first in firsts for offset in range(5)][:count]


class Node:
    """One server of the cluster."""

    server: str
    client: str
    administrator: str
    # Of a session that reads what any node has committed before.
    current: str
    # After these a session's changes stay with this node.
    apart: tuple[str, ...]
    # Where it listens, and what comes before its command, where that is not this machine's own network.
    address = "127.0.0.1"
    enter: tuple[str, ...] = ()

    def __init__(self, directory: Path, name: str, port: int):
        self.name = name
        self.directory = directory / name
        (self.directory / "data").mkdir(parents=True)
        self.port = port
        self.config = self.directory / "my.cnf"

    @property
    def pid(self) -> int:
        return int((self.directory / "pid").read_text())

    def start(self, *options: str) -> None:
        (self.directory / "s").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [*self.enter, self.server, f"--defaults-file={self.config}", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self, statements: str) -> subprocess.CompletedProcess:
        """As the administrator, by the server's own client."""
        return subprocess.run(
            [self.client, "--no-defaults", f"--socket={self.directory}/s"]
            + [f"--user={self.administrator}", "--batch", "-N", "-e", statements],
            capture_output=True,
            text=True,
        )

    def connect(self, database: str | None = "chattrix", user: str = "chattrix", **options):
        return pymysql.connect(
            unix_socket=str(self.directory / "s"),
            user=user,
            password=PASSWORD if user == "chattrix" else "",
            database=database,
            autocommit=True,
            init_command=self.current if user == "chattrix" else None,
            cursorclass=pymysql.cursors.DictCursor,
            **options,
        )

    def sql(self, statement: str, *arguments) -> list[dict]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return list(cursor.fetchall())

    def administrate(self, statement: str) -> list[dict]:
        """As the administrator, also where the node serves nobody else."""
        with self.connect(None, self.administrator) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def used_sessions(self) -> list[dict]:
        """The connections of the programs, which come by TCP, unlike a test itself. Each reads or writes at least once
        a second, but for workers without a request, and those look before they use a connection again."""
        return self.administrate(
            "SELECT ID FROM information_schema.PROCESSLIST "
            "WHERE USER = 'chattrix' AND HOST LIKE '127.0.0.1:%' AND (COMMAND <> 'Sleep' OR TIME < 3)"
        )

    def is_whole(self) -> bool:
        """Whether it serves in a cluster with all others."""
        raise NotImplementedError

    def isolated(self) -> contextlib.AbstractContextManager[None]:
        """The node without its connections to the others, while its clients reach it."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Ends all connections of the programs."""
        raise NotImplementedError

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Cluster:
    """Three nodes, and the hosts a and b, whose first nodes are different ones."""

    kind: str
    # From where the programs and the tests log in, as an account has it.
    clients = ("localhost", "'127.0.0.1'")

    def __init__(self, settings: dict[str, str] | None = None):
        if self.obstacle():
            pytest.skip(self.obstacle())
        self.settings = settings or {}
        self.directory = Path(tempfile.mkdtemp(prefix=f"chattrix-{self.kind}-"))
        self.directory.chmod(0o755)
        self.nodes: list = []
        self.stacks: list[Path] = []
        try:
            self.start_nodes()
            self.a = self.host("a", [0, 1, 2], {})
            self.b = self.host("b", [1, 0, 2], {"STACK_SHARE": str(self.a.directory)})
        except BaseException:
            self.down()
            raise

    @staticmethod
    def obstacle() -> str:
        """Why there can be no cluster here; empty where there can."""
        raise NotImplementedError

    def start_nodes(self) -> None:
        raise NotImplementedError

    @classmethod
    def accounts(cls) -> str:
        """The database and the programs' account, as statements."""
        return "CREATE DATABASE chattrix CHARACTER SET utf8mb4; " + "; ".join(
            f"CREATE USER chattrix@{host} IDENTIFIED BY '{PASSWORD}'; "
            f"GRANT ALL ON `chattrix%`.* TO chattrix@{host}"
            for host in cls.clients
        )

    def addresses(self, order: list[int]) -> str:
        return ",".join(f"{self.nodes[index].address}:{self.nodes[index].port}" for index in order)

    def migration_settings(self, database: str, order: list[int]) -> dict[str, str]:
        """For chattrix-ctl, of one of the cluster's databases, with the nodes in this order."""
        place = {"MYSQL_HOST": self.addresses(order), "MYSQL_DATABASE": database}
        return place | {"MYSQL_SOCKET": ""}  # which would come before MYSQL_HOST

    def host(self, name: str, order: list[int], others: dict[str, str]) -> Stack:
        directory = self.directory / name
        directory.mkdir()
        self.stacks.append(directory)
        if not others:
            (directory / "secrets").write_text(
                f"STACK_MYSQL_PASSWORD={PASSWORD}\nSTACK_JWT_SECRET={'5' * 64}\n"
                f"STACK_AGORA_APP_ID={'a' * 32}\nSTACK_AGORA_APP_CERTIFICATE={'b' * 32}\n"
            )
        settings = {
            "STACK_PORT": str(free_port()),
            "STACK_NODES": self.addresses(order),
            "WORKERS": "3",
        }
        make("up", directory, NO_LIMITS | settings | self.settings | others)
        stack = Stack(directory)
        stack.connect = self.connector(order[0])
        return stack

    def connector(self, index: int):
        """How a test reaches the data from a host whose first node is this one."""
        return self.nodes[index].connect

    def whole(self) -> None:
        """Brings back nodes that were killed, with all that they lack, and waits for both hosts."""
        for node in self.nodes:
            if not alive(node.process.pid):
                node.start()
        for node in self.nodes:
            wait_until(node.is_whole, 120, 0.1, node.name)
        self.a.local, self.b.local = threading.local(), threading.local()
        wait_until(lambda: answers(self.a) and answers(self.b), 60, 0.1)

    def down(self) -> None:
        for directory in reversed(self.stacks):
            make("down", directory, {})
        for node in self.nodes:
            process = getattr(node, "process", None)
            if process and alive(process.pid):
                node.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def nothing_is_served(caller, callee, call_id: str) -> None:
    """From soon on whatever needs the database is refused, of both hosts."""
    wait_until(lambda: refuses(caller.get("/calls/active", timeout=40)), 40, 0.1, "a refusal")
    for person in (caller, callee):
        for request in (
            lambda p=person: p.get("/calls/active"),
            lambda p=person: p.get("/calls/history"),
            lambda p=person: p.initiate("nobody"),
            lambda p=person: p.post(f"/calls/{call_id}/end", {}),
        ):
            assert refuses(request())


def everything_is_served(caller, callee, call_id: str) -> None:
    """From soon on, with the call that was there before."""
    wait_until(lambda: caller.get("/calls/active").status_code == 200, 20, 0.1, "an answer")
    ended = caller.post(f"/calls/{call_id}/end", {})
    assert ended.status_code in (200, 409)
    caller.call(callee)


def refuses(response) -> bool:
    """Whether it is 503 as the contract wants it; fails for a 500."""
    assert response.status_code in (200, 503), response.text
    if response.status_code == 200:
        return False
    assert response.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    return int(response.headers["Retry-After"]) >= 1
