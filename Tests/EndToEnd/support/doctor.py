"""`chattrix-ctl doctor` and its findings."""

from __future__ import annotations

import json

from support.programs import run_ctl
from support.stack import Stack


def doctor(stack: Stack, *arguments: str, status: int | None, **settings: str) -> dict[str, dict]:
    """The findings by check; of several of one check the worst. A status of None: as they make it."""
    url = stack["OPS_URL"].rstrip("/")
    done = run_ctl(stack, "doctor", "--json", "--url", url, *arguments, **settings)
    assert status is None or done.returncode == status, done.stdout + done.stderr
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == (1 if faults(findings) else 0), done.stdout + done.stderr
    return findings


def faults(findings: dict[str, dict]) -> set[str]:
    return {check for check, finding in findings.items() if finding["state"] == "fault"}
