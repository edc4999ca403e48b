"""A Galera cluster of three nodes on loopback, and two hosts' programs over it."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pymysql
import pytest

from support.hosts import answers
from support.stack import Stack, alive, make, wait_until
from support.variants import NO_LIMITS, free_port

PROVIDERS = [
    Path("/usr/lib/galera/libgalera_smm.so"),
    Path("/usr/lib64/galera-4/libgalera_smm.so"),
]
PASSWORD = "galera"


def obstacle() -> str:
    """Why there can be no cluster here; empty where there can."""
    missing = [name for name in ("mariadbd", "rsync") if not shutil.which(name)]
    if not any(provider.exists() for provider in PROVIDERS):
        missing.append("galera-4")
    return f"needs {', '.join(missing)}" if missing else ""


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Node:
    """One MariaDB of the cluster."""

    def __init__(self, directory: Path, name: str, ports: list[int], members: str):
        self.name = name
        self.directory = directory / name
        (self.directory / "data").mkdir(parents=True)
        self.port, group, ist, sst = ports
        # rsync's daemon, which brings the data to a node that joins, drops root's rights.
        self.user = "mysql" if os.geteuid() == 0 else getpass.getuser()
        provider = next(path for path in PROVIDERS if path.exists())
        options = {
            "gmcast.listen_addr": f"tcp://127.0.0.1:{group}",
            "ist.recv_addr": f"127.0.0.1:{ist}",
            "gcache.size": "32M",
            "pc.recovery": "false",
            "evs.keepalive_period": "PT0.5S",
            "evs.suspect_timeout": "PT2S",
            "evs.inactive_timeout": "PT4S",
        }
        joined = ";".join(f"{key}={value}" for key, value in options.items())
        self.config = self.directory / "my.cnf"
        self.config.write_text(f"""[mysqld]
