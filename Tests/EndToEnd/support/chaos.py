"""A run of Tests/Chaos as a test: it has to survive it, and the proof has to find what is broken on purpose."""

from __future__ import annotations

from Chaos import report
from Chaos.planted import overlooked
from Chaos.run import run
from Chaos.stage import Plan


def survives(plan: Plan) -> None:
    missed: list[str] = []
    done = run(plan, afterwards=lambda stage, done: missed.extend(overlooked(stage, done)))
    assert not done.records.violations, report.text(done)
    assert len(done.faults) >= 3 and done.made >= 20, report.text(done)
    assert missed == [], report.text(done)
