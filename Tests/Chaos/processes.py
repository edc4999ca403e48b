"""The processes of a stack and their descriptors: none may be left over, none may leak."""

from __future__ import annotations

import os
from pathlib import Path

from Chaos.stage import Stage
from support.stack import Stack, alive, command


def companions(stack: Stack) -> list[int]:
    """The senders of webhooks under the supervisor of this moment."""
    found = stack.children(stack.pid("SUPERVISOR"))
    return [pid for pid in found if "chattrix-webhooks" in command(pid)]


def targets(pid: int) -> list[str]:
    """What a process has open."""
    found = []
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.append(os.readlink(entry))
            except OSError:
                continue
    except OSError:
        pass
    return found


def belongs(pid: int, directory: Path) -> bool:
    """Whether a process has this stack's directory in its environment, its command line, or open."""
    needle = str(directory)
    for name in ("environ", "cmdline"):
        try:
            if needle.encode() in Path(f"/proc/{pid}/{name}").read_bytes():
                return True
        except OSError:
            continue
    return any(target.startswith(needle) for target in targets(pid))


def family(stage: Stage) -> dict[int, str]:
    """The processes that there are to be, and what each is."""
    pids = {node.process.pid: "mysql" for node in stage.nodes}
    for stack in stage.hosts.values():
        pids |= host_family(stack)
    return pids


def host_family(stack: Stack) -> dict[int, str]:
    pids = {}
    for name in ("SUPERVISOR", "SIGNALING", "MYSQL", "REDIS", "NGINX"):
        if not stack.get(f"{name}_PID"):
            continue
        pid = stack.pid(name)
        pids[pid] = name.lower()
        for child in stack.children(pid):
            word = Path(command(child).split(" ")[0]).name or "child"
            pids[child] = f"{name.lower()}/{word.rstrip(':')}"
    for path in sorted((stack.directory / "pids").glob("*.pid")):
        pid = int(path.read_text().strip() or 0)
        if path.stem.startswith("keeper-") or path.stem == "demo":
            pids[pid] = path.stem
            for child in stack.children(pid):
                pids.setdefault(child, f"{path.stem}/child")
    return pids


def strays(root: Path, known: set[int]) -> list[str]:
    """Processes of a stack below a folder that belong to nothing; the run's own are not meant."""
    found = []
    for entry in Path("/proc").iterdir():
        pid = int(entry.name) if entry.name.isdigit() else 0
        if pid == 0 or pid in known or ancestor(pid) or not alive(pid):
            continue
        if belongs(pid, root):
            found.append(f"{pid} {command(pid) or '(without a command)'}")
    return found


def ancestor(pid: int) -> bool:
    """Whether a process is this one or comes from it."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            return False
    return False


def descriptors(stage: Stage) -> dict[str, int]:
    """Open descriptors by role; of several processes in one role the most."""
    counts: dict[str, int] = {}
    for pid, role in family(stage).items():
        if role.startswith(("keeper", "demo")):
            continue
        counts[role] = max(counts.get(role, 0), len(targets(pid)))
    return counts
