"""The documents themselves: valid, served as they are, complete, with examples that fit."""

from __future__ import annotations

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from description import frames
from description.documents import DIRECTORY, asyncapi, openapi
from description.responses import METHODS
from support import people as client
from support.stack import ROOT


def operations():
    """(path, method, operation) of openapi.json."""
    for path, item in openapi().content["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def references(part):
    """Every `$ref` in a document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_openapi_is_valid():
    """OpenAPI 3.1, by its own JSON schema and the rules beyond it."""
    OpenAPIV31SpecValidator(openapi().content).validate()


@pytest.mark.filterwarnings("ignore:Field name")
def test_asyncapi_is_valid():
    """AsyncAPI 3.0, by a model that knows every object of it and no other member."""
    from asyncapi3 import AsyncAPI3

    AsyncAPI3.model_validate(asyncapi().content)


@pytest.mark.parametrize("document", [openapi, asyncapi])
def test_references_lead_somewhere(document):
    for pointer in references(document().content):
        assert document().at(pointer) is not None, pointer


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_documents_are_served(stack, name):
    """To everybody, byte for byte, with a request id, as JSON."""
    response = client.send(stack, "GET", f"/{name}")
    assert response.status_code == 200
    assert response.content == (DIRECTORY / name).read_bytes()
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    assert client.send(stack, "HEAD", f"/{name}").status_code == 200


def media_types():
    """(where, media type object) of every body, both ways."""
    for path, method, operation in operations():
        parts = {"request": operation.get("requestBody", {})} | operation["responses"]
        for name, part in parts.items():
            for kind, media in openapi().resolve(part).get("content", {}).items():
                yield f"{method} {path} {name}", kind, media
    for name, response in openapi().content["components"]["responses"].items():
        for kind, media in response.get("content", {}).items():
            yield name, kind, media


def test_examples_fit_their_schemas():
    """A developer who copies an example sends, or can expect, just that."""
    seen = 0
    for where, kind, media in media_types():
        examples = [example["value"] for example in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        assert examples or where.endswith(".json 200"), f"{where} has no example"
        for example in examples:
            assert not openapi().faults(media["schema"], example), (where, kind, example)
            seen += 1
    for name, schema in openapi().content["components"]["schemas"].items():
        for example in schema.get("examples", []):
            assert not openapi().faults(schema, example), (name, example)
            seen += 1
    assert seen > 100


@pytest.mark.parametrize("path", ["/ws", "/ws/chat"])
def test_examples_of_frames_fit_their_schemas(path):
    """Every message of a channel is sent or received there, and has an example of itself."""
    (channel,) = [
        channel for channel in asyncapi().content["channels"].values() if channel["address"] == path
    ]
    sent, received = frames.payloads(path, "send"), frames.payloads(path, "receive")
    assert len(sent) + len(received) == len(channel["messages"])
    for message in map(asyncapi().resolve, channel["messages"].values()):
        action = "send" if message["name"] in sent else "receive"
        assert message["name"] in (sent | received) and message["examples"]
        for example in message["examples"]:
            assert not frames.faults(path, example["payload"], action), example


def test_events_are_those_of_the_rules():
    """Both ways: Sources/Calls/CallEvent.swift and the described events."""
    source = (ROOT / "Sources/Calls/CallEvent.swift").read_text()
    events = set(re.findall(r'"(call_[a-z_]+)"', source))
    assert {name for name in frames.payloads("/ws", "send") if name.startswith("call_")} == events


def test_every_operation_is_told():
    """Each has an id of its own, a summary, a description and its errors."""
    identifiers = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(identifiers)) == len(identifiers)
    for path, method, operation in operations():
        assert operation["summary"] and operation["description"], (method, path)
        if "security" not in operation:
            assert {"200", "400", "401", "403", "500", "503"} <= operation["responses"].keys()
        body = operation.get("requestBody")
        assert (body is not None) == (method in ("post", "patch", "put")), (method, path)
        for answer in operation["responses"].values():
            assert openapi().resolve(answer)["description"], (method, path)


def test_limited_operations_say_so():
    """§11.4: whatever needs a JWT may be answered with 429, except what ends a call."""
    for path, method, operation in operations():
        if "security" in operation:
            continue
        is_limited = operation["operationId"] not in ("rejectCall", "endCall")
        assert ("429" in operation["responses"]) is is_limited, (method, path)
        for status in operation["responses"].keys() & {"200", "201", "409"}:
            fields = openapi().resolve(operation["responses"][status])["headers"].keys()
            names = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
            assert (names <= fields) is is_limited, (method, path, status)


def test_links_lead_to_operations_and_parameters():
    """Every link names an operation that exists, and only parameters that it has."""
    by_id = {operation["operationId"]: operation for _, _, operation in operations()}
    count = 0
    for _, _, operation in operations():
        for answer in operation["responses"].values():
            for link in openapi().resolve(answer).get("links", {}).values():
                link = openapi().resolve(link)
                target = by_id[link["operationId"]]
                named = [openapi().resolve(one) for one in target.get("parameters", [])]
                known = {f"{one['in']}.{one['name']}" for one in named}
                assert set(link.get("parameters", {})) <= known, link
                count += 1
    assert count > 20


def test_error_codes_are_those_of_the_table():
    """Both ways: codes of Sources/API/ErrorTable.swift and of nginx, and the described ones."""
    sources = (ROOT / "Sources/API/ErrorTable.swift").read_text()
    codes = set(re.findall(r"\b[45]\d\d, \"([A-Z_]+)\"", sources))
    for line in (ROOT / "nginx/chattrix/errors.conf").read_text().splitlines():
        codes |= set(re.findall(r'"error":\{"code":"([A-Z_]+)"', line))
    schemas = openapi().content["components"]["schemas"].values()
    properties = [schema.get("properties", {}).get("code", {}) for schema in schemas]
    assert {code["const"] for code in properties if "const" in code} == codes


def test_field_codes_are_those_of_the_table():
    """Both ways: codes of Sources/Calls/CallError.swift and the described ones."""
    sources = (ROOT / "Sources/Calls/CallError.swift").read_text()
    block = sources.partition("enum Code")[2].partition("}")[0]
    codes = set(re.findall(r'= "([A-Z_]+)"', block))
    fault = openapi().content["components"]["schemas"]["FieldFault"]
    assert set(fault["properties"]["code"]["enum"]) == codes


def test_both_documents_speak_of_the_same_things():
    """What stands in both is the same in both: ids, words, a call, errors."""
    ours, theirs = (doc().content["components"]["schemas"] for doc in (openapi, asyncapi))
    shared = ours.keys() & theirs.keys()
    assert {"CallDetails", "CallStatus", "EndReason", "Failure", "NetworkQuality"} <= shared
    for name in sorted(shared):
        assert bare(ours[name]) == bare(theirs[name]), name


def bare(part):
    """A schema without its prose."""
    if isinstance(part, list):
        return [bare(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    kept = {
        name: bare(inner)
        for name, inner in part.items()
        if not (name in ("description", "examples") and isinstance(inner, (str, list)))
    }
    return kept["allOf"][0] if set(kept) == {"allOf"} and len(kept["allOf"]) == 1 else kept


def test_the_files_are_formatted():
    """One final newline, and JSON that says each member once."""

    def unique(pairs):
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), names
        return dict(pairs)

    for path in sorted(DIRECTORY.glob("*.json")):
        text = path.read_text()
        assert text.endswith("}\n") and "\t" not in text
        json.loads(text, object_pairs_hook=unique)
