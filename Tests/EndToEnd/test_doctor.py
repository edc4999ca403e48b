"""`chattrix-ctl doctor` finds what is wrong with a host and says what to do: each fault is really there."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess

import pytest

from support.databases import migrate, own_database
from support.doctor import doctor, faults
from support.outages import stopped
from support.programs import run_ctl
from support.stack import ROOT, SERVER, alive, command, wait_until
from support.variants import variant

pytestmark = variant("fragile")


def assert_fault(findings: dict[str, dict], check: str, text: str, advice: str) -> None:
    found = findings[check]
    assert found["state"] == "fault", found
    assert text in found["text"] and advice in found["advice"], found


def test_a_host_that_is_well(stack):
    """Nothing is found, and every part has been looked at."""
    findings = doctor(stack, status=0)
    assert {finding["state"] for finding in findings.values()} == {"ok"}, findings
    checks = ["settings", "database", "schema", "procedures", "rights", "clock", "redis", "workers"]
    assert checks + ["signaling", "nginx", "websockets", "certificate"] == list(findings)


def test_it_changes_nothing(stack):
    """The statements that try a right read and write no row. A call that a test before has left may ring out
    meanwhile: then it is to be tried again."""
    tables = [next(iter(row.values())) for row in stack.sql("SHOW TABLES")]
    count = "SELECT COUNT(*) AS n FROM "

    def rows() -> list[int]:
        return [stack.sql(count + table)[0]["n"] for table in tables]

    def nothing_changed() -> bool:
        before = rows()
        doctor(stack, status=0)
        return before == rows()

    wait_until(nothing_changed, 60, message="no change")


def test_what_people_read(stack):
    """A line a check, and below a fault what to do."""
    done = run_ctl(stack, "doctor", "--url", "https://localhost:1")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["ok", "settings", "valid"]
    index = next(i for i, line in enumerate(lines) if line.startswith("FAULT    nginx"))
    assert lines[index + 1].strip().startswith("-> systemctl status nginx")
    assert done.stderr.strip() == "chattrix-ctl: 2 faults."


def test_settings(stack):
    """Faults of the settings end it as they end every program: status 78, all of them named."""
    done = run_ctl(stack, "doctor", WORKERS="many", AGORA_APP_ID="")
    assert done.returncode == 78
    assert "WORKERS" in done.stderr and "AGORA_APP_ID" in done.stderr


@pytest.mark.parametrize(
    ("settings", "text", "advice"),
    [
        ({"MYSQL_PASSWORD": "wrong"}, "Access denied", "MYSQL_PASSWORD"),
        ({"MYSQL_DATABASE": "nothing"}, "nothing", "README"),
        ({"MYSQL_SOCKET": "/nowhere"}, "/nowhere", "Start the server"),
    ],
)
def test_a_database_that_lets_nobody_in(stack, settings, text, advice):
    """Wrong password, another database, no server."""
    findings = doctor(stack, status=1, **settings)
    assert faults(findings) == {"database"}
    assert_fault(findings, "database", text, advice)


@pytest.fixture
def own(stack):
    """A migrated database of the test's own, with an account of its own, as settings."""
    with own_database(stack) as settings:
        migrate(stack, settings)
        yield settings


def test_a_schema_that_is_not_that_of_the_programs(stack, own, tmp_path):
    """A migration that is missing, one that is unknown, procedures that are missing or others."""
    name = own["MYSQL_DATABASE"]
    assert not faults(doctor(stack, status=0, **own))
    stack.administrate(
        f"DROP PROCEDURE {name}.write_call_1",
        f"INSERT INTO {name}.schema_migrations VALUES (9999, '9999_tomorrow', UTC_TIMESTAMP(3))",
    )
    findings = doctor(stack, status=1, **own)
    assert faults(findings) == {"procedures"}
    assert_fault(findings, "procedures", "missing: write_call_1", "chattrix-ctl migrate")
    assert findings["schema"]["state"] == "warning" and "9999" in findings["schema"]["text"]
    newer = shutil.copytree(ROOT / "sql", tmp_path / "sql")
    (newer / "9998_today.sql").write_text("SELECT 1;")
    with (newer / "routines" / "lock_call_1.sql").open("a") as routine:
        routine.write("-- As a next version has it.\n")
    findings = doctor(stack, "--sql", str(newer), status=1, **own)
    assert_fault(findings, "schema", "not applied: 9998_today", "chattrix-ctl migrate")
    stack.administrate(f"DELETE FROM {name}.schema_migrations WHERE version = 9999")
    migrate(stack, own)
    (newer / "9998_today.sql").unlink()
    findings = doctor(stack, "--sql", str(newer), status=0, **own)
    assert findings["procedures"]["state"] == "warning"
    assert "lock_call_1" in findings["procedures"]["text"]


