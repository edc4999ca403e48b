"""A group of three MySQL servers, one of them the primary (MySQL 9.7 Reference Manual, "Group Replication")."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pymysql

from support import cluster
from support.cluster import PASSWORD, free_ports
from support.network import Network
from support.stack import wait_until

MEMBERS = "SELECT MEMBER_PORT, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members"


def obstacle() -> str:
    """Why there can be no group here; empty where there can."""
    if not shutil.which("mysqld"):
        return "needs mysqld"
    version = subprocess.run(["mysqld", "--version"], capture_output=True, text=True).stdout
    return "needs MySQL's mysqld, and this one is MariaDB's" if "MariaDB" in version else ""


class Node(cluster.Node):
    server, client, administrator = "mysqld", "mysql", "root"
    current = "SET group_replication_consistency = 'BEFORE'"
    apart = ("SET GLOBAL read_only = OFF", "SET sql_log_bin = 0")

    def __init__(
        self,
        directory: Path,
        number: int,
        ports: list[int],
        group: str,
        seeds: str,
        network: Network | None,
    ):
        port, local = ports
        super().__init__(directory, f"n{number}", port)
        self.number, self.network = number, network
        if network is not None:
            self.address, self.enter = network.addresses[number], network.enter(number)
        self.config.write_text(f"""[mysqld]
