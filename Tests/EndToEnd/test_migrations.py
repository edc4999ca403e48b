"""Migrations that are cut off midway, by the death of a program or of the database, and run again (R13.1)."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import time

import pymysql
import pytest

from support.databases import migrate, own_database, start_migration
from support.outages import stands_still, stopped
from support.programs import run_ctl
from support.stack import ROOT, wait_until

KILLS = 20
NEXT = """-- As a next version might have it.
ALTER TABLE waited ADD COLUMN later INT NULL;
CREATE TABLE later (n INT) ENGINE = InnoDB;
INSERT INTO later VALUES (1);
"""


@pytest.fixture
def own(stack):
    with own_database(stack) as settings:
        yield settings


@contextlib.contextmanager
def connected(stack, settings):
    with contextlib.closing(
        pymysql.connect(
            unix_socket=stack["MYSQL_SOCKET"],
            user=settings["MYSQL_USER"],
            password=settings["MYSQL_PASSWORD"],
            database=settings["MYSQL_DATABASE"],
            autocommit=True,
        )
    ) as connection:
        yield connection


def rows(connection, sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def schema(connection) -> dict[str, str]:
    """What makes each table, and the digest of each procedure."""
    tables = [name for (name,) in rows(connection, "SHOW TABLES")]
    made = {name: rows(connection, f"SHOW CREATE TABLE `{name}`")[0][1] for name in tables}
    procedures = rows(
        connection,
        "SELECT ROUTINE_NAME, ROUTINE_COMMENT FROM information_schema.ROUTINES "
        "WHERE ROUTINE_SCHEMA = DATABASE()",
    )
    return made | dict(procedures)


def doctor(stack, settings, *arguments: str) -> str:
    """The line on the schema, and the advice below it."""
    url = stack["OPS_URL"].rstrip("/")
    done = run_ctl(stack, "doctor", "--url", url, *arguments, **settings)
    lines = done.stdout.splitlines()
    index = next(i for i, line in enumerate(lines) if line.split()[1:2] == ["schema"])
    return "\n".join(lines[index : index + 2])


@pytest.mark.criterion("R13.1")
@pytest.mark.timeout(600)
def test_killed_at_random_moments(stack):
    """SIGKILL, twenty times, each in another migration of the whole schema; run again it succeeds, each time."""
    with own_database(stack) as settings, connected(stack, settings) as connection:
        begin = time.monotonic()
        migrate(stack, settings)
        duration = time.monotonic() - begin
        whole = schema(connection)
    cut, resumed = 0, 0
    for _ in range(KILLS):
        with own_database(stack) as settings, connected(stack, settings) as connection:
            running = start_migration(stack, settings)
            time.sleep(random.uniform(0, duration))
            running.kill()
            running.communicate(timeout=60)
            cut += running.returncode != 0
            resumed += "going on" in migrate(stack, settings)
            assert schema(connection) == whole
            assert rows(connection, "SELECT * FROM schema_progress") == []
    print(
        f"{cut} of {KILLS} runs were killed, {resumed} of them amid a migration ({duration:.2f} s)"
    )


@pytest.fixture
def waiting(stack, own, tmp_path):
    """A migration of a next version whose first statement waits for a transaction that has read its table.

    It is none of the product's tables, for which the doctor would wait too.

    :returns: the program, the folder, and what lets the statement go on
    """
    migrate(stack, own)
    folder = str(shutil.copytree(ROOT / "sql", tmp_path / "sql"))
    (tmp_path / "sql" / "0002_next.sql").write_text(NEXT)
    with connected(stack, own) as reader, connected(stack, own) as watcher:
        rows(reader, "CREATE TABLE waited (n INT) ENGINE = InnoDB")
        rows(reader, "SET autocommit = 0")
        rows(reader, "SELECT COUNT(*) FROM waited")
        running = start_migration(stack, own, "--sql", folder)
        wait_until(
            lambda: any("metadata lock" in str(row) for row in rows(watcher, "SHOW PROCESSLIST")),
            60,
            message="the ALTER to wait",
        )
        try:
            yield running, folder, reader.commit
        finally:
            running.kill()
            running.communicate(timeout=60)


@pytest.mark.criterion("R13.1")
def test_killed_while_the_server_goes_on(stack, own, waiting):
    """A statement that ends after the program that sent it: it is done, and has no record. Doctor tells of it."""
    running, folder, release = waiting
    assert "0002_next is under way: 0 of its 3 statements are done" in doctor(
        stack, own, "--sql", folder
    )
    running.kill()
    running.wait(60)
    release()
    with connected(stack, own) as connection:
        wait_until(
            lambda: rows(connection, "SHOW COLUMNS FROM waited LIKE 'later'"), 60, message="the end"
        )
    wait_until(lambda: "was cut off" in doctor(stack, own, "--sql", folder), 60, 0.2)
    told = doctor(stack, own, "--sql", folder)
    assert told.startswith("FAULT") and "chattrix-ctl migrate goes on with it" in told
    # The programs of the version before have no such file.
    assert "upgrade this host's programs" in doctor(stack, own)
    said = migrate(stack, own, "--sql", folder)
    assert "0 of the 3 statements of 0002_next are done; going on with ALTER TABLE waited" in said
    assert "statement 1 of 0002_next had been done" in said
    with connected(stack, own) as connection:
        assert rows(connection, "SELECT n FROM later") == [(1,)]
    assert "up to date" in doctor(stack, own, "--sql", folder)


@pytest.mark.variant("fragile")
@pytest.mark.xdist_group("fragile")
def test_the_database_is_killed(stack, own, waiting):
    """SIGKILL of the server amid a statement: the program ends with 69, and run again succeeds."""
    running, folder, _ = waiting
    with stopped(stack, "MYSQL"):
        _, said = running.communicate(timeout=60)
        assert running.returncode == 69, said
        assert "0 of the 3 statements of 0002_next are done; stopped at ALTER TABLE waited" in said
    assert "going on with ALTER TABLE waited" in migrate(stack, own, "--sql", folder)
    with connected(stack, own) as connection:
        assert rows(connection, "SELECT n FROM later") == [(1,)]


def test_a_file_that_was_edited(stack, own, tmp_path):
    """Refused once its statements have begun, with the reason; nothing is applied."""
    migrate(stack, own)
    folder = shutil.copytree(ROOT / "sql", tmp_path / "sql")
    broken = "CREATE TABLE one (n INT); CREATE TABLE two (n INT) ENGINE = Nothing;"
    (folder / "0002_next.sql").write_text(broken)
    for text, reason in [
        (broken, "1 of the 2 statements of 0002_next are done; stopped at CREATE TABLE two"),
        ("CREATE TABLE other (n INT);", "0002_next: its first statement has begun and is another"),
    ]:
        (folder / "0002_next.sql").write_text(text)
        running = start_migration(stack, own, "--sql", str(folder))
        _, said = running.communicate(timeout=60)
        assert running.returncode == 1 and reason in said, said
    with connected(stack, own) as connection:
        tables = {name for (name,) in rows(connection, "SHOW TABLES")}
        assert "one" in tables and not {"two", "other"} & tables
    (folder / "0002_next.sql").write_text(broken.replace("Nothing", "InnoDB"))
    migrate(stack, own, "--sql", str(folder))


@pytest.mark.slow
def test_a_host_that_falls(stack, own, waiting):
    """A program that stands still, and whose connection no FIN ends: its lock is let go within a minute."""
    running, folder, release = waiting
    running.send_signal(signal.SIGSTOP)
    wait_until(lambda: stands_still(running.pid))
    release()
    try:
        assert "had been done" in migrate(stack, own, "--sql", folder)
    finally:
        running.send_signal(signal.SIGCONT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 69, said
