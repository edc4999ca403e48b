#!/usr/bin/env python3
"""What a request costs nginx, counted and not timed: ours beside a plain server with the same TLS and the same
FastCGI responder. Instructions by valgrind's callgrind, system calls by strace, of one process, with a fixed
number of requests by curl.

Kernel time is in neither: a system call more is what shows it. `make bench BENCH_PARTS=nginx` writes the table
into nginx.json; a test holds the configuration against that file.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from counts import Profile, control, dumps
from fastcgi import STDIN, STDOUT, record
from stack import Stack, listens

FILE = Path(__file__).resolve().parent / "nginx.json"
WARM_UP, FEW, MANY = 40, 20, 220

CALL = "/api/v1/calls/0192d4e0-7c1a-7000-8000-0123456789ab"
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    + "eyJzdWIiOiJib2IiLCJleHAiOjE4OTM0NTYwMDB9" * 2
    + "."
    + "x" * 43
)
LOGIN = ["--header", f"Authorization: Bearer {TOKEN}"]
JSON_BODY = [
    "--header",
    "Content-Type: application/json",
    "--data",
    '{"calleeId":"bob","callType":"video"}',
]
REQUESTS = {
    "refusal, HTTP/1.1": ["--http1.1", "/api/v1/calls/active"],
    "refusal, HTTP/2": ["--http2", "/api/v1/calls/active"],
    "a call, HTTP/2": ["--http2", *LOGIN, CALL],
    "initiate, HTTP/2": ["--http2", *LOGIN, *JSON_BODY, "/api/v1/calls/initiate"],
}


@dataclass
class Cost:
    """Of one request on a connection that is open, and of a connection's TLS handshake, on the average."""

    instructions: int
    regular_expressions: int
    handshake_instructions: int
    system_calls: float


