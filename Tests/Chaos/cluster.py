"""Two hosts over a Galera cluster of three nodes, each with another node first, and one Redis for both."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from Chaos.stage import Plan, Stage
from support.galera import Cluster, Node, obstacle
from support.stack import alive, wait_until


class ClusterStage(Stage):
    spared = ("mariadb",)

    def open(self, plan: Plan, settings: dict[str, str]) -> None:
        if obstacle():
            raise RuntimeError(obstacle())
        self.cluster = Cluster(settings)
        self.nodes = self.cluster.nodes
        self.hosts = {"a": self.cluster.a, "b": self.cluster.b}
        self.disk = self.cluster.directory / "disk"
        self.take_small_disk(plan)

    def move_data(self) -> None:
        """Those of the node that host a has first go to the small disk."""
        node = self.nodes[0]
        data = node.directory / "data"
        node.process.terminate()
        node.process.wait(60)
        # With its owner, who is not the run's.
        subprocess.run(["cp", "-a", str(data), str(self.disk)], check=True)
        shutil.rmtree(data)
        data.symlink_to(self.disk / "data")
        node.start()

    def lacking(self) -> str:
        return ", ".join(
            f"{node.name} is not in the cluster" for node in self.nodes if not node.is_whole()
        )

    def miss(self, node: Node) -> None:
        """A service manager waits for 5 s. One that comes back under the same address before the others have given it
        up can leave all of them without a quorum ("install timer expired")."""
        others = [other for other in self.nodes if other is not node]
        wait_until(lambda: others[0].count("wsrep_cluster_size") == len(others), 30, 0.1)

    def ended(self) -> list[tuple[str, str]]:
        """A node that could not apply what the others did has left them for good: its administrator starts it again."""
        nodes = [n for n in self.nodes if not alive(n.process.pid) or not n.is_connected()]
        return [("node", node.name) for node in nodes] + super().ended()

    def start(self, name: str, host: str) -> None:
        if name != "node":
            return super().start(name, host)
        node = next(node for node in self.nodes if node.name == host)
        node.kill()
        node.start()

    @property
    def root(self) -> Path:
        return self.cluster.directory

    def logs(self) -> dict[str, Path]:
        return super().logs() | {node.name: node.directory / "log.err" for node in self.nodes}

    def close(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.down()

    def remove(self) -> None:
        super().remove()
        if hasattr(self, "cluster"):
            shutil.rmtree(self.cluster.directory, ignore_errors=True)
