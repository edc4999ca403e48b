"""Two hosts over a cluster of three nodes, each with another node first, and one Redis for both."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from Chaos.stage import Plan, Stage
from support.cluster import Cluster


class ClusterStage(Stage):
    kind: type[Cluster]

    def open(self, plan: Plan, settings: dict[str, str]) -> None:
        if self.kind.obstacle():
            raise RuntimeError(self.kind.obstacle())
        self.cluster = self.make_cluster(settings)
        self.nodes = self.cluster.nodes
        self.hosts = {"a": self.cluster.a, "b": self.cluster.b}
        self.disk = self.cluster.directory / "disk"
        self.take_small_disk(plan)

    def make_cluster(self, settings: dict[str, str]) -> Cluster:
        return self.kind(settings)

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

    def start(self, name: str, host: str) -> None:
        if name != "node":
            return super().start(name, host)
        self.bring_back(next(node for node in self.nodes if node.name == host))

    def bring_back(self, node) -> None:
        """What its administrator does with a node that has ended or left."""
        raise NotImplementedError

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
