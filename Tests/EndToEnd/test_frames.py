"""Frames that break RFC 6455, over a raw connection: closed with the right code, nobody harmed."""

from __future__ import annotations

import struct

import pytest

from support.frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame, opcodes
from support.raw import dial, exchange, status
from support.silence import upgrade


def close_code(stack, token: str, data: bytes, extra: str = "") -> int | None:
    """The code with which the server closes after these bytes (None: no close frame came)."""
    with dial(stack) as connection:
        received = b""
        try:
            connection.sendall(upgrade(stack, token, extra) + data)
        except OSError:
            pass  # it has closed before all of it was sent
        try:
            while piece := connection.recv(65536):
                received += piece
        except OSError:
            pass
    head, _, frames = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    if 0x8 not in opcodes(frames):
        return None
    start = frames.rfind(b"\x88")
    return int.from_bytes(frames[start + 2 : start + 4], "big")


@pytest.mark.parametrize(
    "data, codes",
    [
        (frame(TEXT, b"{}", mask=False), {1002}),
        (frame(TEXT, b"{}", reserved=4), {1002}),
        (frame(3, b""), {1002}),
        (frame(11, b""), {1002}),
        (frame(PING, b"x" * 126), {1002}),
        (frame(PING, b"", fin=False), {1002}),
        (frame(CONTINUATION, b"x"), {1002}),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), {1002}),
        (frame(TEXT, b"\xff\xfe"), {1007}),
        (frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"\x28"), {1007}),
        (frame(TEXT, b"x" * 2_000_000), {1009, None}),
        (b"\x81\xff" + struct.pack(">Q", 2**62) + b"mask", {1009, 1002}),
        (b"\x81\xff" + struct.pack(">Q", 2**63) + b"mask", {1009, 1002}),
        (frame(CLOSE, b"x"), {1002}),
        (frame(CLOSE, struct.pack(">H", 1005)), {1002}),
        (frame(CLOSE, struct.pack(">H", 1000) + b"\xff"), {1007, 1002}),
        (frame(CLOSE, struct.pack(">H", 1001)), {1000, 1001}),
        (frame(BINARY, b"\x00\x01"), {1003}),
    ],
    ids=range(18),
)
def test_broken_frames(people, data, codes):
    """RFC 6455 §5, §7.4: protocol errors 1002, bad text 1007, too big 1009, binary 1003."""
    assert close_code(people.stack, people.person().token, data) in codes
    assert people.person().socket().heartbeat()


def test_fragments_make_one_message(people):
    """A message may come in pieces, with a ping between them (RFC 6455 §5.4)."""
    text = b'{"type":"heartbeat"}'
    data = frame(TEXT, text[:5], fin=False) + frame(PING, b"p")
    data += frame(CONTINUATION, text[5:9], fin=False) + frame(CONTINUATION, text[9:])
    data += frame(CLOSE, struct.pack(">H", 1000))
    with dial(people.stack) as connection:
        connection.sendall(upgrade(people.stack, people.person().token) + data)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    frames = received.partition(b"\r\n\r\n")[2]
    assert opcodes(frames) in ([1, 10, 1, 8], [1, 1, 10, 8])
    assert b"heartbeat.ack" in frames


@pytest.mark.parametrize(
    "replace, by",
    [
        (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"),
        (b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: !"),
        (b"Sec-WebSocket-Key: ", b"X-Key: "),
        (b"GET /ws", b"POST /ws"),
        (b"Upgrade: websocket", b"Upgrade: other"),
    ],
)
def test_broken_handshakes(people, replace, by):
    """RFC 6455 §4.2: a handshake that lacks something is an HTTP error, never a 5xx."""
    request = upgrade(people.stack, people.person().token).replace(replace, by)
    answer = exchange(people.stack, request)
    assert 400 <= status(answer) < 500, answer[:300]
