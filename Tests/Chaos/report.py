"""What a run found, as text: the seed first, so that it can be played again."""

from __future__ import annotations

import collections
import time

from Chaos.faults import Fault
from Chaos.records import Outage
from Chaos.run import Run

SHOWN = 20


def text(run: Run) -> str:
    plan, records = run.plan, run.records
    disk = "" if run.has_disk else "; no full disk"
    place = plan.cluster and f" CHAOS_CLUSTER={plan.cluster}"
    lines = [
        f"CHAOS_SEED={plan.seed} CHAOS_CALLS={plan.calls} CHAOS_SECONDS={plan.seconds:.0f}{place}",
        f"{run.made} calls of {plan.users} users in {run.seconds:.0f} s, {len(run.faults)} faults{disk}",
        "The clock was not stepped: a container may not.",
        "",
        f"requests by status  {words(records.statuses())}",
        f"refusals            {words(collections.Counter(a.code for a in records.answers if a.code))}",
        f"sockets             {words(records.counts)}",
        f"faults              {words(collections.Counter(map(kind_of, run.faults)))}",
        f"descriptors         {words({k: f'{a} to {b}' for k, (a, b) in run.descriptors.items()})}",
        f"slowest             {slowest(run)}",
        "",
        f"the machine was too busy {len(records.stalls)} times; {len(records.lost_sockets)} sockets broke",
        "",
        "outages",
        *(f"  {line(outage)}" for outage in records.outages),
        "",
        f"{sum(map(len, records.violations.values()))} violations",
    ]
    for rule, found in records.violations.items():
        lines.append(f"\n{rule}: {len(found)}")
        lines += [f"  {what}" for what in found[:SHOWN]]
    return "\n".join(lines) + "\n"


def kind_of(fault: Fault) -> str:
    return f"{fault.kind.way} {fault.target}"


def words(counts: dict) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=str)) or "none"


def slowest(run: Run) -> str:
    slow = sorted(run.records.answers, key=lambda a: a.began - a.ended)[:3]
    return "; ".join(map(str, slow)) or "none"


def line(outage: Outage) -> str:
    clock = time.strftime("%H:%M:%S", time.gmtime(outage.began))
    return f"{clock} {outage.ended - outage.began:5.1f} s  {outage.name}"
