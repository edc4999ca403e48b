"""The import of the Java backend's tables (sql/import), on a database of its own, seen through the API."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from support import expect
from support.documents import documents
from support.invariants import RULES
from support.java_backend import TABLES, JavaBackend
from support.people import People, Person
from support.stack import ROOT
from support.statistics import agree_with_count
from support.variants import variant

pytestmark = variant("imported")

FIRST_USER = 1001
# Of the rules of a quiet database, those that deleted entries and invitations of another server leave.
KEPT = [
    "a live call has no history row",
    "a call that is over has an end, a reason and no deadline",
    "events have no gaps and end at the line's newest",
    "the badge is the unseen entries counted",
]


class Importer:
    """The client of MySQL or MariaDB, as an operator uses it."""

    def __init__(self, stack, folder):
        self.stack, self.folder = stack, folder

    def run(self, sql: str) -> str:
        program = shutil.which("mariadb") or "mysql"
        command = [program, "--no-defaults", f"--socket={self.stack['MYSQL_SOCKET']}"]
        command += [f"--user={self.stack['MYSQL_USER']}", "--local-infile=1", "--skip-column-names"]
        result = subprocess.run(
            [*command, self.stack["MYSQL_DATABASE"]],
            input=sql,
            text=True,
            capture_output=True,
            env={"MYSQL_PWD": self.stack["MYSQL_PASSWORD"]},
            cwd=self.folder,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def load(self, backend: JavaBackend) -> None:
        """The guide's statements, on files as PostgreSQL writes them."""
        self.run("".join(f"DROP TABLE IF EXISTS {name};" for name in TABLES))
        self.run((ROOT / "sql/import/java_schema.sql").read_text())
        backend.write(self.folder)
        (statements,) = (
            example.text
            for example in documents()["nginx/guide/migrate.html"].examples
            if example.kinds.get("example") == "load"
        )
        self.stack.administrate("SET GLOBAL local_infile = ON")
        self.run(statements)
        for name, rows in backend.rows.items():
            (count,) = self.stack.sql(f"SELECT COUNT(*) AS n FROM {name}")
            assert count["n"] == len(rows), name

    def bring(self, settings: str = "") -> list[int]:
        """Runs the import; gives the calls, entries and samples that it brought."""
        report = self.run(settings + (ROOT / "sql/import/java.sql").read_text())
        return [int(each) for each in report.split()][:3]


@pytest.fixture
def users(stack) -> list[Person]:
    """The same for every test here, whose tables are emptied before."""
    tables = "call_quality_metrics call_history call_history_totals call_statistics calls"
    for table in [*tables.split(), "call_events", "user_lines", "users", "contacts"]:
        stack.sql(f"DELETE FROM {table}")
    made = People(stack)
    people = [made.person(id=str(FIRST_USER + number)) for number in range(6)]
    made.befriend(people[0], people[1])
    return people


@pytest.fixture
def backend(users) -> JavaBackend:
    now = datetime.now(UTC).replace(tzinfo=None)
    made = JavaBackend(20260504, [int(user.id) for user in users], now)
    made.fill(240)
    return made


@pytest.fixture
def importer(stack, tmp_path) -> Importer:
    return Importer(stack, tmp_path)


def whole_history(user: Person, **query) -> list[dict]:
    """By cursor, from the newest to the oldest."""
    found, cursor = [], None
    while True:
        page = user.history(limit=100, **query, **({"cursor": cursor} if cursor else {}))
        found += page["calls"]
        cursor = page["pagination"]["nextCursor"]
        if cursor is None:
            assert page["pagination"]["total"] == len(found)
            return found


def plain(entries: list[dict]) -> list[dict]:
    names = "callId remoteUserId callType status direction endReason timestamp durationSeconds"
    found = [{name: entry[name] for name in names.split()} for entry in entries]
    return sorted(found, key=lambda each: (each["timestamp"], each["callId"]))