def test_a_right_that_is_missing(stack, own):
    """Down to one kind of statement on one table, and the procedures."""
    name = own["MYSQL_DATABASE"]
    account = f"'{name}'@localhost"
    tables = [
        next(iter(row.values()))
        for row in stack.sql("SHOW TABLES")
        if "token_audit" not in row.values()
    ]
    stack.administrate(
        f"REVOKE ALL ON {name}.* FROM {account}",
        f"GRANT SELECT, UPDATE, DELETE ON {name}.* TO {account}",
        *(f"GRANT INSERT ON {name}.{table} TO {account}" for table in tables),
    )
    findings = doctor(stack, status=1, **own)
    text = "INSERT on token_audit, EXECUTE on stored procedures"
    assert findings["rights"]["text"] == f"refused: {text}", findings["rights"]
    stack.administrate(f"GRANT EXECUTE ON {name}.* TO {account}")
    findings = doctor(stack, status=1, **own)
    assert faults(findings) == {"rights"}
    assert findings["rights"]["text"] == "refused: INSERT on token_audit"


CLOCK = """
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *time) {
  int result = syscall(SYS_clock_gettime, id, time);
  if (id == CLOCK_REALTIME) time->tv_sec += atoi(getenv("CLOCK_LEAD"));
  return result;
}
"""


@pytest.fixture(scope="module")
def other_clock(tmp_path_factory):
    """A library that puts a program's clock forward by CLOCK_LEAD seconds."""
    folder = tmp_path_factory.mktemp("clock")
    (folder / "clock.c").write_text(CLOCK)
    compiler = next(filter(None, map(shutil.which, ("clang", "cc", "gcc"))))
    command = [compiler, "-shared", "-fPIC", "-o", folder / "clock.so", folder / "clock.c"]
    subprocess.run(command, check=True)
    return str(folder / "clock.so")


@pytest.mark.parametrize(("lead", "side"), [("120", "behind"), ("-3", "ahead of")])
def test_clocks_that_disagree(stack, other_clock, lead, side):
    """This host's clock goes wrong, as far as the program can tell."""
    findings = doctor(stack, status=1, LD_PRELOAD=other_clock, CLOCK_LEAD=lead)
    assert faults(findings) == {"clock"}
    assert_fault(findings, "clock", side, "NTP")


def test_redis_is_away(stack):
    """Stopped, as far as the doctor can tell."""
    with stopped(stack, "REDIS"):
        findings = doctor(stack, status=1)
    # The WebSocket server and the workers go on without it.
    assert faults(findings) == {"redis"}
    assert_fault(findings, "redis", "", "REDIS_URL")


@pytest.fixture
def redis_user(stack):
    """Makes a user of Redis' by the rules of an ACL; gives the URL."""

    def redis(*command: str) -> str:
        client = ["redis-cli", "-u", stack["REDIS_URL"], "--no-auth-warning", *command]
        return subprocess.run(client, check=True, capture_output=True, text=True).stdout.strip()

    def make(*rules: str) -> str:
        assert redis("ACL", "SETUSER", "doctor", "reset", "on", ">word", *rules) == "OK"
        return stack["REDIS_URL"].replace("redis://", "redis://doctor:word@")

    yield make
    redis("ACL", "DELUSER", "doctor")


RIGHTS = ["~chattrix:*", "&chattrix:*", "+@all", "-@dangerous", "+role"]


@pytest.mark.parametrize(
    "lacking", [None, "~chattrix:*", "&chattrix:*", "-eval", "-publish", "-subscribe"]
)
def test_rights_in_redis(stack, redis_user, lacking):
    """The rights that the guide grants do; without one of them it is said which to give."""
    rules = [rule for rule in RIGHTS if rule != lacking]
    if lacking and lacking.startswith("-"):
        rules.append(lacking)
    findings = doctor(stack, status=1 if lacking else 0, REDIS_URL=redis_user(*rules))
    if lacking:
        assert faults(findings) == {"redis"}
        assert_fault(findings, "redis", "NOPERM", "ACL SETUSER")
    else:
        assert findings["redis"]["state"] == "ok"


@pytest.mark.parametrize("mode", [0o777, 0o600])
def test_a_socket_with_another_mode(stack, mode):
    """One that anyone may connect to, and one that nginx may not."""
    path = stack["FASTCGI_SOCKET"]
    os.chmod(path, mode)
    try:
        findings = doctor(stack, status=1)
    finally:
        os.chmod(path, 0o660)
    assert_fault(findings, "workers", f"mode {mode:o}", "chmod 660")


