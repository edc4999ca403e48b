"""The documents for people: what they link to exists, what they name exists, what they show works."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
from urllib.parse import urldefrag, urlsplit

import pytest
import requests

from description.documents import openapi
from description.frames import faults
from support.documents import documents
from support.stack import ROOT, SERVER, Stack

PAGES = [name for name in documents() if name.endswith(".html")]
# Words after `make`: targets, and settings with or without quotation marks.
TARGET = re.compile(r"""\bmake((?: (?:[a-z][a-z0-9-]*|[A-Z_]+=(?:'[^']*'|"[^"]*"|\S*)))+)""")
COMMAND = re.compile(r"\bchattrix-ctl ([a-z][a-z-]*(?: [a-z]+)?)")
# What is served beside the guide, from the same origin.
SERVED = re.compile(r"^/(api/v1|console|guide)/")


def each(kind: str, value: str | None = None):
    """The examples of a language or of a kind, with where they stand."""
    return [
        pytest.param(example, id=f"{name}-{index}")
        for name, document in documents().items()
        for index, example in enumerate(document.examples)
        if kind == example.language or kind in example.kinds
        if value is None or example.kinds.get(kind) == value
    ]


def anchors_of(path) -> set[str]:
    document = documents().get(str(path.relative_to(ROOT)))
    return document.anchors if document else set()


@pytest.mark.parametrize("name", documents())
def test_links_lead_somewhere(name):
    """Relative links to files of the repository, and to anchors within them."""
    document = documents()[name]
    broken = []
    for link in document.links:
        address, anchor = urldefrag(link)
        if urlsplit(link).scheme or address.startswith("/"):
            continue
        target = (document.path.parent / address).resolve() if address else document.path
        if target.is_dir() and target.is_relative_to(ROOT / "nginx"):
            target /= "index.html"
        exists = target.exists() and target.is_relative_to(ROOT)
        if not exists or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_served(stack, name):
    """Each page, and what it loads or links to on this server, with the headers of static pages."""
    origin = stack["OPS_URL"].rstrip("/")
    base = f"{origin}/{name.removeprefix('nginx/')}"
    with requests.Session() as session:
        session.trust_env = False
        session.verify = stack["CA_FILE"]
        page = session.get(base, timeout=20)
        assert page.status_code == 200
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        for link in documents()[name].links:
            if link.startswith("#") or urlsplit(link).scheme:
                continue
            assert not link.startswith("/") or SERVED.match(link)
            address = requests.compat.urljoin(base, urldefrag(link).url)
            answer = session.get(address, timeout=20)
            assert answer.status_code == 200, address


def test_pages_have_one_navigation():
    """They are files without a build step: each has the same list of all pages."""
    navigations = {
        re.search(r"<nav\b.*?</nav>", (ROOT / name).read_text(), re.S)[0] for name in PAGES
    }
    (navigation,) = navigations
    linked = set(re.findall(r'href="([^"]+)"', navigation))
    assert linked == {name.rpartition("/")[2] for name in PAGES}


def test_pages_run_nothing_from_elsewhere():
    """No script or style within a page, and none of another origin."""
    for name in PAGES:
        text = (ROOT / name).read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text), name
        assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?:https?:)?//", text), name


def test_the_guide_has_an_address_without_a_slash(stack):
    answer = requests.get(
        stack["OPS_URL"].rstrip("/") + "/guide",
        verify=stack["CA_FILE"],
        allow_redirects=False,
        timeout=20,
    )
    # Apache adds the host's name.
    place = "/guide/" if SERVER == "nginx" else stack["OPS_URL"].rstrip("/") + "/guide/"
    assert (answer.status_code, answer.headers["Location"]) == (308, place)


def make_targets() -> set[str]:
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.M)
    return set(phony[1].replace("\\", " ").split())


