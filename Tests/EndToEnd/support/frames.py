"""WebSocket frames as bytes, of a client that may break every rule (RFC 6455 §5.2)."""

from __future__ import annotations

import os
import struct

# Opcodes.
TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9


def frame(opcode: int, payload: bytes, *, fin=True, mask=True, reserved=0) -> bytes:
    """A client's frame, as broken as asked for."""
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    length = len(payload)
    flag = 0x80 if mask else 0
    if length < 126:
        head = bytes([first, flag | length])
    elif length < 65536:
        head = bytes([first, flag | 126]) + struct.pack(">H", length)
    else:
        head = bytes([first, flag | 127]) + struct.pack(">Q", length)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def opcodes(data: bytes) -> list[int]:
    """The opcodes of unmasked frames (RFC 6455 §5.2)."""
    found, offset = [], 0
    while offset + 2 <= len(data):
        found.append(data[offset] & 0x0F)
        length = data[offset + 1] & 0x7F
        offset += 2
        if length == 126:
            length = int.from_bytes(data[offset : offset + 2], "big")
            offset += 2
        elif length == 127:
            length = int.from_bytes(data[offset : offset + 8], "big")
            offset += 8
        offset += length
    return found
