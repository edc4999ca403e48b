"""What a request costs a worker, held against Tests/Bench/counts.json: a regression is seen in review.

`make bench BENCH_PARTS=counts` writes that file anew. Instructions are those of the program itself, counted by
valgrind's callgrind; another compiler makes another program, so only the file's own version is compared.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from support.programs import program, stack_environment
from support.stack import DATABASE, ROOT
from support.variants import variant

BENCH = ROOT / "Tests" / "Bench"
KNOWN = json.loads((BENCH / "counts.json").read_text())
TOLERANCE = 0.05

pytestmark = [*variant("crowded"), pytest.mark.timeout(600)]


def compiler() -> str:
    return subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
@pytest.mark.skipif(DATABASE != "mariadb", reason="counts.json was counted over MariaDB")
@pytest.mark.skipif(KNOWN["swift"] not in compiler(), reason="counts.json is another compiler's")
def test_instructions_and_allocations(stack):
    settings = stack_environment(stack) | {
        "STACK_DIR": str(stack.directory),
        "PROGRAM_DIR": str(ROOT / ".build" / "release"),
    }
    assert program("chattrix-worker").startswith(settings["PROGRAM_DIR"])
    command = [sys.executable, str(BENCH / "counts.py"), "--json"]
    output = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=560
    )
    assert output.returncode == 0, output.stdout + output.stderr
    found = json.loads(output.stdout.splitlines()[-1])
    assert found.keys() == KNOWN["requests"].keys()
    for name, cost in KNOWN["requests"].items():
        for kind in ("instructions", "allocations"):
            ratio = found[name][kind] / cost[kind]
            assert abs(ratio - 1) <= TOLERANCE, (
                f"{name}: {found[name][kind]} {kind} instead of {cost[kind]}; where that is meant, "
                "`make bench BENCH_PARTS=counts` writes it down"
            )


NGINX = json.loads((BENCH / "nginx.json").read_text())


def nginx_version() -> str:
    path = os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin"
    program = shutil.which("nginx", path=path)
    return subprocess.run([program, "-v"], capture_output=True, text=True).stderr if program else ""


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
@pytest.mark.skipif(
    not nginx_version().strip().endswith("/" + NGINX["nginx"]),
    reason="nginx.json is another nginx's",
)
@pytest.mark.nginx("the instructions of nginx's own configuration")
def test_instructions_of_nginx(stack):
    """The configuration's share of a request: a refusal beside a plain server's, libraries included."""
    settings = stack_environment(stack) | {"STACK_DIR": str(stack.directory)}
    name = "refusal, HTTP/2"
    command = [sys.executable, str(BENCH / "nginx.py"), "--json", "--only", name]
    output = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=560
    )
    assert output.returncode == 0, output.stdout + output.stderr
    found = json.loads(output.stdout.splitlines()[-1])[name]
    known = NGINX["requests"][name]
    ratios = [
        sides["ours"]["instructions"] / sides["plain"]["instructions"] for sides in (found, known)
    ]
    assert ratios[0] <= ratios[1] * (1 + TOLERANCE), (
        f"{ratios[0]:.3f} times a plain server's instructions instead of {ratios[1]:.3f}; where that is meant, "
        "`make bench BENCH_PARTS=nginx` writes it down"
    )