@pytest.mark.parametrize("name", documents())
def test_targets_exist(name):
    """What a document has `make` do."""
    named = {
        word
        for code in documents()[name].code()
        for words in TARGET.findall(code)
        for word in re.sub(r"""'[^']*'|"[^"]*\"""", "", words).split()
        if "=" not in word
    }
    assert named <= make_targets()


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """`calls list` and its like, with the first word alone."""
    program = ROOT / ".build/release/chattrix-ctl"
    text = subprocess.run([program, "help"], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^  ([a-z][a-z-]*)((?: [a-z]+)?) ", text, re.M)
    return {first for first, _ in found} | {first + second for first, second in found} | {"help"}


@pytest.mark.parametrize("name", documents())
def test_commands_exist(name, commands):
    """What a document has chattrix-ctl do: `calls show`, or a command of one word."""
    named = {words for code in documents()[name].code() for words in COMMAND.findall(code)}
    pairs = {command.split()[0] for command in commands if " " in command}
    wrong = {
        words
        for words in named
        if (words if words.split()[0] in pairs else words.split()[0]) not in commands
    }
    assert not wrong


@pytest.mark.parametrize("example", each("json"))
def test_json_can_be_read(example):
    json.loads(example.text)


@pytest.mark.parametrize("example", each("frame"))
def test_frames_are_as_described(example):
    """An example of a frame, from whichever side, fits asyncapi.json."""
    frame = json.loads(example.text)
    assert frame["type"] == example.kinds["frame"]
    assert not faults("/ws", frame) or not faults("/ws", frame, "receive")


@pytest.mark.parametrize("example", each("webhook"))
def test_webhooks_are_as_described(example):
    body = json.loads(example.text)
    assert body["type"] == example.kinds["webhook"]
    item = openapi().content["webhooks"][body["type"]]["post"]
    schema = openapi().resolve(item["requestBody"])["content"]["application/json"]["schema"]
    assert not openapi().faults(schema, body)


@pytest.mark.parametrize("example", each("example", "signature"))
def test_the_check_of_a_signature_works(example):
    """The receiver's few lines accept what is signed as Standard Webhooks 1.0 says, and nothing else."""
    scope: dict = {}
    exec(example.text, scope)
    key, body = b"k" * 32, b'{"type":"call.invitation"}'
    secret = "whsec_" + base64.b64encode(key).decode()
    digest = hmac.digest(key, b"msg_1.1700000000." + body, hashlib.sha256)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,AAAA v1," + base64.b64encode(digest).decode(),
    }
    assert scope["is_genuine"](secret, headers, body)
    assert not scope["is_genuine"](secret, headers, body + b" ")


def shell(stack: Stack, lines: str, tmp_path) -> subprocess.CompletedProcess:
    """Runs examples one after the other, as a reader does."""
    lines = lines.replace(".stack/env", str(stack.directory / "env"))
    lines = lines.replace("/tmp/call", str(tmp_path / "call"))
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def answers(stack: Stack, name: str, people, tmp_path) -> tuple[list[dict], tuple]:
    """What a document's shell examples print, with users of this test in place of the demo's."""
    caller, callee = people.pair()
    lines = "\n".join(each.text for each in documents()[name].examples if each.language == "sh")
    for demo, person in (("alice", caller), ("bob", callee)):
        lines = re.sub(rf"\b{demo}\b", person.id, lines)
    result = shell(stack, lines, tmp_path)
    assert result.returncode == 0, result.stderr
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert found and all(answer["success"] for answer in found)
    return found, (caller, callee)


def test_the_readmes_call(stack, people, tmp_path):
    """A call from its beginning to both histories."""
    found, (caller, callee) = answers(stack, "README.md", people, tmp_path)
    assert len(found) == 8
    call = found[0]["data"]
    assert (call["callerId"], call["calleeId"]) == (caller.id, callee.id)
    for history in found[-2:]:
        (entry,) = history["data"]["calls"]
        assert (entry["callId"], entry["status"]) == (call["callId"], "completed")


def test_the_guides_call(stack, people, tmp_path):
    """Two who call each other are in one call (contract 11.3)."""
    (first, second), _ = answers(stack, "nginx/guide/apps.html", people, tmp_path)
    assert second["data"]["callId"] == first["data"]["callId"]
    assert (second["data"]["joined"], second["data"]["status"]) == (True, "connecting")
