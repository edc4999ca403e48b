"""Configuration from the environment: what is missing or malformed (contract §7.12; R14)."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from support import keys
from support.programs import PROGRAMS, program

criterion = pytest.mark.criterion

CERTIFICATE = "5cfd2fd1755d40ecb72977518be15d3b"
SECRET = "a secret of more than thirty-two bytes, fit for HS256"
VALID = {
    "AGORA_APP_ID": "970ca35de60c44645bbae8a215061b33",
    "AGORA_APP_CERTIFICATE": CERTIFICATE,
    "MYSQL_DATABASE": "chattrix",
    "MYSQL_PASSWORD": "hunter2-hunter2",
    "JWT_SECRET": SECRET,
}
REQUIRED = {
    "AGORA_APP_ID": criterion("R14.1", "R14.5"),
    "AGORA_APP_CERTIFICATE": criterion("R14.2", "R14.5"),
    "MYSQL_DATABASE": criterion("R14.5"),
    "JWT_SECRET": criterion("R14.5"),
}
MALFORMED = [
    ("AGORA_APP_ID", "xyz"),
    ("AGORA_APP_ID", "g" * 32),
    ("AGORA_APP_ID", "a" * 31),
    ("AGORA_APP_ID", "a" * 33),
    ("AGORA_APP_CERTIFICATE", "not-a-certificate-at-all-but-long"),
    ("AGORA_APP_CERTIFICATE", CERTIFICATE + "0"),
    ("JWT_SECRET", "thirty-one bytes are too few..."),
    ("JWT_ALGORITHMS", "none"),
    ("JWT_ALGORITHMS", "HS256,XX999"),
    ("JWT_PUBLIC_KEY_FILE", "/nonexistent/key.pem"),
    ("JWT_PUBLIC_KEY_FILE", os.path.abspath(__file__)),
    ("JWT_JWKS_FILE", "/nonexistent/keys.json"),
    ("JWT_JWKS_FILE", os.path.abspath(__file__)),
    ("AGORA_TOKEN_EXPIRATION_SECONDS", "soon"),
    ("AGORA_TOKEN_EXPIRATION_SECONDS", "59"),
    ("AGORA_TOKEN_EXPIRATION_SECONDS", "86401"),
    ("AGORA_WEBHOOK_SECRET", ","),
    ("AGORA_WEBHOOK_SECRET", "agoras-secret\n"),
    ("AGORA_ABSENCE_SECONDS", "0"),
    ("AGORA_ABSENCE_SECONDS", "3601"),
    ("CALL_TIMEOUT_SECONDS", "abc"),
    ("CALL_TIMEOUT_SECONDS", "0"),
    ("CALL_TIMEOUT_SECONDS", "-1"),
    ("CALL_TIMEOUT_SECONDS", "60 s"),
    ("CALL_TIMEOUT_SECONDS", "9" * 30),
    ("MAX_CALL_DURATION_SECONDS", "x"),
    ("RATE_LIMIT_TOKEN_GENERATE", "many"),
    ("RATE_LIMIT_TOKEN_REFRESH", "-1"),
    ("RATE_LIMIT_CALL_INITIATE", "1.5"),
    ("RATE_LIMIT_CALL_HISTORY", "0x10"),
    ("RATE_LIMIT_QUALITY", "60/min"),
    ("RATE_LIMIT_TICKET", "thirty"),
    ("RATE_LIMIT_OTHER", "1e3"),
    ("MYSQL_PORT", "mysql"),
    ("MYSQL_PORT", "70000"),
    ("REDIS_URL", "http://127.0.0.1"),
    ("REDIS_URL", "redis://127.0.0.1:port"),
    ("WORKERS", "some"),
    ("WORKERS", "-2"),
    ("SIGNALING_ADDRESS", "nowhere"),
    ("SIGNALING_ADDRESS", "127.0.0.1:99999"),
    ("SIGNALING_MESSAGES_PER_SECOND", "lots"),
    ("SIGNALING_CHAT_EXPIRES", "yes"),
    ("TOKEN_CHANNELS", "some"),
    ("LOG_LEVEL", "loud"),
    ("WEBHOOK_SECRETS", "whsec_tooShort"),
    ("WEBHOOK_SECRETS", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("WEBHOOK_EVENTS", "call.invitation,call.unknown"),
    ("WEBHOOK_CA_FILE", "/nonexistent/ca.pem"),
    ("WEBHOOK_CA_FILE", os.path.abspath(__file__)),
    ("WEBHOOK_CONCURRENCY", "0"),
    ("WEBHOOK_CONCURRENCY", "257"),
    ("AGORA_API_URL", "http://api.example"),
    ("AGORA_API_FALLBACK_URL", "ftp://api.example"),
]
WEBHOOK = {
    "WEBHOOK_URL": "https://app.example/hooks",
    "WEBHOOK_SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
MALFORMED_TOGETHER = [
    ("WEBHOOK_SECRETS", {"WEBHOOK_URL": "https://app.example/hooks"}),
    ("WEBHOOK_URL", WEBHOOK | {"WEBHOOK_URL": "http://app.example/hooks"}),
    ("WEBHOOK_URL", WEBHOOK | {"WEBHOOK_URL": "app.example/hooks"}),
    ("WEBHOOK_URL", WEBHOOK | {"WEBHOOK_URL": "https://user:secret@app.example/"}),
    ("WEBHOOK_URL", WEBHOOK | {"WEBHOOK_URL": "https://app.example/#part"}),
    ("AGORA_CUSTOMER_SECRET", {"AGORA_CUSTOMER_ID": "customer"}),
    ("AGORA_CUSTOMER_ID", {"AGORA_CUSTOMER_SECRET": "secret-of-the-customer"}),
]
CRITERIA = {
    "AGORA_APP_ID": ["R14.1"],
    "AGORA_APP_CERTIFICATE": ["R14.2"],
    "AGORA_TOKEN_EXPIRATION_SECONDS": ["R14.3"],
    "CALL_TIMEOUT_SECONDS": ["R14.4"],
}


def run(name: str, settings: dict[str, str]) -> subprocess.CompletedProcess:
    """Runs a program with these settings and no others."""
    arguments = ["check-config"] if name == "chattrix-ctl" else []
    return subprocess.run(
        [program(name), *arguments],
        env={"PATH": os.environ["PATH"]} | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def check(done: subprocess.CompletedProcess, *at_fault: str) -> None:
    """Exit 78, every fault named, one a line, and no secret's value."""
    assert done.returncode == 78, (done.returncode, done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    for setting in at_fault:
        naming = [line for line in lines if setting in line]
        assert naming, (setting, done.stderr)
    fine = set(VALID) - set(at_fault) - {"JWT_SECRET"}
    assert not [line for line in lines for setting in fine if setting in line], done.stderr
    for secret in (SECRET, CERTIFICATE, VALID["MYSQL_PASSWORD"]):
        assert secret not in done.stderr + done.stdout


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    "missing", [pytest.param(setting, marks=mark) for setting, mark in REQUIRED.items()]
)
@pytest.mark.parametrize("empty", [False, True], ids=["absent", "empty"])
def test_a_required_setting_is_missing(name, missing, empty):
    """R14.5: the program does not start, and says what it lacks."""
    settings = {setting: value for setting, value in VALID.items() if setting != missing}
    check(run(name, settings | ({missing: ""} if empty else {})), missing)


