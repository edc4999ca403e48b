"""A group of MySQL servers with one primary, and its administrator: a node that was expelled joins again, and where all
have lost their majority the group begins anew with the node that has most (MySQL, "Restarting a Group")."""

from __future__ import annotations

import contextlib

import pymysql

from Chaos.cluster import ClusterStage
from Chaos.records import Kind
from Chaos.stage import Plan
from support.group import Group, Node
from support.network import Network
from support.stack import alive, wait_until

# After these the others may have expelled a node, or it may have had no majority.
COSTS_MEMBERSHIP = {("halt", "node"), ("halt", "quorum"), ("isolate", "node"), ("fill", "disk")}
PROBE = "chattrix_probe"
PROBE_SECONDS = 2


class GroupStage(ClusterStage):
    spared = ("mariadb",)
    kind = Group
    # A primary that is to end waits for transactions that it has sent to the group, which it is no member of any more;
    # the others serve meanwhile.
    end_seconds = 100
    # A server whose disk is full looks once a minute whether it still is (MySQL, "How MySQL Handles a Full Disk").
    whole_seconds = 150

    def make_cluster(self, settings: dict[str, str]) -> Group:
        try:
            self.network = Network(3)
        except OSError:
            self.network = None
            self.spared += ("isolate",)
        return Group(settings, self.network)

    def open(self, plan: Plan, settings: dict[str, str]) -> None:
        super().open(plan, settings)
        primary = self.cluster.primary()
        primary.administrate(f"CREATE DATABASE {PROBE}")
        primary.administrate(f"CREATE TABLE {PROBE}.writes (id INT PRIMARY KEY, number BIGINT)")

    def primary(self) -> Node | None:
        """The one that takes writes, of those that can commit them."""
        for node in self.nodes:
            with contextlib.suppress(pymysql.err.Error):
                if node.is_primary() and node.has_majority():
                    return node
        return None

    def struck(self, kind: Kind, which: float) -> list[Node]:
        """The primary as often as the two others, and alone where a secondary would not be missed."""
        primary = self.primary() or self.nodes[0]
        others = [node for node in self.nodes if node is not primary]
        first = others[int(which * 4) % 2]
        if kind.way in ("refuse", "cut") or (which < 0.5 and kind.way != "appoint"):
            first = primary
        number = 2 if kind.target == "quorum" else 1
        return [first, *(node for node in self.nodes if node is not first)][:number]

    def lacking(self) -> str:
        """A member may be one that cannot write, or apply what others wrote: of a full disk, for up to a minute."""
        primary = self.primary()
        if lacks := super().lacking() or ("" if primary else "no node is the primary"):
            return lacks
        patience = {"read_timeout": PROBE_SECONDS, "write_timeout": PROBE_SECONDS}
        self.probe(primary, f"REPLACE INTO {PROBE}.writes VALUES (1, RAND() * 1000000)", patience)
        for node in self.nodes:
            self.probe(node, f"SELECT number FROM {PROBE}.writes", patience)
        return ""

    @staticmethod
    def probe(node: Node, statement: str, patience: dict[str, int]) -> None:
        """As the programs do it, after all that was committed before."""
        with node.connect(PROBE, **patience) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def miss(self, node: Node) -> None:
        """The others have to have expelled a node before it may join again."""
        others = [other for other in self.nodes if other is not node]

        def is_missed() -> bool:
            return all(
                node.port not in [member["MEMBER_PORT"] for member in other.members()]
                for other in others
            )

        wait_until(is_missed, 30, 0.1)

    def ended(self) -> list[tuple[str, str]]:
        """Nodes that something can be done about now: all that are out of a group that serves, or where there is none,
        and is none to be, the one that has most."""
        dead = [node for node in self.nodes if not alive(node.process.pid)]
        left = [node for node in self.nodes if node not in dead and node.has_left()]
        if not dead and not self.primary():
            left = [self.foremost()] if len(left) == len(self.nodes) else []
        return [("node", node.name) for node in dead + left] + super().ended()

    def foremost(self) -> Node:
        """The node that has whatever any other has."""
        has = [node.transactions() for node in self.nodes]
        for node in self.nodes:
            if all(map(node.has_all, has)):
                return node
        raise RuntimeError(f"each node lacks what another has: {has}")

    def may_end(self, server: str, kinds: tuple[Kind, ...]) -> bool:
        return server == "node" and any((k.way, k.target) in COSTS_MEMBERSHIP for k in kinds)

    def bring_back(self, node: Node) -> None:
        if not alive(node.process.pid):
            node.start("--skip-replica-start")
        if self.primary():
            node.join()
        elif all(other.has_left() for other in self.nodes):
            node.bootstrap()

    def close(self) -> None:
        super().close()
        if getattr(self, "network", None):
            self.network.down()