def test_sockets_without_anybody(stack, tmp_path):
    """No socket, a socket that nobody listens on, and a WebSocket server that is away."""
    path = tmp_path / "none.sock"
    settings = {"FASTCGI_SOCKET": f"unix:{path}", "SIGNALING_ADDRESS": "127.0.0.1:1"}
    findings = doctor(stack, status=1, **settings)
    assert_fault(findings, "workers", "there is no", "systemctl start chattrix-calls")
    assert_fault(findings, "signaling", "127.0.0.1:1", "journalctl -u chattrix-signaling")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        os.chmod(path, 0o660)
        findings = doctor(stack, status=1, **settings)
    assert_fault(findings, "workers", "connect", "journalctl -u chattrix-calls")


def test_nginx_is_stopped(stack):
    """Its clients find nobody."""
    pid = stack.pid("NGINX")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid), 60)
    try:
        findings = doctor(stack, status=1)
    finally:
        starter = stack.directory / "bin" / "start-nginx"
        subprocess.run([str(starter)], check=True, capture_output=True, timeout=180)
    assert faults(findings) == {"nginx", "websockets"}
    assert_fault(findings, "nginx", "/readyz", "systemctl status nginx")


@contextlib.contextmanager
def certificate(stack, *validity: str, names: str = ""):
    """The stack's certificate made anew with this validity and more names, in nginx's hands."""
    folder = stack.directory / "tls"
    kept = (folder / "certificate.pem").read_bytes()
    extensions = folder / "extensions.cnf"
    own = (folder / "openssl.cnf").read_text()
    extensions.write_text(own.replace("DNS:localhost", f"DNS:localhost{names}"))
    command = ["openssl", "x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem"]
    command += ["-CAkey", folder / "ca.key", "-extfile", extensions]
    command += ["-extensions", "server", "-set_serial", "0x77", *validity]
    command += ["-out", folder / "certificate.pem"]
    try:
        subprocess.run(command, check=True, capture_output=True)
        reload(stack)
        yield
    finally:
        (folder / "certificate.pem").write_bytes(kept)
        reload(stack)
        wait_until(lambda: not faults(doctor(stack, status=None)), 60, 0.2)


def reload(stack) -> None:
    """Until the workers of before, which have the certificate of before, take no connections any more."""
    server = stack.pid("NGINX")
    before = stack.children(server)
    os.kill(server, signal.SIGHUP)
    if SERVER == "nginx":
        shutting = ("", "nginx: worker process is shutting down")
        wait_until(lambda: all(command(pid).strip() in shutting for pid in before), 60)


def test_a_certificate_that_expires_soon(stack):
    """Within fourteen days, or as many as were asked for."""
    with certificate(stack, "-days", "10"):
        # Within its first second there are ten whole days left.
        findings = wait_until(
            lambda: (
                "in 9 days" in (found := doctor(stack, status=None))["certificate"]["text"]
                and found
            ),
            60,
            0.2,
        )
        assert faults(findings) == {"certificate"}
        assert_fault(findings, "certificate", "expires in 9 days", "reload nginx")
        assert not faults(doctor(stack, "--days", "5", status=0))


def test_a_certificate_that_clients_refuse(stack, tmp_path):
    """Not for a name by which they come, or of no authority that is trusted; then one that is well."""
    host = tmp_path / "host.conf"
    host.write_text(
        "# server_name not.example;\nlisten 443 ssl;\n"
        "server_name calls.example.org  localhost 127.0.0.1 _ *.example.com\n ~^a www.example.org; # b;\n"
    )
    conf = ["--host-conf", str(host)]
    trusting = {"SSL_CERT_FILE": stack["CA_FILE"]}
    findings = doctor(stack, *conf, status=1, **trusting)
    assert faults(findings) == {"names"}
    names = "is not for calls.example.org, www.example.org"
    assert_fault(findings, "names", names, "server_name of host.conf")
    with certificate(stack, "-days", "90", names=", DNS:calls.example.org, DNS:www.example.org"):
        wait_until(lambda: not faults(doctor(stack, *conf, status=None, **trusting)), 60, 0.2)
        assert doctor(stack, *conf, status=0, **trusting)["names"]["state"] == "ok"
        found = doctor(stack, *conf, status=0, SSL_CERT_FILE="/dev/null")["names"]
        assert found["state"] == "warning" and "issuer" in found["text"], found
        assert "fullchain.pem" in found["advice"]
    host.unlink()
    assert "host.conf" in refusal(stack, *conf)


def refusal(stack, *arguments: str) -> str:
    """What the doctor says of a command line that it cannot follow."""
    done = run_ctl(stack, "doctor", *arguments)
    assert done.returncode == 1 and not done.stdout
    return done.stderr
