"""A running stack: the values of `$STACK_DIR/env`, and ways to its database, Redis and processes.

The suite never reads the program's sources; all that it knows of a stack is that file.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pymysql
import redis

from support import tls

ROOT = Path(__file__).resolve().parents[3]
# What stands in front: nginx, or apache (Tests/Stack/settings.sh).
SERVER = os.environ.get("STACK_SERVER") or "nginx"
# Whose server has the data: mariadb, or mysql.
DATABASE = os.environ.get("STACK_DATABASE") or "mariadb"


# How long a test waits for what has to come, where lateness is not what it shows: a machine may stand still for 10 s.
PATIENCE = 30.0
# What InnoDB gave up for another transaction, whose statement is to be sent again.
DEADLOCK = 1213


def wait_until(condition, timeout=PATIENCE, interval=0.02, message="the condition"):
    """Polls until `condition()` is true and gives its value; fails after `timeout` seconds. The time does not count by
    which a pause between two looks was longer than it had to be: it is the machine's. What takes long is looked at less
    often, so that who asks the API for it does not meet the limit of a minute's requests."""
    started = time.monotonic()
    deadline = started + timeout
    while True:
        began = time.monotonic()
        value = condition()
        if value:
            return value
        if began > deadline:
            raise AssertionError(f"{message} did not come true within {timeout} s")
        paused = time.monotonic()
        pause = max(interval, min(0.3, (paused - started) / 20))
        time.sleep(pause)
        deadline += time.monotonic() - paused - pause


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def read_environment(path: Path) -> dict[str, str]:
    """The assignments of a file that a shell can source; none where there is no such file."""
    values = {}
    if not path.exists():
        return values
    for line in path.read_text().splitlines():
        words = shlex.split(line, comments=True)
        for word in words[1:] if words[:1] == ["export"] else words:
            name, equals, value = word.partition("=")
            if equals:
                values[name] = value
    return values


class Stack:
    """One stack that `make up` brought up."""

    def __init__(self, directory: Path):
        self.directory = Path(directory)
        self.local = threading.local()
        self.given: dict[str, str] = {}
        self.tls = ssl.create_default_context(cafile=self["CA_FILE"])
        self.shared_tls = tls.context(self["CA_FILE"])

    def __getitem__(self, name: str) -> str:
        """A value as it is now: a restarted program's id is written to the file again."""
        value = read_environment(self.directory / "env").get(name, self.given.get(name))
        return os.environ[name] if value is None else value

    def get(self, name: str, default: str = "") -> str:
        """A value, or the default where the file does not have it."""
        try:
            return self[name]
        except KeyError:
            return default

    @property
    def api_url(self) -> str:
        return self.constant("API_URL")

    @property
    def ws_url(self) -> str:
        return self.constant("WS_URL")

    def constant(self, name: str) -> str:
        """A value that does not change while the stack is up, read once."""
        cached = self.__dict__.setdefault("constants", {})
        if name not in cached:
            cached[name] = self[name]
        return cached[name]

    def pid(self, program: str) -> int:
        """The id of `SUPERVISOR`, `SIGNALING`, `MYSQL`, `REDIS` or `NGINX`, as it is now."""
        return int(self[f"{program}_PID"])

    # The stores behind it.

    def connect(self) -> pymysql.Connection:
        """A new connection to the database, in UTC, committing each statement."""
        return pymysql.connect(
            unix_socket=self.constant("MYSQL_SOCKET"),
            user=self.constant("MYSQL_USER"),
            password=self.constant("MYSQL_PASSWORD"),
            database=self.constant("MYSQL_DATABASE"),
            charset="utf8mb4",
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
            connect_timeout=60,
            cursorclass=pymysql.cursors.DictCursor,
        )

    def sql(self, statement: str, *arguments) -> list[dict]:
        """Runs one statement on this thread's connection and gives its rows. It commits by itself, so after a deadlock
        with the programs' own it runs again."""
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments or None)
                return list(cursor.fetchall())
        except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
            if error.args[:1] == (DEADLOCK,):
                return self.sql(statement, *arguments)
            self.local.connection = None
            raise

    def administrate(self, *statements: str) -> None:
        """Runs statements as the database server's administrator."""
        program = shutil.which("mariadb") or "mysql"
        user = getpass.getuser() if "mariadb" in program else "root"
        command = [program, "--no-defaults", f"--socket={self['MYSQL_SOCKET']}", f"--user={user}"]
        subprocess.run(
            [*command, "--execute", "; ".join(statements)], check=True, capture_output=True
        )

    @property
    def redis(self) -> redis.Redis:
        client = getattr(self.local, "redis", None)
        if client is None:
            client = self.local.redis = redis.Redis.from_url(self.constant("REDIS_URL"))
        return client

    # Its processes.

    def children(self, pid: int) -> list[int]:
        """The living children of a process."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
        return sorted(found)

    def workers(self) -> list[int]:
        """The worker processes under the supervisor of this moment."""
        supervisor = self.pid("SUPERVISOR")
        return [pid for pid in self.children(supervisor) if "chattrix-worker" in command(pid)]

    def kill(self, program: str, number: int = signal.SIGKILL) -> int:
        """Sends a signal to one of the stack's programs and gives the id that it had."""
        pid = self.pid(program)
        os.kill(pid, number)
        return pid


