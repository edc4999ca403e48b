"""A WebSocket client that reads and never answers, not even a ping (RFC 6455 §5.5.2)."""

from __future__ import annotations

import base64
import os
import time
import urllib.parse

from support.frames import opcodes
from support.stack import Stack


def upgrade(stack: Stack, token: str, extra: str = "") -> bytes:
    """The request that opens a WebSocket."""
    host = urllib.parse.urlsplit(stack.ws_url).netloc
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {token}\r\n{extra}\r\n"
    ).encode()


def upgraded_and_silent(stack: Stack, connection, token: str) -> tuple[int, float]:
    """How many pings came, and after how many seconds the server gave up."""
    connection.settimeout(120)
    connection.sendall(upgrade(stack, token))
    started = time.monotonic()
    received = b""
    while piece := connection.recv(4096):
        received += piece
    frames = received.partition(b"\r\n\r\n")[2]
    return opcodes(frames).count(0x9), time.monotonic() - started
