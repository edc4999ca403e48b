"""Counts Autobahn's index.json by group, as Markdown; fails where a case did. Python 2.7 and 3."""

from __future__ import print_function

import json
import sys

GROUPS = {
    1: "Framing",
    2: "Pings and pongs",
    3: "Reserved bits",
    4: "Opcodes",
    5: "Fragmentation",
    6: "UTF-8",
    7: "Close",
    9: "Limits and throughput",
    10: "Miscellaneous",
}


def outcome(case):
    """The worse of how the messages and how the closing went."""
    both = {case["behavior"], case["behaviorClose"]}
    return (
        "failed" if both - {"OK", "INFORMATIONAL"} else "ok" if both == {"OK"} else "informational"
    )


def main(path):
    with open(path) as file:
        (cases,) = json.load(file).values()
    counts = {}
    failed = []
    for name, case in cases.items():
        group = counts.setdefault(
            int(name.split(".")[0]), {"ok": 0, "informational": 0, "failed": 0}
        )
        group[outcome(case)] += 1
        if outcome(case) == "failed":
            failed.append((name, case["behavior"], case["behaviorClose"]))
    print("# Autobahn's test suite")
    print()
    print("What `make conformance` found last. Informational cases have no right or wrong outcome.")
    print()
    print("| group | cases | OK | informational | failed |")
    print("|---|--:|--:|--:|--:|")
    for number, group in sorted(counts.items()):
        name = "{} {}".format(number, GROUPS.get(number, "?"))
        row = [sum(group.values()), group["ok"], group["informational"], group["failed"]]
        print("| {} | {} |".format(name, " | ".join(map(str, row))))
    totals = [
        sum(group[key] for group in counts.values()) for key in ("ok", "informational", "failed")
    ]
    print("| all | {} | {} |".format(sum(totals), " | ".join(map(str, totals))))
    for case in sorted(failed):
        print("\n{}: {}, close {}".format(*case))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
