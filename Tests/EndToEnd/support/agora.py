"""Agora's AccessToken2 ("007"), read and written independently of the program.

Source: AgoraIO/Tools, DynamicKey/AgoraDynamicKey/python3/src/AccessToken2.py (the format).
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import struct
import zlib

RTC = 1
JOIN, PUBLISH_AUDIO, PUBLISH_VIDEO, PUBLISH_DATA = 1, 2, 3, 4


class Reader:
    """Little-endian numbers and length-prefixed strings."""

    def __init__(self, data: bytes):
        self.data = data
        self.offset = 0

    def number(self, layout: str) -> int:
        (value,) = struct.unpack_from("<" + layout, self.data, self.offset)
        self.offset += struct.calcsize("<" + layout)
        return value

    def string(self) -> bytes:
        length = self.number("H")
        value = self.data[self.offset : self.offset + length]
        assert len(value) == length, "the token ends inside a string"
        self.offset += length
        return value


@dataclasses.dataclass
class Token:
    """What a token says; times in seconds, `expire` and the privileges counted from `issued_at`."""

    app_id: str
    issued_at: int
    expire: int
    salt: int
    channel: str
    uid: str
    privileges: dict[int, int]
    signature: bytes
    signed: bytes

    def is_signed_with(self, certificate: str) -> bool:
        return hmac.compare_digest(
            self.signature, sign(certificate, self.issued_at, self.salt, self.signed)
        )


def sign(certificate: str, issued_at: int, salt: int, message: bytes) -> bytes:
    key = hmac.digest(struct.pack("<I", issued_at), certificate.encode(), hashlib.sha256)
    key = hmac.digest(struct.pack("<I", salt), key, hashlib.sha256)
    return hmac.digest(key, message, hashlib.sha256)


def read(text: str) -> Token:
    """Reads a token with exactly one service, RTC."""
    assert text.startswith("007")
    reader = Reader(zlib.decompress(base64.b64decode(text[3:], validate=True)))
    signature = reader.string()
    start = reader.offset
    app_id = reader.string().decode()
    issued_at, expire, salt = (reader.number("I") for _ in range(3))
    services = reader.number("H")
    assert services == 1 and reader.number("H") == RTC
    privileges = {}
    for _ in range(reader.number("H")):
        privilege = reader.number("H")
        privileges[privilege] = reader.number("I")
    channel, uid = reader.string().decode(), reader.string().decode()
    assert reader.offset == len(reader.data), "the token has something after its services"
    return Token(
        app_id, issued_at, expire, salt, channel, uid, privileges, signature, reader.data[start:]
    )


def string(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<H", len(data)) + data


def write(
    app_id: str,
    certificate: str,
    channel: str,
    uid: str,
    *,
    issued_at: int,
    expire: int = 3600,
    salt: int = 99,
    publisher: bool = True,
    level: int = 6,
    padding: int = 0,
) -> str:
    """Makes a token as Agora's own builders do, for a refresh to judge.

    `padding` adds zero bytes inside the compressed payload: a token that inflates to much more.
    """
    rights = [JOIN, PUBLISH_AUDIO, PUBLISH_VIDEO, PUBLISH_DATA] if publisher else [JOIN]
    signed = string(app_id) + struct.pack("<IIIH", issued_at, expire, salt, 1)
    signed += struct.pack("<HH", RTC, len(rights))
    for right in rights:
        signed += struct.pack("<HI", right, expire)
    signed += string(channel) + string(uid) + b"\0" * padding
    signature = sign(certificate, issued_at, salt, signed)
    payload = struct.pack("<H", len(signature)) + signature + signed
    return "007" + base64.b64encode(zlib.compress(payload, level)).decode()