datadir = {self.directory}/data
socket = {self.directory}/s
pid-file = {self.directory}/pid
log-error = {self.directory}/log.err
tmpdir = {self.directory}
port = {self.port}
bind-address = {self.address}
mysqlx = OFF
secure-file-priv = NULL
skip-name-resolve
server-id = {number + 1}
gtid-mode = ON
enforce-gtid-consistency = ON
report-host = {self.address}
innodb-flush-log-at-trx-commit = 2
sync-binlog = 0
innodb-buffer-pool-size = 64M
performance-schema-instrument = "%=OFF"
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
max-connections = 300
plugin-load-add = group_replication.so
loose-group-replication-group-name = {group}
loose-group-replication-local-address = {self.address}:{local}
loose-group-replication-group-seeds = {seeds}
loose-group-replication-ip-allowlist = {network.subnet if network else "127.0.0.1/8"}
loose-group-replication-start-on-boot = OFF
loose-group-replication-recovery-get-public-key = ON
loose-group-replication-recovery-reconnect-interval = 2
loose-group-replication-member-expel-timeout = 0
loose-group-replication-unreachable-majority-timeout = 2
loose-group-replication-autorejoin-tries = 0
{"user = root" if os.geteuid() == 0 else ""}
""")

    def install(self) -> None:
        subprocess.run(
            [self.server, f"--defaults-file={self.config}", "--initialize-insecure"],
            check=True,
            capture_output=True,
        )

    def start(self, *options: str) -> None:
        """Starts the server, and lets it join the group."""
        super().start(*options)
        wait_until(lambda: self.run("SELECT 1").returncode == 0, 60, 0.1, self.name)
        if not options:
            self.join()

    def join(self) -> None:
        """Joins the group, from the beginning where the others have expelled it and not yet forgotten it."""

        def joins() -> bool:
            return self.run("START GROUP_REPLICATION").returncode == 0

        if self.state() != "ONLINE":
            self.leave()
            wait_until(joins, 60, 0.5, self.name)
            wait_until(lambda: self.state() == "ONLINE", 60, 0.1, self.name)

    def leave(self) -> None:
        """Ends its membership, or what is left of it where it has lost its majority, or the others have expelled it."""
        self.run("STOP GROUP_REPLICATION; SET GLOBAL offline_mode = OFF")

    def bootstrap(self) -> None:
        """Begins a group of one, which the others join (MySQL, "Restarting a Group")."""
        self.leave()
        self.run(
            "SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION; "
            "SET GLOBAL group_replication_bootstrap_group = OFF"
        ).check_returncode()
        wait_until(self.is_primary, 30, 0.1, self.name)

    def members(self) -> list[dict]:
        """The group, as this node sees it; empty where it does not answer."""
        with contextlib.suppress(pymysql.err.Error):
            return self.administrate(MEMBERS)
        return []

    def state(self) -> str:
        return next(
            (m["MEMBER_STATE"] for m in self.members() if m["MEMBER_PORT"] == self.port), ""
        )

    def is_primary(self) -> bool:
        """Whether it takes writes, which is a moment after the group has elected it."""
        roles = [m["MEMBER_ROLE"] for m in self.members() if m["MEMBER_PORT"] == self.port]
        return (
            roles == ["PRIMARY"] and self.administrate("SELECT @@super_read_only AS r")[0]["r"] == 0
        )

    def is_whole(self) -> bool:
        return [m["MEMBER_STATE"] for m in self.members()] == ["ONLINE"] * 3

    def has_majority(self) -> bool:
        states = [m["MEMBER_STATE"] for m in self.members()]
        return states.count("ONLINE") * 2 > len(states)

    def has_left(self) -> bool:
        """Whether it answers, and is in no group."""
        return bool(self.members()) and self.state() not in ("ONLINE", "RECOVERING")

    def transactions(self) -> str:
        """Those that it has applied or received, as a set of GTIDs."""
        received = (
            "SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status "
            "WHERE CHANNEL_NAME = 'group_replication_applier'"
        )
        rows = self.administrate(
            f"SELECT CONCAT_WS(',', @@GLOBAL.gtid_executed, ({received})) AS g"
        )
        return rows[0]["g"].replace("\n", "")

    def has_all(self, transactions: str) -> bool:
        subset = f"SELECT GTID_SUBSET('{transactions}', '{self.transactions()}') AS r"
        return self.administrate(subset)[0]["r"] == 1

    def isolated(self) -> contextlib.AbstractContextManager[None]:
        return self.network.cut(self.number)

    def disconnect(self) -> None:
        for row in self.administrate(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'chattrix' AND HOST <> 'localhost'"
        ):
            with contextlib.suppress(pymysql.err.Error):
                self.administrate(f"KILL {row['ID']}")

    def identity(self) -> str:
        return self.administrate("SELECT @@server_uuid AS id")[0]["id"]


class Group(cluster.Cluster):
    kind = "group"
    clients = ("localhost", "'%'")
    obstacle = staticmethod(obstacle)

    def __init__(self, settings: dict[str, str] | None = None, network: Network | None = None):
        self.network = network
        super().__init__(settings)

    def start_nodes(self) -> None:
        ports = free_ports(6)
        addresses = self.network.addresses if self.network else [Node.address] * 3
        seeds = ",".join(
            f"{address}:{port}" for address, port in zip(addresses, ports[3:], strict=True)
        )
        name = str(uuid.uuid4())
        self.nodes = [
            Node(self.directory, number, ports[number::3], name, seeds, self.network)
            for number in range(3)
        ]
        for node in self.nodes:
            node.install()
        first, *others = self.nodes
        first.start("--skip-replica-start")
        first.run(self.login()).check_returncode()
        first.bootstrap()
        first.run(self.accounts()).check_returncode()
        for node in others:
            node.start("--skip-replica-start")
            node.run(self.login()).check_returncode()
            node.join()

    @staticmethod
    def login() -> str:
        """The account by which a node brings itself up to date at another one, not itself replicated."""
        rights = "REPLICATION SLAVE, BACKUP_ADMIN, GROUP_REPLICATION_STREAM, CONNECTION_ADMIN"
        return (
            "SET sql_log_bin = 0; "
            f"CREATE USER member@'%' IDENTIFIED BY '{PASSWORD}'; "
            f"GRANT {rights} ON *.* TO member@'%'; SET sql_log_bin = 1; "
            f"CHANGE REPLICATION SOURCE TO SOURCE_USER = 'member', SOURCE_PASSWORD = '{PASSWORD}' "
            "FOR CHANNEL 'group_replication_recovery'"
        )

    def primary(self) -> Node:
        return next(node for node in self.nodes if node.is_primary())

    def connector(self, index: int):
        """A test's own rows are written where they can be."""

        def connect(*arguments):
            wait_until(lambda: any(node.is_primary() for node in self.nodes), 30, 0.1)
            return self.primary().connect(*arguments)

        return connect

    def whole(self) -> None:
        """The first node is the primary again, of a new group where there is none."""
        if not any(node.is_primary() for node in self.nodes if node.process.poll() is None):
            for node in self.nodes:
                if node.process.poll() is None:
                    node.kill()
            self.nodes[0].start("--skip-replica-start")
            self.nodes[0].bootstrap()
        for node in self.nodes:
            if node.process.poll() is None:
                node.join()
        super().whole()
        self.appoint(self.nodes[0])

    def appoint(self, node: Node) -> None:
        """Makes another node the primary, as an administrator does."""
        self.primary().administrate(f"SELECT group_replication_set_as_primary('{node.identity()}')")
        wait_until(node.is_primary, 30, 0.1)
