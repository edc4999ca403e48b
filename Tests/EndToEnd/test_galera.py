"""Two hosts over a Galera cluster of three nodes, of which each host has another one first (contract 5.4, 8.1)."""

from __future__ import annotations

from collections import Counter

import pytest

from support.clock import shift_call
from support.hosts import at
from support.races import accept_against_cancel, code_of, rows, together
from support.stack import wait_until

pytestmark = [pytest.mark.xdist_group("galera"), pytest.mark.timeout(300)]
criterion = pytest.mark.criterion
# Transactions that a node gave up for another's.
CONFLICTS = ("wsrep_local_cert_failures", "wsrep_local_bf_aborts")


def test_what_one_node_has_written_the_other_reads(cluster_pair):
    """Each step is seen by the next one at the other node, at once, a hundred times."""
    caller, callee = cluster_pair
    for _ in range(100):
        call_id = caller.call(callee)["callId"]
        assert callee.active()["callId"] == call_id
        callee.accept(call_id)
        assert caller.details(call_id)["status"] == "connecting"
        caller.end(call_id)
        assert callee.active() is None
        assert callee.history(limit=1)["calls"][0]["callId"] == call_id


@criterion("R2.2", "R5.4", "R8.1")
def test_accept_at_one_node_against_cancel_at_another(cluster_people, cluster_pair, pool, rounds):
    """Either stands, and both nodes say the same."""
    caller, callee = cluster_pair
    for _ in rounds:
        call_id, reason = accept_against_cancel(pool, caller, callee)
        for person in (caller, callee):
            details = person.details(call_id)
            assert (details["status"], details["endReason"]) == ("ended", reason)
        assert rows(cluster_people, call_id) == 2


@criterion("R2.2", "R8.1")
def test_two_devices_at_two_nodes(cluster, cluster_pair, pool, rounds):
    caller, callee = cluster_pair
    for _ in rounds:
        call_id = caller.call(callee)["callId"]
        responses = together(
            pool,
            lambda c=call_id: callee.post(f"/calls/{c}/accept", {"deviceId": "phone"}),
            lambda c=call_id: at(cluster.a, callee).post(
                f"/calls/{c}/accept", {"deviceId": "tablet"}
            ),
        )
        assert sorted(map(code_of, responses)) == ["200", "CALL_ALREADY_ACCEPTED"]
        caller.end(call_id)


@criterion("R1.5", "R2.5")
def test_glare_at_two_nodes(cluster_pair, pool, rounds):
    ann, bea = cluster_pair
    for _ in rounds:
        responses = together(pool, lambda: ann.initiate(bea), lambda: bea.initiate(ann))
        assert sorted(map(code_of, responses)) == ["201", "USER_BUSY"]
        call_id = ann.active()["callId"]
        assert bea.active()["callId"] == call_id
        ann.end(call_id)


@criterion("R5.4", "R8.1")
def test_both_hang_up_at_two_nodes(cluster_people, cluster_pair, pool, rounds):
    """Both are told the same, and the call is in each history once."""
    caller, callee = cluster_pair
    for _ in rounds:
        call_id = caller.call(callee)["callId"]
        callee.accept(call_id)
        one, two = together(pool, lambda c=call_id: caller.end(c), lambda c=call_id: callee.end(c))
        assert one == two
        assert rows(cluster_people, call_id) == 2
    assert caller.statistics()["totalCalls"] == callee.statistics()["totalCalls"] == len(rounds)


@criterion("R1.4", "R2.4", "R11.5")
def test_the_sweepers_of_both_hosts(cluster, cluster_people, rounds):
    """Calls that nobody answers are missed once each, whichever sweeper ends them."""
    pairs = [cluster_people.pair() for _ in rounds]
    calls = [caller.call(callee)["callId"] for caller, callee in pairs]
    for call_id in calls:
        shift_call(cluster.a, call_id, 61)
    for (caller, callee), call_id in zip(pairs, calls, strict=True):
        wait_until(lambda p=caller, c=call_id: p.details(c)["status"] == "missed")
        # An expired call is missed before a sweeper has come to it.
        wait_until(lambda p=callee: p.history(limit=10)["calls"])
        for host in (cluster.a, cluster.b):
            page = at(host, callee).history(limit=10)
            assert [entry["callId"] for entry in page["calls"]] == [call_id]
        assert callee.statistics()["callsByStatus"]["missed"] == 1


def test_the_same_row_at_two_nodes(cluster, cluster_pair, pool, rounds):
    """Both changes succeed, one after the other, and both nodes say the same afterwards."""
    _, callee = cluster_pair
    devices = [at(host, callee) for host in (cluster.a, cluster.b)]
    codes: Counter = Counter()

    def change(person, on: bool) -> None:
        codes[code_of(person.send("PUT", "/me/availability", json={"doNotDisturb": on}))] += 1

    for _ in rounds:
        together(pool, lambda: change(devices[0], True), lambda: change(devices[1], False))
        seen = [device.get("/me/availability").json()["data"] for device in devices]
        assert seen[0] == seen[1]
    assert codes == {"200": 2 * len(rounds)}


def test_no_program_stays_with_a_node_that_is_read_only(cluster, cluster_pair):
    """Not those either that only read: a primary that has become a replica would go on serving them."""
    caller, callee = cluster_pair
    node = cluster.nodes[0]
    caller.active()
    node.administrate("SET GLOBAL read_only = ON")
    try:
        for _ in range(3):
            assert caller.active() is None
            assert at(cluster.a, callee).active() is None
        wait_until(lambda: not node.used_sessions(), 40, 0.1)
        caller.end(caller.call(callee)["callId"])
    finally:
        node.administrate("SET GLOBAL read_only = OFF")


@criterion("R8.1")
def test_a_transaction_that_certification_gives_up_runs_again(cluster, cluster_pair, pool):
    """1213: an accept holds both lines and waits for its call, when another node's commit takes a line."""
    caller, callee = cluster_pair
    near, far = cluster.nodes[1], cluster.nodes[0]
    call_id = caller.call(callee)["callId"]
    before = near.count(*CONFLICTS)
    with near.connect() as connection, connection.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        cursor.execute("SELECT id FROM calls WHERE id = %s FOR UPDATE", (call_id,))
        accepted = pool.submit(lambda: callee.post(f"/calls/{call_id}/accept", {}))
        waiting = "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"
        # The table is made anew only where it was not read for 100 ms.
        wait_until(lambda: near.administrate(waiting), interval=0.15)
        far.sql("UPDATE user_lines SET seen_at = UTC_TIMESTAMP(3) WHERE user_id = %s", caller.id)
        wait_until(lambda: near.count(*CONFLICTS) > before)
        connection.rollback()
    assert code_of(accepted.result()) == "200"
    assert caller.details(call_id)["status"] == "connecting"
    caller.end(call_id)