@criterion("R14.5")
@pytest.mark.parametrize("name", PROGRAMS)
def test_all_faults_at_once(name):
    """R14.5: every fault at once, one a line."""
    faults = {
        "AGORA_APP_CERTIFICATE": "my-precious-certificate",
        "AGORA_TOKEN_EXPIRATION_SECONDS": "1",
        "CALL_TIMEOUT_SECONDS": "never",
        "RATE_LIMIT_CALL_INITIATE": "x",
        "REDIS_URL": "ftp://user:my-redis-password@host",
        "LOG_LEVEL": "loud",
        "WORKERS": "x",
    }
    settings = {"JWT_SECRET": "short-secret", "MYSQL_PASSWORD": "hunter2-hunter2"} | faults
    done = run(name, settings)
    wanted = ["AGORA_APP_ID", "MYSQL_DATABASE", "JWT_SECRET", *faults]
    check(done, *wanted)
    lines = done.stderr.splitlines()
    for setting in wanted:
        others = set(wanted) - {setting}
        (line,) = [line for line in lines if setting in line]
        assert not [other for other in others if other in line], line
    for secret in ("my-precious-certificate", "short-secret", "my-redis-password"):
        assert secret not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "setting, value",
    [
        pytest.param(setting, value, marks=criterion(*CRITERIA.get(setting, []), "R14.5"))
        for setting, value in MALFORMED
    ],
)
def test_a_malformed_setting(setting, value):
    """R14.5: all four programs check the same settings."""
    for name in PROGRAMS:
        done = run(name, VALID | {setting: value})
        check(done, setting)
        if setting in ("AGORA_APP_CERTIFICATE", "JWT_SECRET"):
            assert value not in done.stderr + done.stdout


