#!/usr/bin/env python3
"""What a request costs a worker, and a heartbeat the sidecar, counted and not timed: instructions and
allocations by valgrind's callgrind, system calls by strace, with a fixed input.

The figures are those of the program itself, its libraries apart: those choose code by the processor that they
find. `make bench BENCH_PARTS=counts` writes them into counts.json; a test holds a build against that file.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jwt
import pymysql
from websockets.sync.client import unix_connect

HERE = Path(__file__).resolve().parent
FILE = HERE / "counts.json"
sys.path.insert(0, str(HERE))

import fastcgi  # noqa: E402
from stack import Stack  # noqa: E402

PAIRS = 8
WARM_UP, MEASURED = 12, 24
HEARTBEATS = 400


@dataclass
class Cost:
    """Of one request, on the average."""

    instructions: int
    library_instructions: int
    allocations: int
    system_calls: float

    def as_json(self) -> dict:
        return self.__dict__


class Profile:
    """A callgrind dump, summed up by object."""

    def __init__(self, path: Path, program: str):
        self.own = self.others = self.allocations = 0
        names: dict[str, str] = {}
        name, is_own, follows_call, callee = "", False, False, ""
        for line in path.read_text().splitlines():
            if line.startswith("ob="):
                name = self.resolve(names, "ob", line[3:])
                is_own = name.endswith(program)
            elif line.startswith("cfn="):
                callee = self.resolve(names, "fn", line[4:])
            elif line.startswith("fn="):
                self.resolve(names, "fn", line[3:])
            elif line.startswith("cob="):
                self.resolve(names, "ob", line[4:])
            elif line.startswith("calls="):
                follows_call = True
                if callee in ("malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"):
                    self.allocations += int(line[6:].split()[0])
            elif re.match(r"^[+\-*0-9]", line):
                if follows_call:
                    follows_call = False  # the callee's cost, counted where it stands
                    continue
                cost = int(line.split()[1]) if len(line.split()) > 1 else 0
                if is_own:
                    self.own += cost
                else:
                    self.others += cost

    @staticmethod
    def resolve(names: dict[str, str], kind: str, text: str) -> str:
        """A name is written once and is a number from then on."""
        match = re.match(r"\((\d+)\)(?: (.*))?$", text)
        if not match:
            return text
        key = kind + match[1]
        if match[2]:
            names[key] = match[2]
        return names.get(key, "")


class Worker:
    """A worker of its own on a socket in a temporary folder, under a tool or none."""

    def __init__(self, env: dict[str, str], folder: Path, tool: list[str]):
        self.path = folder / "fastcgi.sock"
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(16)
        program = Path(env["PROGRAM_DIR"]) / "chattrix-worker"
        self.process = subprocess.Popen(
            [*tool, str(program)], stdin=self.listener, stdout=subprocess.DEVNULL,
            stderr=(folder / "worker.log").open("ab"), env=env, cwd=folder,
        )  # fmt: skip

    def ask(self, method: str, target: str, token: str = "", body: bytes = b"") -> bytes:
        return fastcgi.ask(str(self.path), method, target, token, body)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.listener.close()


class Requests:
    """The four requests of the table, and what has to be so before each."""

    def __init__(self, stack: Stack, secret: str):
        self.database = stack.database()
        expires = int(time.time()) + 86_400
        self.tokens = [
            jwt.encode({"sub": f"bench-caller-{n}", "exp": expires}, secret, "HS256")
            for n in range(1, PAIRS + 1)
        ]
        self.number = 0

    def all(self) -> dict[str, Callable[[Worker], bytes]]:
        return {
            "refusal (401)": lambda w: w.ask("GET", "/api/v1/calls/active"),
            "token": self.token,
            "history": self.history,
            "initiate": self.initiate,
        }

    def token(self, worker: Worker) -> bytes:
        body = b'{"channelId":"channel%025d","role":"publisher"}' % 1
        return worker.ask("POST", "/api/v1/agora/token/generate", self.tokens[0], body)

    def history(self, worker: Worker) -> bytes:
        return worker.ask("GET", "/api/v1/calls/history?page=1&limit=20", self.tokens[0])

    def initiate(self, worker: Worker) -> bytes:
        self.number = self.number % (PAIRS - 1) + 1
        callee = f"bench-callee-{self.number + 1}"
        both = f"'{callee}', '{callee.replace('callee', 'caller')}'"
        with self.database.cursor() as cursor:
            execute(cursor, f"UPDATE user_lines SET call_id = NULL WHERE user_id IN ({both})")
        body = json.dumps({"calleeId": callee, "callType": "video"}).encode()
        return worker.ask("POST", "/api/v1/calls/initiate", self.tokens[self.number], body)


def prepare(stack: Stack) -> None:
    """A few people with a history, as the REST benchmark has them."""
    with stack.database() as database, database.cursor() as cursor:
        for name in ("people.sql", "reset.sql"):
            text = (HERE / "Rest" / name).read_text()
            text = text.replace("@PAIRS@", str(PAIRS)).replace("@LIVE@", "1")
            # A thousand people's histories are more than is asked for here.
            text = text.replace("seq_1_to_1000 p", f"seq_1_to_{PAIRS} p").replace(
                "% 1000 + 1", f"% {PAIRS} + 1"
            )
            lines = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
            for statement in filter(None, map(str.strip, lines.split(";"))):
                execute(cursor, statement)


def execute(cursor, statement: str) -> None:
    """Again where the stack's sweeper was in the way."""
    for attempt in range(5):
        try:
            cursor.execute(statement)
            return
        except pymysql.err.OperationalError as error:
            if error.args[0] != 1213 or attempt == 4:
                raise


