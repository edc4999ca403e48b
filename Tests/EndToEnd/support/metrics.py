"""The pages of metrics of a running stack, read."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from support.people import send
from support.stack import Stack

LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# Of the supervisor with its programs, and of the WebSocket server.
PATHS = ["/metrics", "/signaling/metrics"]

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed"
)


def page_text(stack: Stack, path: str) -> str:
    response = send(stack, "GET", stack["OPS_URL"].rstrip("/") + path)
    assert response.status_code == 200, response.text
    return response.text


class Reading:
    """What the pages say at one moment."""

    def __init__(self, stack: Stack, *paths: str):
        self.samples: list[tuple[str, dict[str, str], float]] = []
        for path in paths or PATHS:
            for line in page_text(stack, path).splitlines():
                if found := LINE.fullmatch(line):
                    labels = dict(LABEL.findall(found["labels"] or ""))
                    self.samples.append((found["name"], labels, float(found["value"])))

    @property
    def names(self) -> set[str]:
        return {name for name, _, _ in self.samples}

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples that have these labels."""
        return sum(
            value
            for found, having, value in self.samples
            if found == name and labels.items() <= having.items()
        )


def promtool(*arguments: str, text: str | None = None) -> None:
    """Fails with what promtool has to say."""
    done = subprocess.run(
        ["promtool", *arguments], input=text, capture_output=True, text=True, timeout=60
    )
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 0, said
    if arguments[:2] == ("check", "metrics"):
        assert not said, said
