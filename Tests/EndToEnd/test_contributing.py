"""The worked examples of CONTRIBUTING.md: what they name is there, and they leave no place out."""

from __future__ import annotations

import re

import pytest

from support.documents import CODE
from support.stack import ROOT

SECTIONS = re.findall(
    r"^### An? (\w+): `([^`]+)`\n(.*?)(?=^##)",
    (ROOT / "CONTRIBUTING.md").read_text(),
    re.M | re.S,
)
ROWS = [
    pytest.param(path, text, id=f"{kind}-{path}")
    for kind, _, section in SECTIONS
    for path, text in re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.M)
]
# What finds the places of each; the event and the column have another name in Swift.
MENTIONS = {
    "endpoint": r"\bme/availability\b",
    "event": r"\bcall_quality_warning\b|\bqualityWarning\b",
    "column": r"\bwasInvited\b|\bc\.invited\b|\binvited (?:BOOLEAN|\))|, invited\b",
}
FOLDERS = ["Sources", "sql", "nginx"]


def test_there_are_three():
    assert [kind for kind, _, _ in SECTIONS] == ["endpoint", "event", "column"]
    assert len(ROWS) > 25


@pytest.mark.parametrize(("path", "text"), ROWS)
def test_what_is_named_is_there(path, text):
    """Each word in code occurs in the file of its row, but for names that the row gives to other files."""
    content = (ROOT / path).read_text()
    elsewhere = {"/ws/chat", "CallRules", "LockedCall.write", "CallStore.change"}
    missing = [word for word in CODE.findall(text) if word not in content and word not in elsewhere]
    assert not missing


@pytest.mark.parametrize(
    ("kind", "section"), [pytest.param(kind, text, id=kind) for kind, _, text in SECTIONS]
)
def test_no_place_is_left_out(kind, section):
    """Every file of the program that mentions the thing has a row."""
    named = set(re.findall(r"^\| `([^`]+)` \|", section, re.M))
    found = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".swift", ".sql", ".json", ".js", ".conf", ".html"}
        if re.search(MENTIONS[kind], path.read_text(errors="replace"))
    }
    assert found and found <= named
