"""Design, section 7, "a worker": resident memory, and the time from its spawn to its first answer."""

from __future__ import annotations

import socket
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

# FastCGI 1.0, section 3.3 and 8.
BEGIN_REQUEST, PARAMETERS, STDIN, RESPONDER = 1, 4, 5, 1


def record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def request() -> bytes:
    """GET of a route that there is not: needs no database."""
    names = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": "/api/v1/none",
        "REQUEST_ID": "0123456789abcdef",
    }
    pairs = b"".join(bytes([len(n), len(v)]) + n.encode() + v.encode() for n, v in names.items())
    begin = struct.pack(">HB5x", RESPONDER, 0)
    return (
        record(BEGIN_REQUEST, begin)
        + record(PARAMETERS, pairs)
        + record(PARAMETERS, b"")
        + record(STDIN, b"")
    )


def resident(pid: int) -> int:
    """In kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


def pool(supervisor: int) -> list[int]:
    """What each worker of a supervisor has resident, in kB."""
    return [
        resident(int(pid))
        for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    ]


def start(program: Path) -> tuple[float, int]:
    """Milliseconds from spawn to answer, the request being there already, and kB resident then."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        path = f"{folder}/worker.sock"
        listening.bind(path)
        listening.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            client.sendall(request())
            began = time.perf_counter()
            with subprocess.Popen([program], stdin=listening, stderr=subprocess.DEVNULL) as worker:
                answer = client.recv(65536)
                took = (time.perf_counter() - began) * 1000
                assert b"Status: 404" in answer, answer
                kilobytes = resident(worker.pid)
                worker.terminate()
        return took, kilobytes


def report(program: Path, before: list[int], supervisor: int) -> None:
    starts = [start(program) for _ in range(21)]
    milliseconds = statistics.median(took for took, _ in starts)
    first = max(kilobytes for _, kilobytes in starts)
    met = milliseconds <= 20
    print(
        f"a worker's start {milliseconds:.1f} ms to its first answer (20): {'met' if met else 'NOT MET'}"
    )
    after = pool(supervisor)
    met = max(after) <= 13_000
    print(
        f"a worker's memory {first} kB at its first answer, {max(before)} before, {max(after)} after the load "
        f"(13000): {'met' if met else 'NOT MET'}"
    )
