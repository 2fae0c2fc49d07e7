"""Texts that stand for bytes or for JSON: `contentEncoding` and `contentMediaType` (JSON Schema 2020-12, "Validation")."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

Decode = Callable[[str], bytes]
"""Returns the bytes that a text stands for. Raises ValueError for a text that is not in the encoding."""

_PRINTABLE = re.compile(r"(?:[\t\r\n !-<>-~]|=[0-9A-Fa-f]{2}|=[ \t]*\r?\n)*")
_NOT_URLSAFE = re.compile("[^A-Za-z0-9_=-]")


def is_base64(text: str) -> bool:
    """Return True if a string is base64 with padding (RFC 4648 section 4)."""
    return is_encoded(text, "base64")


def is_encoded(text: str, encoding: str) -> bool:
    """Return True if a string is in an encoding."""
    try:
        DECODERS[encoding](text)
    except (binascii.Error, ValueError):
        return False
    return True


def _urlsafe(text: str) -> bytes:
    """Decode base64 of URLs; its padding may be left out (RFC 4648 section 3.2), as in JSON Web Tokens."""
    if _NOT_URLSAFE.search(text):
        raise ValueError("not base64url")
    missing = -len(text) % 4 if "=" not in text else 0
    return base64.b64decode(text + "=" * missing, altchars=b"-_", validate=True)


def _quoted(text: str) -> bytes:
    if _PRINTABLE.fullmatch(text) is None:
        raise ValueError("not quoted-printable")
    return binascii.a2b_qp(text.encode("ascii"))


DECODERS: dict[str, Decode] = {
    "base64": lambda text: base64.b64decode(text, validate=True),
    "base64url": _urlsafe,
    "base32": base64.b32decode,
    "base32hex": base64.b32hexdecode,
    "base16": lambda text: base64.b16decode(text, casefold=True),
    "quoted-printable": _quoted,
}
"""The encodings that are checked; others, such as `7bit`, are only documentation."""

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "byte": base64.b64encode,
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "base32": base64.b32encode,
    "base32hex": base64.b32hexencode,
    "base16": base64.b16encode,
}
"""How bytes are written in JSON, by format and encoding."""
