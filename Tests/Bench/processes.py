"""What the kernel says of a process (proc(5)): memory, processor time, children."""

from __future__ import annotations

import os
import time
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """All that is resident, whoever else has it mapped."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def proportional_bytes(pid: int) -> int:
    """What is resident, pages that several processes share divided among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def processor_seconds(pid: int) -> float:
    """User and system time together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def settle(*pids: int, seconds: float = 20) -> None:
    """Waits until none of these has anything to do: what one measurement has left behind is not to
    become part of the next."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = sum(processor_seconds(pid) for pid in pids)
        time.sleep(0.5)
        if sum(processor_seconds(pid) for pid in pids) - before <= 0.02:
            return
