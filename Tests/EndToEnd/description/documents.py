"""The two documents, and validators for parts of them."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import jsonschema_rs

from support.stack import ROOT

DIRECTORY = ROOT / "nginx" / "description"


class Document:
    """One document as the repository has it."""

    def __init__(self, path: Path):
        self.path = path
        self.content = json.loads(path.read_text())
        self.validators: dict[str, jsonschema_rs.Validator] = {}

    def resolve(self, part: dict) -> dict:
        """The part itself, or what its `$ref` leads to."""
        while "$ref" in part:
            part = self.at(part["$ref"])
        return part

    def at(self, pointer: str):
        """What a `#/…` pointer (RFC 6901) leads to."""
        part = self.content
        for name in pointer.removeprefix("#/").split("/"):
            name = name.replace("~1", "/").replace("~0", "~")
            part = part[int(name) if isinstance(part, list) else name]
        return part

    def faults(self, schema: dict, value) -> list[str]:
        """What does not fit a schema of this document; nothing where all does."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = schema | {"components": self.content["components"]}
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [
            f"{'/'.join(map(str, error.instance_path)) or '(all)'}: {error.message[:300]}"
            for error in self.validators[key].iter_errors(value)
        ]


@functools.cache
def openapi() -> Document:
    return Document(DIRECTORY / "openapi.json")


@functools.cache
def asyncapi() -> Document:
    return Document(DIRECTORY / "asyncapi.json")
