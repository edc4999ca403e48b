"""A Galera cluster of three nodes (MariaDB, galera-4)."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pymysql

from support import cluster
from support.cluster import free_ports
from support.stack import wait_until

PROVIDERS = [
    Path("/usr/lib/galera/libgalera_smm.so"),
    Path("/usr/lib64/galera-4/libgalera_smm.so"),
]


def obstacle() -> str:
    """Why there can be no cluster here; empty where there can."""
    missing = [name for name in ("mariadbd", "rsync") if not shutil.which(name)]
    if not any(provider.exists() for provider in PROVIDERS):
        missing.append("galera-4")
    return f"needs {', '.join(missing)}" if missing else ""


class Node(cluster.Node):
    server, client = "mariadbd", "mariadb"
    administrator = getpass.getuser()
    current = "SET wsrep_sync_wait = 7"
    apart = ("SET SESSION wsrep_on = OFF",)

    def __init__(
        self, directory: Path, name: str, ports: list[int], members: str, suspect_seconds: int
    ):
        port, group, ist, sst = ports
        super().__init__(directory, name, port)
        # rsync's daemon, which brings the data to a node that joins, drops root's rights.
        self.user = "mysql" if os.geteuid() == 0 else getpass.getuser()
        provider = next(path for path in PROVIDERS if path.exists())
        options = {
            "gmcast.listen_addr": f"tcp://127.0.0.1:{group}",
            "ist.recv_addr": f"127.0.0.1:{ist}",
            "gcache.size": "32M",
            "pc.recovery": "false",
            "evs.keepalive_period": "PT0.5S",
            "evs.suspect_timeout": f"PT{suspect_seconds}S",
            "evs.inactive_timeout": f"PT{2 * suspect_seconds}S",
        }
        joined = ";".join(f"{key}={value}" for key, value in options.items())
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

    def start(self, *options: str) -> None:
        super().start(*options)
        wait_until(self.is_synced, 60, 0.1, self.name)

    def is_synced(self) -> bool:
        return "Synced" in self.run("SHOW STATUS LIKE 'wsrep_local_state_comment'").stdout

    def is_whole(self) -> bool:
        return self.is_synced() and self.count("wsrep_cluster_size") == 3

    def is_connected(self) -> bool:
        """Whether it is in touch with the others, or tries to be; of one that does not answer nobody knows."""
        try:
            rows = self.administrate("SHOW GLOBAL STATUS LIKE 'wsrep_connected'")
        except pymysql.err.Error:
            return True
        return [row["Value"] for row in rows] == ["ON"]

    def count(self, *names: str) -> int:
        """The sum of counters of `SHOW GLOBAL STATUS`."""
        rows = self.administrate("SHOW GLOBAL STATUS LIKE 'wsrep%'")
        return sum(int(row["Value"]) for row in rows if row["Variable_name"] in names)

    def provide(self, option: str) -> None:
        """Sets an option of the provider."""
        self.administrate(f"SET GLOBAL wsrep_provider_options = '{option}'")

    def is_primary(self) -> bool:
        """Whether it is of the part of the cluster that serves."""
        rows = self.administrate("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_status'")
        return [row["Value"] for row in rows] == ["Primary"]

    @contextlib.contextmanager
    def isolated(self) -> Iterator[None]:
        """By the provider itself (Galera, "gmcast.isolate")."""
        self.provide("gmcast.isolate=1")
        try:
            yield
        finally:
            self.provide("gmcast.isolate=0")

    def disconnect(self) -> None:
        self.administrate("KILL HARD USER 'chattrix'@'127.0.0.1'")


class Cluster(cluster.Cluster):
    kind = "galera"
    obstacle = staticmethod(obstacle)
    # After how long without a word nodes take another one for lost. A busy machine stands still for seconds, and
    # nodes that are out of touch with one another serve nothing.
    suspect_seconds = 10

    def suspect_after(self, seconds: int) -> None:
        """Sets it until a node starts again."""
        options = [
            f"evs.inactive_timeout=PT{2 * max(seconds, self.suspect_seconds)}S",  # never less than the other
            f"evs.suspect_timeout=PT{seconds}S",
            f"evs.inactive_timeout=PT{2 * seconds}S",
        ]
        for node in self.nodes:
            for option in options:
                node.provide(option)

    def heal(self, nodes: list[Node]) -> None:
        """Nodes that remain without another one, and then were out of touch with one another since the machine stood
        still, do not serve when they are in touch again. Their administrator declares them to be the cluster (Galera,
        "pc.bootstrap")."""
        if nodes[0].count("wsrep_cluster_size") == len(nodes) and not nodes[0].is_primary():
            with contextlib.suppress(pymysql.err.Error):  # it is of the part that serves by now
                nodes[0].provide("pc.bootstrap=YES")

    def start_nodes(self) -> None:
        ports = free_ports(12)
        groups = [ports[index * 4 + 1] for index in range(3)]
        members = ",".join(f"127.0.0.1:{port}" for port in groups)
        self.nodes = [
            Node(
                self.directory,
                f"n{index}",
                ports[index * 4 : index * 4 + 4],
                members,
                self.suspect_seconds,
            )
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
        first.run(self.accounts()).check_returncode()
        for node in self.nodes[1:]:
            node.start()
