"""A short run of Tests/Chaos on a stack of its own: calls while everything is killed, and the proof.

`make chaos` is the long form. A failure says the seed: `make chaos CHAOS_SEED=… CHAOS_CALLS=200`.
"""

from __future__ import annotations

import pytest

from Chaos import report
from Chaos.planted import overlooked
from Chaos.run import run
from Chaos.stage import Plan

pytestmark = pytest.mark.timeout(240)


def test_two_hundred_calls_under_faults():
    """Nothing that was committed is lost, doubled or late; nobody is in two calls; nothing is left over. And the
    proof finds what is broken on purpose afterwards."""
    survives(Plan(seed=11, calls=200, seconds=30, users=16))


def survives(plan: Plan) -> None:
    missed: list[str] = []
    done = run(plan, afterwards=lambda stage, done: missed.extend(overlooked(stage, done)))
    assert not done.records.violations, report.text(done)
    assert len(done.faults) >= 3 and done.made >= 20, report.text(done)
    assert missed == [], report.text(done)