def control(process: subprocess.Popen, option: str, folder: Path) -> None:
    subprocess.run(
        ["callgrind_control", option, str(process.pid)],
        check=True, capture_output=True, cwd=folder, timeout=60,
    )  # fmt: skip


def dumps(folder: Path) -> set[Path]:
    return {path for path in folder.glob("callgrind.out.*") if path.stat().st_size > 0}


def profile(env: dict[str, str], ask: Callable[[Worker], bytes], folder: Path) -> Profile:
    """What the measured requests cost, after others have warmed everything up."""
    tool = [
        "valgrind",
        "--tool=callgrind",
        "--quiet",
        f"--callgrind-out-file={folder}/callgrind.out.%p",
    ]
    worker = Worker(env, folder, tool)
    try:
        for _ in range(WARM_UP):
            check(ask(worker))
        control(worker.process, "--zero", folder)
        before = dumps(folder)
        for _ in range(MEASURED):
            check(ask(worker))
        control(worker.process, "--dump", folder)
        deadline = time.monotonic() + 30
        while not (new := dumps(folder) - before) and time.monotonic() < deadline:
            time.sleep(0.1)
        (found,) = new
        return Profile(found, "chattrix-worker")
    finally:
        worker.stop()


def system_calls(env: dict[str, str], ask: Callable[[Worker], bytes], folder: Path) -> float:
    worker = Worker(env, folder, [])
    try:
        for _ in range(WARM_UP):
            check(ask(worker))
        log = folder / "strace.log"
        trace = subprocess.Popen(
            ["strace", "-f", "-o", str(log), "-p", str(worker.process.pid)],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert "attached" in trace.stderr.readline()
        for _ in range(MEASURED):
            check(ask(worker))
        trace.terminate()
        trace.wait(10)
        names = collections.Counter(
            match[1]
            for line in log.read_text().splitlines()
            if (match := re.match(r"^\d+ +(\w+)\(", line))
        )
        return sum(names.values()) / MEASURED
    finally:
        worker.stop()


def heartbeat(env: dict[str, str], token: str, folder: Path) -> Cost:
    """What the event loop's thread of the sidecar spends on a heartbeat and its acknowledgement."""
    address = folder / "signaling.sock"
    program = Path(env["PROGRAM_DIR"]) / "chattrix-signaling"
    settings = {"SIGNALING_ADDRESS": f"unix:{address}", "SIGNALING_MESSAGES_PER_SECOND": "0"}
    process = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--quiet", "--separate-threads=yes",
         f"--callgrind-out-file={folder}/callgrind.out.%p", str(program)],
        stdout=subprocess.DEVNULL, stderr=(folder / "signaling.log").open("ab"),
        env=env | settings, cwd=folder,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not address.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        headers = {"Authorization": f"Bearer {token}"}
        with unix_connect(str(address), "ws://localhost/ws", additional_headers=headers) as client:
            client.recv(timeout=60)  # connected

            def beat(times: int) -> None:
                for _ in range(times):
                    client.send('{"type":"heartbeat"}')
                    assert '"heartbeat.ack"' in client.recv(timeout=60)

            def counted(act: Callable[[], None]) -> Profile:
                control(process, "--zero", folder)
                before = dumps(folder)
                act()
                control(process, "--dump", folder)
                return Profile(dump_of_thread(folder, before), "chattrix-signaling")

            beat(HEARTBEATS // 4)
            began = time.monotonic()
            busy = counted(lambda: beat(HEARTBEATS))
            seconds = time.monotonic() - began
            # What the clock has it do meanwhile, the more the slower the machine is, is no heartbeat's.
            idle = counted(lambda: time.sleep(seconds))
        return Cost(
            (busy.own - idle.own) // HEARTBEATS, (busy.others - idle.others) // HEARTBEATS,
            round((busy.allocations - idle.allocations) / HEARTBEATS), 0.0,
        )  # fmt: skip
    finally:
        process.kill()
        process.wait(30)


def dump_of_thread(folder: Path, before: set[Path]) -> Path:
    """That of the first thread, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [path for path in dumps(folder) - before if path.name.endswith("-01")]
        if found:
            return found[0]
        time.sleep(0.2)
    raise SystemExit("callgrind wrote no dump")


def check(answer: bytes) -> None:
    status = answer.split(b"\r\n", 1)[0]
    if not status.startswith((b"Status: 200", b"Status: 201", b"Status: 401")):
        raise SystemExit(answer[:400].decode(errors="replace"))


def measure(only: str | None, *, traced: bool = True) -> dict[str, Cost]:
    stack = Stack()
    env = {**os.environ, **stack.env, "RATE_LIMIT_CALL_INITIATE": "1000000"}
    env |= {name: "1000000" for name in ("RATE_LIMIT_TOKEN_GENERATE", "RATE_LIMIT_CALL_HISTORY")}
    # The same code on every processor, where a library lets itself be told.
    env |= {"LOG_LEVEL": "info", "OPENSSL_ia32cap": "0x0:0x0"}
    env.setdefault("PROGRAM_DIR", str(HERE.parents[1] / ".build" / "release"))
    prepare(stack)
    requests = Requests(stack, stack.env["JWT_SECRET"])
    costs = {}
    for name, ask in requests.all().items():
        if only and only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = profile(env, ask, Path(folder))
            calls = system_calls(env, ask, Path(folder)) if traced else 0.0
            costs[name] = Cost(
                found.own // MEASURED, found.others // MEASURED, found.allocations // MEASURED,
                round(calls, 1),
            )  # fmt: skip
    if not only or only in "heartbeat":
        with tempfile.TemporaryDirectory() as folder:
            costs["heartbeat"] = heartbeat(env, requests.tokens[0], Path(folder))
    return costs


def compiler() -> str:
    text = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    match = re.search(r"Swift version (\S+)", text)
    return match[1] if match else "unknown"


def show(costs: dict[str, Cost]) -> None:
    print(
        f"{'a request':16} {'instructions':>13} {'in libraries':>13} {'allocations':>12} {'system calls':>13}"
    )
    for name, cost in costs.items():
        print(
            f"{name:16} {cost.instructions:13,} {cost.library_instructions:13,} {cost.allocations:12} "
            f"{cost.system_calls:13.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="a part of a name")
    parser.add_argument("--write", action="store_true", help="rewrite counts.json")
    parser.add_argument(
        "--json", action="store_true", help="print nothing but JSON, no system calls"
    )
    arguments, _ = parser.parse_known_args()
    costs = measure(arguments.only, traced=not arguments.json)
    if arguments.json:
        print(json.dumps({n: c.as_json() for n, c in costs.items()}))
        return
    show(costs)
    if arguments.write and not arguments.only:
        content = {"swift": compiler(), "requests": {n: c.as_json() for n, c in costs.items()}}
        FILE.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