def command(pid: int) -> str:
    """The command line of a process, or nothing once it is gone."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except (FileNotFoundError, ProcessLookupError):
        return ""


def resident_bytes(pid: int) -> int:
    """The resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# Every setting of the program, so that a variant starts from the defaults.
SETTINGS = """
AGORA_APP_ID AGORA_APP_CERTIFICATE AGORA_TOKEN_EXPIRATION_SECONDS AGORA_WEBHOOK_SECRET
AGORA_ABSENCE_SECONDS CALL_TIMEOUT_SECONDS
MAX_CALL_DURATION_SECONDS RATE_LIMIT_TOKEN_GENERATE RATE_LIMIT_TOKEN_REFRESH
RATE_LIMIT_CALL_INITIATE RATE_LIMIT_CALL_HISTORY RATE_LIMIT_QUALITY RATE_LIMIT_TICKET
RATE_LIMIT_OTHER MYSQL_HOST MYSQL_PORT MYSQL_SOCKET MYSQL_USER
MYSQL_PASSWORD MYSQL_DATABASE REDIS_URL JWT_SECRET JWT_PUBLIC_KEY_FILE JWT_JWKS_FILE
JWT_ALGORITHMS JWT_ISSUER JWT_AUDIENCE WORKERS FASTCGI_SOCKET SIGNALING_ADDRESS
SIGNALING_MESSAGES_PER_SECOND SIGNALING_CHAT_EXPIRES ALLOWED_ORIGINS TOKEN_CHANNELS LOG_LEVEL
API_URL WS_URL OPS_URL CA_FILE SUPERVISOR_PID SIGNALING_PID MYSQL_PID REDIS_PID NGINX_PID LOG_DIR
STACK_DIR STACK_PORT STACK_SHARE STACK_ADDRESS STACK_NETNS CHATTRIX_STACK SQL_DIR
STACK_HTTP_PORT STACK_BALANCER STACK_LIMITS
MAKEFLAGS MAKELEVEL MFLAGS
""".split()


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of the program."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS}


def build() -> None:
    """Builds the programs, once and before the workers, which would all do it at the same time."""
    subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), "build"],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        timeout=1800,
        check=True,
    )


def make(target: str, directory: Path, settings: dict[str, str]) -> None:
    """Runs `make up` or `make down` for a stack in its own directory, of what is built."""
    directory.mkdir(parents=True, exist_ok=True)
    # A MariaDB that starts deletes the temporary tables of every other in the same TMPDIR.
    apart = {"STACK_DIR": str(directory), "TMPDIR": str(directory.parent)}
    environment = clean_environment() | apart | settings
    log = directory.parent / f"{directory.name}-make-{target}.log"
    with log.open("wb") as output:
        done = subprocess.run(
            ["make", "--no-print-directory", "-C", str(ROOT), "-o", "build", target],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=900,
        )
    if done.returncode != 0:
        raise RuntimeError(f"make {target} failed:\n" + log.read_text()[-4000:])