@criterion("R14.5")
@pytest.mark.parametrize("setting, given", MALFORMED_TOGETHER, ids=str)
def test_settings_that_need_each_other(setting, given):
    """Contract 8.1, 9.4: a receiver without a secret, or one that anybody on the way can read."""
    for name in PROGRAMS:
        done = run(name, VALID | given)
        check(done, setting)
        assert "secret-of-the-customer" not in done.stderr + done.stdout


@criterion("R14.5")
@pytest.mark.parametrize("arguments", [["migrate"], ["jwt", "--user", "x"], ["calls", "list"]])
def test_every_command_of_the_tool_checks(arguments):
    """What an operator types fails in the same way."""
    done = subprocess.run(
        [program("chattrix-ctl"), *arguments],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    check(done, "AGORA_APP_ID", "AGORA_APP_CERTIFICATE", "MYSQL_DATABASE", "JWT_SECRET")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"CALL_TIMEOUT_SECONDS": "30", "RATE_LIMIT_CALL_INITIATE": "0", "WORKERS": "2"},
        {"AGORA_TOKEN_EXPIRATION_SECONDS": "60"},
        {"AGORA_TOKEN_EXPIRATION_SECONDS": "86400"},
        {"AGORA_APP_ID": "970CA35DE60C44645BBAE8A215061B33"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"SIGNALING_ADDRESS": "unix:/run/chattrix/signaling.sock"},
        {"JWT_ALGORITHMS": "HS256, HS384,HS512"},
        {"ALLOWED_ORIGINS": "https://a.example, https://b.example:8443"},
        WEBHOOK,
        WEBHOOK | {"WEBHOOK_URL": "http://127.0.0.1:8000/hooks", "WEBHOOK_CONCURRENCY": "256"},
        WEBHOOK | {"WEBHOOK_EVENTS": "call.invitation, call.stopped_ringing"},
        {
            "AGORA_CUSTOMER_ID": "id",
            "AGORA_CUSTOMER_SECRET": "s",
            "AGORA_API_URL": "http://[::1]:1",
        },
    ],
    ids=str,
)
def test_valid_settings(settings):
    """`chattrix-ctl check-config` says yes to what is fine; lists are comma-separated."""
    done = run("chattrix-ctl", VALID | settings)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert CERTIFICATE not in done.stdout + done.stderr


def test_a_public_key_stands_for_the_secret(tmp_path):
    """One of JWT_SECRET, JWT_PUBLIC_KEY_FILE, JWT_JWKS_FILE is required."""
    pem, jwks = tmp_path / "key.pem", tmp_path / "keys.json"
    pem.write_bytes(keys.public_pem(keys.PEM_KEY))
    jwks.write_text(json.dumps(keys.key_set()))
    without = {setting: value for setting, value in VALID.items() if setting != "JWT_SECRET"}
    for more in ({"JWT_PUBLIC_KEY_FILE": str(pem)}, {"JWT_JWKS_FILE": str(jwks)}):
        done = run("chattrix-ctl", without | more)
        assert done.returncode == 0, done.stderr
    check(run("chattrix-ctl", without), "JWT_SECRET")
