"""A Galera cluster, which heals by itself but for nodes that could not apply what the others did."""

from __future__ import annotations

from Chaos.cluster import ClusterStage
from support.galera import Cluster, Node
from support.stack import alive, wait_until


class QuickCluster(Cluster):
    # As in the guide's figures: an outage that lasts long is one that shows little.
    suspect_seconds = 2


class GaleraStage(ClusterStage):
    spared = ("mariadb", "primary")
    kind = QuickCluster

    def miss(self, node: Node) -> None:
        """A service manager waits for 5 s. One that comes back under the same address before the others have given it
        up can leave all of them without a quorum ("install timer expired")."""
        others = [other for other in self.nodes if other is not node]
        wait_until(lambda: others[0].count("wsrep_cluster_size") == len(others), 30, 0.1)

    def ended(self) -> list[tuple[str, str]]:
        """A node that could not apply what the others did has left them for good: its administrator starts it again."""
        nodes = [n for n in self.nodes if not alive(n.process.pid) or not n.is_connected()]
        return [("node", node.name) for node in nodes] + super().ended()

    def bring_back(self, node: Node) -> None:
        node.kill()
        node.start()