datadir = {self.directory}/data
socket = {self.directory}/s
pid-file = {self.directory}/pid
log-error = {self.directory}/log.err
port = {self.port}
bind-address = 127.0.0.1
skip-name-resolve
binlog-format = ROW
innodb-autoinc-lock-mode = 2
innodb-flush-log-at-trx-commit = 2
innodb-buffer-pool-size = 64M
performance-schema = OFF
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
max-connections = 300
wsrep-on = ON
wsrep-provider = {provider}
wsrep-cluster-name = chattrix
wsrep-cluster-address = gcomm://{members}
wsrep-node-name = {name}
wsrep-node-address = 127.0.0.1:{group}
wsrep-sst-method = rsync
wsrep-sst-receive-address = 127.0.0.1:{sst}
wsrep-provider-options = "{joined}"
{f"user = {self.user}" if os.geteuid() == 0 else ""}
""")

    @property
    def pid(self) -> int:
        return int((self.directory / "pid").read_text())

    def start(self, *options: str) -> None:
        (self.directory / "s").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["mariadbd", f"--defaults-file={self.config}", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.is_synced, 60, 0.1, self.name)

    def connect(self, database: str | None = "chattrix", user: str = "chattrix"):
        return pymysql.connect(
            unix_socket=str(self.directory / "s"),
            user=user,
            password=PASSWORD if user == "chattrix" else "",
            database=database,
            autocommit=True,
            init_command="SET wsrep_sync_wait = 7" if user == "chattrix" else None,
            cursorclass=pymysql.cursors.DictCursor,
        )

    def sql(self, statement: str, *arguments) -> list[dict]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return list(cursor.fetchall())

    def is_synced(self) -> bool:
        client = ["mariadb", "--no-defaults", f"--socket={self.directory}/s", "--batch", "-N"]
        statement = "SHOW STATUS LIKE 'wsrep_local_state_comment'"
        user = f"--user={getpass.getuser()}"
        done = subprocess.run([*client, user, "-e", statement], capture_output=True, text=True)
        return "Synced" in done.stdout

    def is_whole(self) -> bool:
        """Whether it serves in a cluster with all others."""
        return self.is_synced() and self.count("wsrep_cluster_size") == 3

    def is_connected(self) -> bool:
        """Whether it is in touch with the others, or tries to be; of one that does not answer nobody knows."""
        try:
            rows = self.administrate("SHOW GLOBAL STATUS LIKE 'wsrep_connected'")
        except pymysql.err.Error:
            return True
        return [row["Value"] for row in rows] == ["ON"]

    def administrate(self, statement: str) -> list[dict]:
        """As root, also where the node serves nobody else."""
        with self.connect(None, getpass.getuser()) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def count(self, *names: str) -> int:
        """The sum of counters of `SHOW GLOBAL STATUS`."""
        rows = self.administrate("SHOW GLOBAL STATUS LIKE 'wsrep%'")
        return sum(int(row["Value"]) for row in rows if row["Variable_name"] in names)

    def provide(self, option: str) -> None:
        """Sets an option of the provider."""
        self.administrate(f"SET GLOBAL wsrep_provider_options = '{option}'")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Cluster:
    """Three nodes, and the hosts a and b, whose first nodes are different ones."""

    def __init__(self, settings: dict[str, str] | None = None):
        if obstacle():
            pytest.skip(obstacle())
        self.settings = settings or {}
        self.directory = Path(tempfile.mkdtemp(prefix="chattrix-galera-"))
        self.directory.chmod(0o755)
        self.nodes: list[Node] = []
        self.stacks: list[Path] = []
        try:
            self.start_nodes()
            self.a = self.host("a", [0, 1, 2], {})
            self.b = self.host("b", [1, 0, 2], {"STACK_SHARE": str(self.a.directory)})
        except BaseException:
            self.down()
            raise

    def start_nodes(self) -> None:
        ports = free_ports(12)
        groups = [ports[index * 4 + 1] for index in range(3)]
        members = ",".join(f"127.0.0.1:{port}" for port in groups)
        self.nodes = [
            Node(self.directory, f"n{index}", ports[index * 4 : index * 4 + 4], members)
            for index in range(3)
        ]
        first = self.nodes[0]
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={first.directory}/data",
                "--skip-test-db",
                "--auth-root-authentication-method=socket",
                f"--user={getpass.getuser()}",
            ],
            env=os.environ | {"TMPDIR": str(self.directory)},
            check=True,
            capture_output=True,
        )
        if os.geteuid() == 0:
            for node in self.nodes:
                for path in (node.directory, *node.directory.rglob("*")):
                    shutil.chown(path, node.user)
        first.start("--wsrep-new-cluster")
        accounts = "; ".join(
            f"CREATE USER chattrix@{host} IDENTIFIED BY '{PASSWORD}'; "
            f"GRANT ALL ON `chattrix%`.* TO chattrix@{host}"
            for host in ("localhost", "'127.0.0.1'")
        )
        subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={first.directory}/s"]
            + [f"--user={getpass.getuser()}", "-e"]
            + [f"CREATE DATABASE chattrix CHARACTER SET utf8mb4; {accounts}"],
            check=True,
            capture_output=True,
        )
        for node in self.nodes[1:]:
            node.start()

    def addresses(self, order: list[int]) -> str:
        return ",".join(f"127.0.0.1:{self.nodes[index].port}" for index in order)

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
            "CALL_TIMEOUT_SECONDS": "4",
        }
        make("up", directory, NO_LIMITS | settings | self.settings | others)
        stack = Stack(directory)
        stack.connect = self.nodes[order[0]].connect
        return stack

    def whole(self) -> None:
        """Brings back nodes that were killed, with all that they lack, and waits for both hosts."""
        for node in self.nodes:
            if not alive(node.process.pid):
                node.start()
        for node in self.nodes:
            wait_until(node.is_whole, 60, 0.1)
        self.a.local, self.b.local = threading.local(), threading.local()
        wait_until(lambda: answers(self.a) and answers(self.b), 30, 0.1)

    def down(self) -> None:
        for directory in reversed(self.stacks):
            make("down", directory, {})
        for node in self.nodes:
            process = getattr(node, "process", None)
            if process and alive(process.pid):
                node.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
