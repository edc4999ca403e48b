"""Which acceptance criteria were shown, by which tests.

As a pytest plugin it gathers the `criterion` marks of the tests that ran and prints a table of
R1.1 … R15.5; run as a program it prints the table of the last run, together with the Swift tests
that name a criterion.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

CRITERIA = [f"R{requirement}.{number}" for requirement in range(1, 16) for number in range(1, 6)]
TESTS = Path(__file__).resolve().parents[1]
KEY = "chattrix/criteria"


def swift_tests() -> dict[str, list[str]]:
    """Criterion → the unit tests whose display name has it."""
    found = defaultdict(list)
    for source in sorted(TESTS.glob("*Tests/**/*.swift")):
        for name in re.findall(r'@(?:Test|Suite)\(\s*"([^"]+)"', source.read_text()):
            for criterion in sorted(set(re.findall(r"\bR\d+\.\d\b", name))):
                found[criterion].append(f"{source.parent.name}: {name}")
    return found


class Criteria:
    """Gathers reports on the controller; the marks travel as user properties."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.passed: dict[str, list[str]] = defaultdict(list)
        self.failed: dict[str, list[str]] = defaultdict(list)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        for item in items:
            names = [name for mark in item.iter_markers("criterion") for name in mark.args]
            item.user_properties.extend(("criterion", name) for name in dict.fromkeys(names))

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and not report.failed:
            return
        for kind, name in report.user_properties:
            if kind == "criterion":
                (self.failed if report.failed else self.passed)[name].append(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter):
        if hasattr(self.config, "workerinput") or not (self.passed or self.failed):
            return
        results = {"passed": self.passed, "failed": self.failed}
        if hasattr(self.config, "cache"):  # -p no:cacheprovider
            self.config.cache.set(KEY, results)
        terminalreporter.section("acceptance criteria")
        for line in table(results):
            terminalreporter.write_line(line)


def table(results: dict, everything: bool = False) -> list[str]:
    """A line a criterion: how many tests showed it; with `everything`, which."""
    units = swift_tests()
    lines = []
    for criterion in CRITERIA:
        passed = results["passed"].get(criterion, [])
        failed = results["failed"].get(criterion, [])
        state = "FAILED" if failed else "shown" if passed else "NOT SHOWN"
        counts = f"{len(passed)} end to end, {len(units.get(criterion, []))} unit"
        lines.append(f"{criterion:6} {state:9} {counts}")
        if everything or failed:
            lines += [f"         failed {name}" for name in failed]
        if everything:
            lines += [f"         {name}" for name in passed + units.get(criterion, [])]
    return lines


def main() -> int:
    cached = Path(__file__).parent / ".pytest_cache" / "v" / KEY
    results = json.loads(cached.read_text()) if cached.exists() else {"passed": {}, "failed": {}}
    print("\n".join(table(results, everything=True)))
    shown = all(results["passed"].get(name) and name not in results["failed"] for name in CRITERIA)
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main())
