"""`users` and `contacts` as views over an installation's own tables (design §2; R1.1)."""

from __future__ import annotations

import random

import pytest

from support import expect
from support.people import Person
from support.variants import variant

pytestmark = variant("fragile")
criterion = pytest.mark.criterion

OWN_TABLES = [
    "RENAME TABLE users TO users_away, contacts TO contacts_away",
    "CREATE TABLE people (id BIGINT PRIMARY KEY, login VARCHAR(80), name VARCHAR(200), "
    "picture TEXT) ENGINE = InnoDB",
    "CREATE TABLE friendships (one BIGINT, other BIGINT, state VARCHAR(16), "
    "PRIMARY KEY (one, other)) ENGINE = InnoDB",
    "CREATE VIEW users AS SELECT CAST(id AS CHAR) AS id, login AS username, name AS full_name, "
    "picture AS avatar_url FROM people",
    "CREATE VIEW contacts AS SELECT CAST(one AS CHAR) AS user_id, "
    "CAST(other AS CHAR) AS contact_user_id, state AS status FROM friendships",
]
BACK_AGAIN = [
    "DROP VIEW users",
    "DROP VIEW contacts",
    "DROP TABLE people",
    "DROP TABLE friendships",
    "RENAME TABLE users_away TO users, contacts_away TO contacts",
]


@pytest.fixture
def own_tables(stack):
    for statement in OWN_TABLES:
        stack.sql(statement)
    yield
    for statement in BACK_AGAIN:
        stack.sql(statement)


@criterion("R1.1", "R6.1")
def test_views_over_other_tables(stack, own_tables, people):
    """Numbers as ids, other names of columns and another collation: calls work all the same."""
    first = random.randrange(10**8, 10**9)
    for number in (first, first + 1, first + 2):
        stack.sql(
            "INSERT INTO people VALUES (%s, %s, %s, %s)", number, f"l{number}", f"N{number}", "p"
        )
    for one, other, state in [
        (first, first + 1, "ACCEPTED"),
        (first, first + 2, "PENDING"),
    ]:
        stack.sql("INSERT INTO friendships VALUES (%s, %s, %s)", one, other, state)
    caller, callee, stranger = (Person(stack, str(first + n), "", None) for n in range(3))
    expect.refused(caller.initiate(stranger), 403, "NOT_CONTACTS")
    expect.refused(caller.initiate(str(first + 3)), 404, "RESOURCE_NOT_FOUND")
    call = caller.call(callee)
    assert (call["callerName"], call["calleeName"]) == (f"N{first}", f"N{first + 1}")
    callee.accept(call["callId"])
    caller.end(call["callId"])
    (entry,) = callee.history()["calls"]
    assert entry["remoteUserName"] == f"N{first}"
    data = callee.details(call["callId"])
    assert data["callerId"] == str(first)
