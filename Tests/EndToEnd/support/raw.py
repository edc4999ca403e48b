"""Bytes over TLS, for what no HTTP library would send."""

from __future__ import annotations

import socket
import ssl
import urllib.parse

from support.stack import PATIENCE, Stack


def dial(
    stack: Stack, tls: ssl.SSLContext | None = None, timeout: float = PATIENCE
) -> ssl.SSLSocket:
    """A TLS connection to the stack's nginx."""
    url = urllib.parse.urlsplit(stack.api_url)
    plain = socket.create_connection((url.hostname, url.port), timeout=timeout)
    return (tls or stack.tls).wrap_socket(plain, server_hostname=url.hostname)


def exchange(
    stack: Stack, request: bytes, tls: ssl.SSLContext | None = None, until: bytes | None = None
) -> bytes:
    """Sends bytes and gives all that comes back until the server closes or is silent for 30 s, or the bytes
    `until` have come."""
    with dial(stack, tls) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
                if until is not None and until in answer:
                    break
                if b"\r\n\r\n" in answer and complete(answer):
                    break
        except (TimeoutError, ConnectionResetError, ssl.SSLEOFError):
            pass
        return answer


def complete(answer: bytes) -> bool:
    """Whether a response with a Content-Length is all there."""
    head, _, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return len(body) >= int(value)
    return False


def status(answer: bytes) -> int:
    """The status of a raw response (0: there was none)."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1][:3].isdigit() else 0


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields by lower-case name, and body of a raw response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
    return status(answer), {name.strip().lower(): value.strip() for name, _, value in lines}, body
