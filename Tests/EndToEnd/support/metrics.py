"""The pages of metrics of a running stack, read: that of the host, and the WebSocket server's own."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from support.people import send
from support.stack import Stack, wait_until

LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
HOST, SIGNALING = PATHS = ["/metrics", "/signaling/metrics"]
UP = "chattrix_signaling_up"

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed"
)


def page_text(stack: Stack, path: str) -> str:
    response = send(stack, "GET", stack["OPS_URL"].rstrip("/") + path)
    assert response.status_code == 200, response.text
    return response.text


def whole_page(stack: Stack) -> str:
    """The host's page with the WebSocket server's part, which a busy machine may be late with."""

    def page() -> str | None:
        text = page_text(stack, HOST)
        return text if f"\n{UP} 1\n" in text else None

    return wait_until(page, 60, 0.2, "the WebSocket server's metrics")


class Reading:
    """What a page says at one moment: the host's whole page, or that of a path, whatever is on it."""

    def __init__(self, stack: Stack, path: str | None = None):
        self.samples: list[tuple[str, dict[str, str], float]] = []
        text = page_text(stack, path) if path else whole_page(stack)
        for line in text.splitlines():
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
        ["promtool", *arguments], input=text, capture_output=True, text=True, timeout=120
    )
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 0, said
    if arguments[:2] == ("check", "metrics"):
        assert not said, said
