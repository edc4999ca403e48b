"""Whether a response is one that openapi.json describes: status, headers, body."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests

from description.documents import openapi

PREFIX = openapi().content["servers"][0]["url"]
METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}

# What the web server answers by itself wherever it is, besides what the paths say.
ANYWHERE = {
    400: "QueryInvalid",
    408: "RequestTimeout",
    413: "PayloadTooLarge",
    414: "UriTooLong",
    421: "MisdirectedRequest",
    431: "HeadersTooLarge",
    500: "InternalServerError",
    501: "NotImplemented",
    503: "ServiceUnavailable",
    505: "HttpVersionNotSupported",
}


def routes() -> dict[str, dict]:
    """Whole path with its placeholders → the path's item."""
    found = {}
    for path, item in openapi().content["paths"].items():
        servers = item.get("servers")
        prefix = PREFIX if servers is None else servers[0]["url"].rstrip("/")
        found[prefix + path] = item
    return found


PATTERNS = sorted(
    (
        (path.count("{"), re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), item)
        for path, item in routes().items()
    ),
    key=lambda row: row[0],
)


def item_of(path: str) -> dict | None:
    """The item of a path; a fixed segment is nearer than a placeholder."""
    return next((item for _, pattern, item in PATTERNS if pattern.fullmatch(path)), None)


def expected(method: str, path: str, status: int) -> dict | None:
    """The described response, or None where none is."""
    components = openapi().content["components"]["responses"]
    item = item_of(path)
    if item is None:
        name = "RouteNotFound" if status == 404 else ANYWHERE.get(status)
        return components.get(name)
    if method == "options" and status == 204:
        return components["Preflight"]
    operation = item.get("get" if method == "head" else method)
    if operation is not None:
        answer = operation["responses"].get(str(status))
        return None if answer is None else openapi().resolve(answer)
    return components.get("MethodNotAllowed" if status == 405 else ANYWHERE.get(status))


def faults(response: requests.Response, has_body: bool = True) -> list[str]:
    """What about a response is not as described; nothing where all is."""
    method = response.request.method.lower()
    path = urlsplit(response.request.url).path
    answer = expected(method, path, response.status_code)
    if answer is None:
        return [f"status {response.status_code} is not described"]
    found = header_faults(answer.get("headers", {}), response)
    item = item_of(path)
    if response.status_code == 405 and item is not None and method != "trace":
        found += allow_faults(item, response)
    if method != "head" and has_body:
        found += body_faults(answer.get("content", {}), response)
    return found


def header_faults(described: dict, response: requests.Response) -> list[str]:
    found = []
    for name, header in described.items():
        header = openapi().resolve(header)
        text = response.headers.get(name)
        if text is None:
            found += [f"header {name} is missing"] if header.get("required") else []
            continue
        schema = header["schema"]
        is_number = openapi().resolve(schema).get("type") == "integer" and text.isdigit()
        for fault in openapi().faults(schema, int(text) if is_number else text):
            found.append(f"header {name}: {fault}")
    return found


def allow_faults(item: dict, response: requests.Response) -> list[str]:
    """`Allow` names the described methods and no others, HEAD and OPTIONS apart."""
    allowed = {name.strip() for name in response.headers.get("Allow", "").split(",")}
    described = {method.upper() for method in METHODS & item.keys()}
    if allowed - {"HEAD", "OPTIONS"} == described:
        return []
    return [f"Allow is {sorted(allowed)}, described are {sorted(described)}"]


def body_faults(content: dict, response: requests.Response) -> list[str]:
    kind = response.headers.get("Content-Type", "").split(";")[0].strip()
    if not content:
        return ["a body where none is described"] if response.content else []
    if kind not in content:
        return [f"content type {kind!r} is not described"]
    value = response.json() if kind == "application/json" else response.text
    return openapi().faults(content[kind]["schema"], value)


def check(response: requests.Response, *_, stream: bool = False, **__) -> None:
    """A `response` hook of requests: fails the test whose response is not as described."""
    found = faults(response, has_body=not stream)
    assert not found, (
        f"{response.request.method} {response.request.path_url[:200]} gave "
        f"{response.status_code}, not as openapi.json describes it: {'; '.join(found)}\n"
        f"{'' if stream else response.text[:1000]}"
    )
