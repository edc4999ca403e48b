"""Requests that nobody wrote: schemathesis makes them from openapi.json, and judges the answers.

The seed is fixed, so that a run can be repeated; GENERATED_SEED=random, or a number, tries others.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from description.documents import DIRECTORY
from support import keys
from support.stack import Stack
from support.variants import variant

HERE = Path(__file__).parent
PAIRS = 4000
# A minute for both on two cores that have nothing else to do, ten for one of them where others build.
MOST_SECONDS = 1200

pytestmark = [*variant("generated"), pytest.mark.timeout(MOST_SECONDS + 60)]


def chosen_seed() -> int:
    wanted = os.environ.get("GENERATED_SEED", "20")
    return random.randrange(2**31) if wanted == "random" else int(wanted)


def people_file(stack: Stack, directory: Path) -> Path:
    """Pairs of contacts with their logins, for generated_hooks.py."""
    run = uuid.uuid4().hex[:12]
    pairs = [(f"caller-{run}-{n}", f"callee-{run}-{n}") for n in range(PAIRS)]
    users = [(one, one, one.capitalize()) for pair in pairs for one in pair]
    contacts = [row for one, other in pairs for row in ((one, other), (other, one))]
    with stack.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO users (id, username, full_name) VALUES (%s, %s, %s)", users)
        cursor.executemany(
            "INSERT INTO contacts (user_id, contact_user_id, status) VALUES (%s, %s, 'ACCEPTED')",
            contacts,
        )
    secret = stack["JWT_SECRET"]
    logins = [[{"id": one, "token": keys.token(secret, one)} for one in pair] for pair in pairs]
    path = directory / "people.json"
    path.write_text(json.dumps(logins))
    return path


@pytest.mark.parametrize(
    "phases, least_cases, least_links",
    [("examples,coverage,fuzzing", 1500, 0), ("stateful", 500, 20)],
    ids=["requests", "walks"],
)
def test_generated(stack, tmp_path, capsys, phases, least_cases, least_links):
    """All checks: no failure, no 5xx, nothing undescribed; one by one, and along the links."""
    seed = chosen_seed()
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(HERE / "schemathesis.toml"), "run"]
    command += [str(DIRECTORY / "openapi.json"), "--url", stack.api_url]
    command += ["--tls-verify", stack["CA_FILE"], "--checks", "all", "--seed", str(seed)]
    command += ["--phases", phases, "--continue-on-failure", "--no-shrink"]
    command += ["--exclude-tag", "Operations", "--exclude-tag", "Description"]
    # What is signed cannot be generated.
    command += ["--exclude-tag", "Notifications"]
    command += ["--output-sanitize", "false", "--warnings", "off"]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "description.generated_hooks",
        "PYTHONPATH": str(HERE.parent),
        "GENERATED_PEOPLE": str(people_file(stack, tmp_path)),
        "API_URL": stack.api_url,
        "CA_FILE": stack["CA_FILE"],
    }
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
    )
    cases = figure(r"Test cases:\s+([\d,]+) generated", done.stdout)
    links = figure(r"API Links:\s+(\d+) covered", done.stdout)
    with capsys.disabled():
        # Standard error, which pytest-xdist's workers share with the terminal.
        print(f"\nschemathesis: {phases}: seed {seed}, {cases} cases", file=sys.stderr)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert cases >= least_cases and links >= least_links, done.stdout[-5000:]


def figure(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1].replace(",", "")) if found else 0
