"""Two hosts over a Galera cluster of three nodes, each with another node first, and one Redis for both."""

from __future__ import annotations

from pathlib import Path

from Chaos.stage import Plan, Stage
from support.galera import Cluster, obstacle
from support.stack import alive


class ClusterStage(Stage):
    spared = ("mariadb", "disk")

    def open(self, plan: Plan, settings: dict[str, str]) -> None:
        if obstacle():
            raise RuntimeError(obstacle())
        self.cluster = Cluster(settings)
        self.nodes = self.cluster.nodes
        self.hosts = {"a": self.cluster.a, "b": self.cluster.b}

    def lacking(self) -> str:
        return ", ".join(
            f"{node.name} is not in the cluster" for node in self.nodes if not node.is_whole()
        )

    def ended(self) -> list[tuple[str, str]]:
        nodes = [node for node in self.nodes if not alive(node.process.pid)]
        return [("node", node.name) for node in nodes] + super().ended()

    def start(self, name: str, host: str) -> None:
        if name != "node":
            return super().start(name, host)
        next(node for node in self.nodes if node.name == host).start()

    @property
    def root(self) -> Path:
        return self.cluster.directory

    def logs(self) -> dict[str, Path]:
        return super().logs() | {node.name: node.directory / "log.err" for node in self.nodes}

    def close(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.down()
