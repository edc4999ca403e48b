"""A dump of the database in use, restored as the runbook has it (nginx/guide/runbook.html): the service goes on from
there."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading

import pytest

from support.doctor import doctor
from support.documents import documents
from support.outages import stop_keepers
from support.programs import ctl
from support.stack import make, wait_until
from support.variants import variant

pytestmark = [*variant("webhooks"), pytest.mark.timeout(600)]


def client(stack, name: str) -> list[str]:
    """A program of MariaDB's or MySQL's own, as the account of the service."""
    program = shutil.which(name) or shutil.which(name.replace("mariadb", "mysql", 1))
    command = [program, "--no-defaults", f"--socket={stack['MYSQL_SOCKET']}"]
    return [*command, f"--user={stack['MYSQL_USER']}", f"--password={stack['MYSQL_PASSWORD']}"]


def test_the_runbook_dumps_as_this_test_does():
    """Whoever changes one has to look at the other."""
    (dump,) = [
        example.text.strip()
        for example in documents()["nginx/guide/runbook.html"].examples
        if "dump" in example.text.split()[0]
    ]
    assert re.match("mariadb-dump --single-transaction --routines chattrix ", dump)


def test_a_restored_dump_goes_on(people, stack, tmp_path):
    """Live calls are there and can be ended, histories are as they were, webhooks that waited are sent."""
    receiver, database = stack.receiver, stack["MYSQL_DATABASE"]
    caller, callee, call = people.connected()
    receiver.close()
    former, _, ended = people.ended()
    waiting = "SELECT sequence FROM webhook_events WHERE call_id = %s ORDER BY sequence"
    kept = stack.sql(waiting, ended["callId"])
    assert kept
    history = former.history()
    options = ["--single-transaction", "--routines", "--no-tablespaces"]
    dump = subprocess.run(
        [*client(stack, "mariadb-dump"), *options, database], check=True, capture_output=True
    ).stdout
    third, _, lost = people.ringing()

    stop_keepers(stack)
    try:
        stack.administrate(
            f"DROP DATABASE {database}", f"CREATE DATABASE {database} CHARACTER SET utf8mb4"
        )
        subprocess.run([*client(stack, "mariadb"), database], input=dump, check=True)
    finally:
        make("up", stack.directory, stack.given)
        stack.local = threading.local()

    assert all(each["state"] == "ok" for each in doctor(stack, status=0).values())
    listed = ctl(stack, "calls", "list", "--limit", "100000")
    assert call["callId"] in listed and lost["callId"] not in listed
    assert former.history() == history
    assert stack.sql(waiting, ended["callId"]) == kept

    assert caller.active()["callId"] == callee.active()["callId"] == call["callId"]
    caller.end(call["callId"])
    assert caller.active() is None and callee.active() is None
    assert caller.call(callee)["callId"] != call["callId"]
    # Of a user whom the dump does not have.
    assert third.get("/calls/active").status_code == 200

    receiver.open()
    ctl(stack, "webhooks", "list")
    receiver.wait(ended["callId"], "call.ended", timeout=90)
    wait_until(lambda: receiver.types(call["callId"])[-1:] == ["call.ended"], 90, 0.2)