class Responder:
    """A FastCGI application that refuses every request at once (FastCGI 1.0), one thread a connection."""

    BODY = b'{"success":false,"error":{"code":"AUTHENTICATION_FAILED","message":"A bearer token is required."}}'
    END_REQUEST = 3

    def __init__(self, path: Path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        path.chmod(0o666)
        head = b"Status: 401 Unauthorized\r\nContent-Type: application/json\r\nX-Request-Id: "
        head += (
            b"0" * 32 + b"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n"
        )
        end = record(self.END_REQUEST, struct.pack(">I4x", 0))
        self.answer = record(STDOUT, head + self.BODY) + record(STDOUT, b"") + end
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            with connection:
                data = b""
                while not data.endswith(record(STDIN, b"")):
                    data += connection.recv(65_536)
                connection.sendall(self.answer)


class Server:
    """An nginx of one process on a port of its own, under a tool or none."""

    def __init__(self, folder: Path, port: int, tool: list[str]):
        self.folder = folder
        arguments = [
            "-c",
            str(folder / "nginx.conf"),
            "-p",
            str(folder),
            "-e",
            str(folder / "error.log"),
        ]
        self.process = subprocess.Popen(
            [*tool, shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin"), *arguments],
            stdout=subprocess.DEVNULL, stderr=(folder / "error.log").open("ab"), cwd=folder,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not listens(("127.0.0.1", port)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((folder / "error.log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


class Client:
    """curl, which sends its requests one after another over one connection."""

    def __init__(self, port: int, ca_file: str, request: list[str]):
        *self.options, path = request
        self.options += [
            "--silent",
            "--show-error",
            "--cacert",
            ca_file,
            "--write-out",
            "%{http_code}\n",
        ]
        self.url = f"https://localhost:{port}{path}"

    def ask(self, times: int) -> None:
        command = ["curl", *self.options, "--resolve", "localhost:0:127.0.0.1", *[self.url] * times]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode or done.stdout.count("}401\n") != times:
            raise SystemExit(done.stderr + done.stdout[-400:])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


HEAD = """daemon off;
master_process off;
error_log error.log error;
pid nginx.pid;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path body; fastcgi_temp_path fastcgi; proxy_temp_path proxy;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  access_log off;
  ssl_conf_command NumTickets 0;
  {content}
}}
"""


def at_port(stack: Stack, text: str, port: int) -> str:
    """A file of the stack's, at another port and without IPv6."""
    text = re.sub(r"listen \[[^;]*; *", "", text)
    return re.sub(rf":{stack.port}\b", f":{port}", text)


def host(stack: Stack, port: int) -> str:
    return at_port(stack, (stack.folder / "nginx" / "chattrix" / "host.conf").read_text(), port)


def ours(stack: Stack, folder: Path, port: int, responder: Path) -> None:
    """The stack's own files, as deployed, before the responder."""
    source = stack.folder / "nginx"
    shutil.copytree(source / "chattrix", folder / "chattrix")
    (folder / "chattrix" / "host.conf").write_text(host(stack, port))
    text = (source / "chattrix.conf").read_text()
    text = text.replace(stack.env["FASTCGI_SOCKET"], str(responder))
    (folder / "chattrix.conf").write_text(text)
    log = folder / "chattrix" / "log.conf"
    log.write_text(log.read_text().replace(stack.env["LOG_DIR"], str(folder)))
    site, limits = folder / "chattrix" / "site.conf", folder / "chattrix" / "limits.conf"
    site.write_text(at_port(stack, site.read_text(), port))
    # Counted like a client from elsewhere, which loopback is not.
    limits.write_text(
        re.sub(r"^ *(127\.0\.0\.0/8|::1) .*\n", "", limits.read_text(), flags=re.MULTILINE)
    )
    (folder / "nginx.conf").write_text(HEAD.format(content="include chattrix.conf;"))


def plain(stack: Stack, folder: Path, port: int, responder: Path) -> None:
    """nginx as it comes, without a log."""
    source = stack.folder / "nginx" / "chattrix"
    parameters = next(
        p
        for p in map(Path, ("/etc/nginx/fastcgi_params", "/usr/local/etc/nginx/fastcgi_params"))
        if p.exists()
    )
    # The stack's own address and certificate, without the limits and the demo's sign-in.
    tls_only = re.sub(r"^limit_.*\n", "", host(stack, port), flags=re.MULTILINE)
    tls_only = re.sub(r"^location .*?^}\n", "", tls_only, flags=re.MULTILINE | re.DOTALL)
    (folder / "host.conf").write_text(tls_only)
    content = f"""server {{
    include host.conf;
    include "{source}/tls.conf";
    keepalive_requests 10000;
    location ^~ /api/ {{
      include {parameters};
      fastcgi_pass "unix:{responder}";
    }}
  }}"""
    (folder / "nginx.conf").write_text(HEAD.format(content=content))


def by_object(path: Path) -> collections.Counter[str]:
    """A callgrind dump's instructions, by the file that they are from."""
    names: dict[str, str] = {}
    found: collections.Counter[str] = collections.Counter()
    name, follows_call = "", False
    for line in path.read_text().splitlines():
        if line.startswith("ob="):
            name = Path(Profile.resolve(names, "ob", line[3:])).name
        elif line.startswith("cob="):
            Profile.resolve(names, "ob", line[4:])
        elif line.startswith("calls="):
            follows_call = True
        elif re.match(r"^[+\-*0-9]", line):
            if not follows_call:  # the callee's cost is counted where it stands
                found[name] += int(line.split()[1])
            follows_call = False
    return found


def instructions(server: Server, client: Client, times: int) -> collections.Counter[str]:
    control(server.process, "--zero", server.folder)
    before = dumps(server.folder)
    client.ask(times)
    control(server.process, "--dump", server.folder)
    deadline = time.monotonic() + 30
    while not (new := dumps(server.folder) - before) and time.monotonic() < deadline:
        time.sleep(0.1)
    (dump,) = new
    return by_object(dump)


def system_calls(server: Server, client: Client) -> float:
    """Of a request, those of the event loop's waiting left out: how often it wakes up depends on the client."""
    log = server.folder / "strace.log"
    trace = subprocess.Popen(
        ["strace", "-f", "-o", str(log), "-p", str(server.process.pid)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "attached" in trace.stderr.readline()
    counts = []
    for times in (FEW, MANY):
        before = len(calls(log))
        client.ask(times)
        time.sleep(0.5)
        counts.append(len(calls(log)) - before)
    trace.terminate()
    trace.wait(10)
    return (counts[1] - counts[0]) / (MANY - FEW)


def calls(log: Path) -> list[str]:
    return [
        line
        for line in log.read_text().splitlines()
        if re.match(r"^\d+ +(?!epoll_wait)\w+\(", line)
    ]


def measure_one(stack: Stack, configure, request: list[str], *, traced: bool) -> Cost:
    with tempfile.TemporaryDirectory(prefix="chattrix-nginx-") as name:
        folder, port = Path(name), free_port()
        Responder(folder / "responder.sock")
        configure(stack, folder, port, folder / "responder.sock")
        client = Client(port, stack.env["CA_FILE"], request)
        tool = [
            "valgrind",
            "--tool=callgrind",
            "--quiet",
            f"--callgrind-out-file={folder}/callgrind.out.%p",
        ]
        server = Server(folder, port, tool)
        try:
            client.ask(WARM_UP)
            few, many = (instructions(server, client, times) for times in (FEW, MANY))
        finally:
            server.stop()
        each = sum((many - few).values()) / (MANY - FEW)
        cost = Cost(
            round(each), round(sum(n for o, n in (many - few).items() if "pcre" in o) / (MANY - FEW)),
            round(sum(few.values()) - FEW * each), 0.0,
        )  # fmt: skip
        if traced:
            server = Server(folder, port, [])
            try:
                client.ask(WARM_UP)
                cost.system_calls = round(system_calls(server, client), 1)
            finally:
                server.stop()
        return cost


def measure(only: str | None, *, traced: bool) -> dict[str, dict[str, Cost]]:
    stack = Stack()
    return {
        name: {
            side.__name__: measure_one(stack, side, request, traced=traced)
            for side in (ours, plain)
        }
        for name, request in REQUESTS.items()
        if not only or only in name
    }


def version() -> str:
    text = subprocess.run(
        [shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-v"],
        capture_output=True,
        text=True,
    ).stderr
    return text.strip().rpartition("/")[2]


def show(table: dict[str, dict[str, Cost]]) -> None:
    print(
        f"{'a request':20} {'ours':>10} {'plain':>10} {'ratio':>6} {'regex':>8} {'handshake':>12} {'plain':>12} {'calls':>6} {'plain':>6}"
    )
    for name, sides in table.items():
        mine, peer = sides["ours"], sides["plain"]
        print(
            f"{name:20} {mine.instructions:10,} {peer.instructions:10,} {mine.instructions / peer.instructions:6.2f}"
            f" {mine.regular_expressions:8,} {mine.handshake_instructions:12,} {peer.handshake_instructions:12,}"
            f" {mine.system_calls:6.1f} {peer.system_calls:6.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="a part of a name")
    parser.add_argument("--write", action="store_true", help="rewrite nginx.json")
    parser.add_argument(
        "--json", action="store_true", help="print nothing but JSON, no system calls"
    )
    arguments, _ = parser.parse_known_args()
    table = measure(arguments.only, traced=not arguments.json)
    found = {
        name: {side: asdict(cost) for side, cost in sides.items()} for name, sides in table.items()
    }
    if arguments.json:
        print(json.dumps(found))
        return
    show(table)
    if arguments.write and not arguments.only:
        FILE.write_text(json.dumps({"nginx": version(), "requests": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
