"""What the documents for people contain: links, anchors, words in code, examples.

Markdown as GitHub renders it, as far as these documents use it, and the guide's HTML pages.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from support.stack import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATTERNS = ["*.md", "Tests/*/*.md", "nginx/guide/*.html"]
HEADING = re.compile(r"^#{1,6} +(.+?)$", re.M)


@dataclass
class Example:
    """A block of code: its language, and what the page says that it is an example of."""

    language: str
    text: str
    kinds: dict[str, str] = field(default_factory=dict)


@dataclass
class Document:
    path: Path
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    #: Words within a line that stand in code.
    words: list[str] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    def code(self) -> list[str]:
        """All that stands in code, blocks included."""
        return self.words + [example.text for example in self.examples]


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def markdown(path: Path) -> Document:
    text = path.read_text()
    found = Document(path)
    found.examples = [Example(language, block) for language, block in FENCE.findall(text)]
    prose = FENCE.sub("", text)
    found.links = LINK.findall(prose)
    found.anchors = {slug(heading) for heading in HEADING.findall(prose)}
    found.words = CODE.findall(prose)
    return found


class Page(HTMLParser):
    """One page of the guide."""

    def __init__(self, path: Path):
        super().__init__()
        self.found = Document(path)
        self.parts: list[str] | None = None
        self.within_block = False
        self.attributes: dict[str, str] = {}
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if "id" in attributes:
            self.found.anchors.add(attributes["id"])
        for name in ("href", "src"):
            if name in attributes:
                self.found.links.append(attributes[name])
        if tag == "pre":
            self.within_block = True
        if tag == "code":
            self.parts, self.attributes = [], attributes

    def handle_data(self, data):
        if self.parts is not None:
            self.parts.append(data)

    def handle_endtag(self, tag):
        if tag == "code":
            text = "".join(self.parts)
            self.parts = None
            if self.within_block:
                kinds = {
                    name.removeprefix("data-"): value
                    for name, value in self.attributes.items()
                    if name.startswith("data-")
                }
                self.found.examples.append(Example(self.attributes.get("class", ""), text, kinds))
            else:
                self.found.words.append(" ".join(text.split()))
        if tag == "pre":
            self.within_block = False


def read(path: Path) -> Document:
    return markdown(path) if path.suffix == ".md" else Page(path).found


@functools.cache
def documents() -> dict[str, Document]:
    """The repository's documents, by path."""
    paths = [path for pattern in PATTERNS for path in ROOT.glob(pattern)]
    return {document.name: document for document in map(read, sorted(paths))}
