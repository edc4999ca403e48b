"""Two hosts over a group of three MySQL servers with one primary (contract 5.4, 7.14, 8.1).

The programs of host b have a secondary first in MYSQL_HOST: it is read-only, and they go on to the primary.
"""

from __future__ import annotations

import concurrent.futures
import time

import pytest

import test_galera
import test_galera_failures
from support.cluster import everything_is_served, nothing_is_served, refuses
from support.databases import migrate
from support.group import Group
from support.hosts import at
from support.load import Traffic
from support.outages import halted
from support.stack import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("group"), pytest.mark.timeout(300)]

# What holds over every cluster: tests of a Galera cluster, which get this module's.
test_what_one_node_has_written = test_galera.test_what_one_node_has_written_the_other_reads
test_accept_against_cancel = test_galera.test_accept_at_one_node_against_cancel_at_another
test_two_devices = test_galera.test_two_devices_at_two_nodes
test_glare = test_galera.test_glare_at_two_nodes
test_both_hang_up = test_galera.test_both_hang_up_at_two_nodes
test_the_sweepers_of_both_hosts = test_galera.test_the_sweepers_of_both_hosts
test_the_same_row = test_galera.test_the_same_row_at_two_nodes
test_invitations = test_galera_failures.test_invitations


@pytest.fixture(scope="module")
def cluster():
    running = Group()
    yield running
    running.down()


def test_no_program_stays_with_a_secondary(cluster, cluster_pair):
    """All of both hosts' connections are to the primary, whichever node is first in MYSQL_HOST."""
    caller, callee = cluster_pair
    caller.end(caller.call(callee)["callId"])
    wait_until(
        lambda: not cluster.nodes[1].used_sessions() and not cluster.nodes[2].used_sessions(), 20
    )
    assert cluster.nodes[0].used_sessions()


def test_a_planned_change_of_the_primary(cluster, cluster_people, whole_cluster, figures):
    """Nothing fails for good, and within seconds no connection is left at the node that was the primary."""
    with Traffic(cluster_people).flowing() as traffic:
        time.sleep(1)
        moment = time.monotonic()
        cluster.appoint(cluster.nodes[2])
        traffic.await_success()
        wait_until(lambda: not cluster.nodes[0].used_sessions(), 20)
    figures(f"another primary by request: {traffic.described(moment)}")
    traffic.check()


def test_the_primary_is_killed(cluster, cluster_people, whole_cluster, figures):
    with Traffic(cluster_people).flowing() as traffic:
        time.sleep(1)
        moment = time.monotonic()
        cluster.nodes[0].kill()
        wait_until(lambda: any(node.is_primary() for node in cluster.nodes[1:]), 40, 0.1)
        traffic.await_success()
        time.sleep(3)
    figures(f"the primary killed: {traffic.described(moment)}")
    traffic.check()


def test_the_primary_is_halted(cluster, cluster_people, whole_cluster, figures):
    """The others give it up; when it goes on it finds that it is no member, and serves nobody."""
    with Traffic(cluster_people).flowing() as traffic:
        time.sleep(1)
        moment = time.monotonic()
        with halted(cluster.nodes[0].pid):
            wait_until(lambda: any(node.is_primary() for node in cluster.nodes[1:]), 60, 0.1)
            traffic.await_success()
        wait_until(lambda: cluster.nodes[0].state() != "ONLINE", 40, 0.1)
        time.sleep(3)
    figures(f"the primary halted: {traffic.described(moment)}")
    traffic.check()


def test_without_a_majority(cluster, cluster_people, cluster_pair, whole_cluster):
    """One node of three serves nothing: 503 with Retry-After for whatever needs the database, never 500."""
    caller, callee = cluster_pair
    call_id = caller.call(callee)["callId"]
    for node in cluster.nodes[1:]:
        node.kill()
    nothing_is_served(caller, callee, call_id)
    cluster.nodes[0].bootstrap()
    everything_is_served(caller, callee, call_id)


def test_several_primaries(cluster, cluster_pair, whole_cluster):
    """A group refuses changes of calls, whose foreign keys cascade, while it has several primaries, and for a moment
    when it is given another primary (3098): 503 with Retry-After, never 500."""
    caller, callee = cluster_pair
    primary = cluster.nodes[0]
    primary.administrate("SELECT group_replication_switch_to_multi_primary_mode()")
    try:
        call_id = caller.call(callee)["callId"]
        for person, change in ((callee, "accept"), (caller, "end")):
            assert refuses(person.post(f"/calls/{call_id}/{change}", {}))
    finally:
        primary.administrate(
            f"SELECT group_replication_switch_to_single_primary_mode('{primary.identity()}')"
        )
    wait_until(primary.is_primary, 30, 0.1)
    wait_until(lambda: caller.initiate(callee).status_code == 201, 30, 0.1)


def test_migrations_at_once(cluster):
    """Two that start at different nodes: both find the primary, and each file is applied once."""
    cluster.nodes[0].administrate("CREATE DATABASE chattrix_twice CHARACTER SET utf8mb4")
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        runs = [
            threads.submit(migrate, cluster.a, cluster.migration_settings("chattrix_twice", order))
            for order in ([0, 1, 2], [1, 2, 0])
        ]
        for run in runs:
            run.result()


def test_both_hosts_serve_at_the_end(cluster, cluster_pair):
    caller, callee = cluster_pair
    for host in (cluster.a, cluster.b):
        assert at(host, caller).get("/calls/active").status_code == 200
