"""A FastCGI client (FastCGI 1.0), one request a connection, as nginx asks without fastcgi_keep_conn."""

from __future__ import annotations

import secrets
import socket
import struct

# Sections 3.3 and 8.
BEGIN_REQUEST, PARAMETERS, STDIN, STDOUT, RESPONDER = 1, 4, 5, 6, 1


def record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def length(size: int) -> bytes:
    return bytes([size]) if size < 128 else struct.pack(">I", size | 0x8000_0000)


def request(
    method: str,
    target: str,
    token: str = "",
    body: bytes = b"",
    fields: dict[str, str] | None = None,
) -> bytes:
    """What nginx/chattrix/worker.conf makes of a request of curl's; `fields`: HTTP's, by CGI's names."""
    names = {
        "REQUEST_METHOD": method, "REQUEST_URI": target, "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)) if body else "", "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_ID": secrets.token_hex(16),
        "HTTP_HOST": "localhost", "HTTP_USER_AGENT": "curl/8.0.0", "HTTP_ACCEPT": "*/*",
    }  # fmt: skip
    names |= fields or {}
    if token:
        names["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    pairs = b"".join(
        length(len(name)) + length(len(value)) + name.encode() + value.encode()
        for name, value in names.items()
    )
    content = record(STDIN, body) if body else b""
    begin = record(BEGIN_REQUEST, struct.pack(">HB5x", RESPONDER, 0))
    return (
        begin + record(PARAMETERS, pairs) + record(PARAMETERS, b"") + content + record(STDIN, b"")
    )


def ask(path: str, *parts) -> bytes:
    """The response to a `request`: status line, fields and body as CGI has them."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(path)
        client.sendall(request(*parts))
        data = bytearray()
        while chunk := client.recv(65_536):
            data += chunk
    response, at = bytearray(), 0
    while at + 8 <= len(data):
        _, kind, _, size, padding, _ = struct.unpack(">BBHHBB", data[at : at + 8])
        if kind == STDOUT:
            response += data[at + 8 : at + 8 + size]
        at += 8 + size + padding
    return bytes(response)
