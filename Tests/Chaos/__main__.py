"""`make chaos`: a run by the environment's word; its report goes to standard output and to a file."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from Chaos import report
from Chaos.run import run
from Chaos.stage import Plan
from support.stack import ROOT


def main() -> int:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
    calls = int(os.environ.get("CHAOS_CALLS") or 10_000)
    port, cluster = os.environ.get("STACK_PORT"), os.environ.get("CHAOS_CLUSTER") or ""
    plan = Plan(
        seed=seed,
        calls=calls,
        seconds=float(os.environ.get("CHAOS_SECONDS") or 3600),
        users=int(os.environ.get("CHAOS_USERS") or 32),
        port=int(port) if port else None,
        cluster={"1": "galera"}.get(cluster, cluster),
    )
    folder = Path(os.environ.get("CHAOS_REPORTS") or ROOT / ".build" / "chaos")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"CHAOS_SEED={seed} plays this run again", flush=True)
    name = f"{plan.cluster and plan.cluster + '-'}seed-{seed}"
    done = run(plan, folder / f"{name}-logs")
    file = folder / f"{name}.txt"
    file.write_text(report.text(done))
    print(f"{file.read_text()}\n{file}")
    return 1 if done.records.violations else 0


if __name__ == "__main__":
    sys.exit(main())
