"""The texts that stand for bytes or for JSON: `contentEncoding`, `contentMediaType` and `contentSchema` (JSON Schema 2020-12)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from relay.contract.json_text import json_bytes
from relay.contract.model import Schema

from . import media_types as media
from .json_strict import parse_json
from .validators import Validator

Decode = Callable[[str], bytes]
"""Returns the bytes that a text stands for. Raises ValueError for a text that is not in the encoding."""

_PRINTABLE = re.compile(r"(?:[\t\r\n !-<>-~]|=[0-9A-Fa-f]{2}|=[ \t]*\r?\n)*")
_NOT_URLSAFE = re.compile("[^A-Za-z0-9_=-]")


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


class Content(NamedTuple):
    """The schema of what JSON in a text may be; its validator is added when it is compiled."""

    schema: Schema
    validators: list[Validator]


class Contents:
    """The formats of the texts of one direction, by name; `new` are schemas that are to be compiled."""

    def __init__(self, direction: str) -> None:
        self.formats: dict[str, Callable[[str], bool]] = {}
        self.new: list[Content] = []
        self._direction = direction
        self._names: dict[Hashable, str] = {}

    def parts(self, schema: Mapping[str, Any]) -> Iterator[Schema]:
        """Yield the parts of a translated schema that check the content of a text."""
        encoding, media_type = schema.get("contentEncoding"), schema.get("contentMediaType")
        encoding = encoding.lower() if isinstance(encoding, str) else ""
        if encoding in DECODERS:
            yield self._part("contentEncoding", encoding, encoding, partial(is_encoded, encoding=encoding))
        if not isinstance(media_type, str) or not media.is_json(media_type):
            return
        decode = DECODERS.get(encoding, str.encode)
        is_json = partial(_is_json, decode=decode)
        yield self._part("contentMediaType", media_type, encoding, is_json)
        if isinstance(inner := schema.get("contentSchema"), dict) and inner:
            yield self._of_schema(inner, encoding, decode)

    def _of_schema(self, schema: Schema, encoding: str, decode: Decode) -> Schema:
        content = Content(schema, [])

        def accepts(text: str) -> bool:
            value = _json(text, decode)
            return value is _NOTHING or all(one.accepts(value) for one in content.validators)

        known = len(self._names)
        part = self._part("contentSchema", None, (encoding, json_bytes(schema)), accepts)
        if len(self._names) > known:
            self.new.append(content)
        return part

    def _part(self, rule: str, limit: Any, key: Hashable, check: Callable[[str], bool]) -> Schema:
        """Return the part of a schema that has a check; equal checks are one format."""
        name = self._names.setdefault((rule, limit, key), f"{self._direction} content {len(self._names)}")
        self.formats.setdefault(name, check)
        return {"format": name, "explained": (rule, limit)}


_NOTHING: Any = object()


def _is_json(text: str, decode: Decode) -> bool:
    """Return False for what is no JSON; a text that is not in its encoding violates only that."""
    try:
        decode(text)
    except ValueError:
        return True
    return _json(text, decode) is not _NOTHING


def _json(text: str, decode: Decode) -> Any:
    try:
        return parse_json(decode(text))
    except ValueError:
        return _NOTHING
