"""A network for the nodes of a cluster: each in a network namespace (ip-netns(8)), all on one bridge of this machine's,
so that a node can be cut off from the others while its clients reach it. Root only."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import subprocess
from collections.abc import Iterator


class Network:
    """Up from its making until `down`."""

    def __init__(self, number: int):
        # Also the bridge's; the name of a link has at most 15 characters.
        self.name = f"nodes{os.getpid()}"
        prefix = free_prefix()
        self.subnet = f"{prefix}.0/24"
        self.addresses = [f"{prefix}.{index + 1}" for index in range(number)]
        try:
            ip("link", "add", "name", self.name, "type", "bridge")
            ip("address", "add", f"{prefix}.254/24", "dev", self.name)
            ip("link", "set", "dev", self.name, "up")
            for index in range(number):
                self.add(index)
        except BaseException:
            self.down()
            raise

    def namespace(self, index: int) -> str:
        return f"{self.name}-{index}"

    def add(self, index: int) -> None:
        namespace = self.namespace(index)
        ip("netns", "add", namespace)
        ip("link", "add", "name", namespace, *"type veth peer name up netns".split(), namespace)
        ip("link", "set", "dev", namespace, "master", self.name, "up")
        ip("-n", namespace, "address", "add", f"{self.addresses[index]}/24", "dev", "up")
        for device in ("up", "lo"):
            ip("-n", namespace, "link", "set", "dev", device, "up")

    def enter(self, index: int) -> tuple[str, ...]:
        """What comes before a command that is to run there; it keeps its process id."""
        return ("nsenter", f"--net=/run/netns/{self.namespace(index)}", "--")

    @contextlib.contextmanager
    def cut(self, index: int) -> Iterator[None]:
        """A node and the others do not reach each other; what they send is lost without an answer."""
        others = [other for other in range(len(self.addresses)) if other != index]
        pairs = [pair for other in others for pair in itertools.permutations((index, other))]
        try:
            for near, far in pairs:
                ip("-n", self.namespace(near), *self.hole(far, "add"))
            yield
        finally:
            for near, far in pairs:
                ip("-n", self.namespace(near), *self.hole(far, "del"), check=False)

    def hole(self, index: int, verb: str) -> tuple[str, ...]:
        return ("route", verb, "blackhole", f"{self.addresses[index]}/32")

    def down(self) -> None:
        for index in range(len(self.addresses)):
            ip("netns", "del", self.namespace(index), check=False)
        ip("link", "del", "dev", self.name, check=False)


def ip(*words: str, check: bool = True) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def free_prefix() -> str:
    """The first three numbers of addresses that no route of this machine but the default knows."""
    while True:
        prefix = f"10.{random.randrange(256)}.{random.randrange(256)}"
        routes = ip("-4", "route", "show", "to", "match", f"{prefix}.0/24")
        routes += ip("-4", "route", "show", "to", "root", f"{prefix}.0/24")
        if all(line.startswith("default") for line in routes.splitlines()):
            return prefix
