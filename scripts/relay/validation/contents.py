"""Checks what the text of a string contains: its encoding, JSON, and the schema of that (OpenAPI 3.1).

The library has no such checks, so each is a custom format, which `Contents` names.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from relay.contract.json_text import json_bytes
from relay.contract.model import Schema

from . import media_types as media
from .encoded_text import DECODERS, Decode, is_encoded
from .json_strict import parse_json


class Content(NamedTuple):
    """The schema of what JSON in a text may be; its verdict is added when it is compiled."""

    schema: Schema
    verdicts: list[Callable[[Any], bool]]


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
            return value is _NOTHING or all(verdict(value) for verdict in content.verdicts)

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
    """Return the JSON value in a text; _NOTHING for another text."""
    try:
        return parse_json(decode(text))
    except ValueError:
        return _NOTHING