def test_histories_statistics_and_badges(stack, users, backend, importer):
    """Each against a straight computation from the Java rows, with calls of our own besides."""
    one, two = users[:2]
    own = one.call(two)["callId"]
    one.end(own)
    importer.load(backend)
    since = (backend.now - timedelta(days=8)).replace(microsecond=0)
    expected = {user.id: backend.entries(int(user.id)) for user in users}
    shown = sum(entry["shown"] for entries in expected.values() for entry in entries)
    samples = len(backend.rows["java_call_quality_metrics"])
    brought = importer.bring(f"SET @unseen_since = '{since}';")
    assert brought == [len(backend.rows["java_calls"]), shown, samples]

    for user in users:
        entries = expected[user.id]
        listed = [entry for entry in whole_history(user) if entry["callId"] != own]
        assert plain(listed) == plain([entry for entry in entries if entry["shown"]])
        ours = [entry for entry in whole_history(user) if entry["callId"] == own]
        for period in ("day", "week", "month", "year"):
            agree_with_count(user.statistics(period=period), entries + ours)
        for status in ("completed", "missed", "rejected", "failed"):
            whole_history(user, status=status, callType="audio")
        unseen = [
            entry
            for entry in entries
            if entry["shown"]
            and (entry["direction"], entry["status"]) == ("incoming", "missed")
            and entry["timestamp"] >= since.isoformat(timespec="milliseconds") + "Z"
        ]
        badge = expect.succeeded(user.get("/calls/history/unseen"))["missed"]
        assert badge == len(unseen) + (user is two)
        if user is users[2]:
            assert len(unseen) > 0
            expect.succeeded(user.post("/calls/history/seen"))
            assert expect.succeeded(user.get("/calls/history/unseen")) == {"missed": 0}
    assert not {rule: stack.sql(RULES[rule]) for rule in KEPT if stack.sql(RULES[rule])}


def test_calls_and_their_quality(users, backend, importer):
    """Times, parties, end and averages of each call, as its participants read them."""
    importer.load(backend)
    importer.bring()
    by_id = {user.id: user for user in users}
    for call in backend.rows["java_calls"][::7]:
        details = by_id[str(call["caller_id"])].details(call["id"])
        entry = next(
            each for each in backend.entries(call["caller_id"]) if each["callId"] == call["id"]
        )
        for name in ("callType", "endReason", "durationSeconds"):
            assert details[name] == entry[name]
        assert details["createdAt"] == entry["timestamp"]
        assert details["endTime"] >= details["createdAt"]
        assert (details["callerId"], details["calleeId"]) == (
            str(call["caller_id"]),
            str(call["callee_id"]),
        )
        for name, value in backend.quality(call["id"]).items():
            assert details["quality"][name] == (value if value is None else pytest.approx(value))


def test_it_may_run_again(stack, users, backend, importer):
    """A second run brings what is new, and nothing twice; without a history everybody gets an entry."""
    backend.rows["java_call_history"].clear()
    late = backend.rows["java_calls"].pop()
    importer.load(backend)
    first = importer.bring()
    assert first[1] == 2 * len(backend.rows["java_calls"])
    assert importer.bring() == [0, 0, 0]
    # From the edge of the period on, which moves while the import runs.
    for user in users:
        agree_with_count(user.statistics(period="year"), backend.entries(int(user.id)))
    assert all(
        expect.succeeded(user.get("/calls/history/unseen")) == {"missed": 0} for user in users
    )
    backend.rows["java_calls"].append(late)
    importer.load(backend)
    assert importer.bring()[:2] == [1, 2]


def test_users_go_on_calling(users, backend, importer):
    """Lines, events and histories of imported users work as anybody's."""
    importer.load(backend)
    importer.bring()
    one, two = users[:2]
    before = len(whole_history(two))
    socket = two.socket()
    call = one.call(two)["callId"]
    socket.take("call_invitation", callId=call)
    two.accept(call)
    one.end(call)
    newest = whole_history(two)[0]
    assert (newest["callId"], newest["status"]) == (call, "completed")
    assert len(whole_history(two)) == before + 1
    entry = whole_history(one)[5]["callId"]
    expect.succeeded(one.delete(f"/calls/history/{entry}"))
