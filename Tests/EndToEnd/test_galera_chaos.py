"""A short run of Tests/Chaos with two hosts over a Galera cluster: `make chaos CHAOS_CLUSTER=galera` is the long form."""

from __future__ import annotations

import pytest

from Chaos.stage import Plan
from support.chaos import survives
from support.galera import obstacle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("galera"), pytest.mark.timeout(400)]


def test_calls_under_faults_over_a_cluster():
    """Clients move between the hosts, whose programs fall as the cluster's nodes do; afterwards all nodes have the
    same rows, and the proof finds what is broken on purpose."""
    if obstacle():
        pytest.skip(obstacle())
    survives(Plan(seed=11, calls=200, seconds=60, users=16, cluster="galera"))
