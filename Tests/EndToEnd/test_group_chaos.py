"""A short run of Tests/Chaos with two hosts over a group of MySQL servers; `make chaos CHAOS_CLUSTER=group` is the long
form."""

from __future__ import annotations

import pytest

from Chaos.stage import Plan
from support.chaos import survives
from support.group import obstacle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("group"), pytest.mark.timeout(500)]


def test_calls_under_faults_over_a_group():
    """Its primary falls and changes as well, and its administrator brings back what was expelled or has no majority;
    afterwards all nodes have the same rows, and the proof finds what is broken on purpose."""
    if obstacle():
        pytest.skip(obstacle())
    survives(Plan(seed=11, calls=200, seconds=60, users=16, cluster="group"))
