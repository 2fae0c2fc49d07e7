"""Generates strings that contain a document of a media type, in an encoding (JSON Schema 2020-12 Validation, section 8)."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable, Iterator
from typing import Any

from relay.contract.json_text import json_bytes
from relay.contract.model import Schema
from relay.validation import media_types as media

from .files import file_of
from .schema_parts import SchemaPart
from .strings import of_length

_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "base32": base64.b32encode,
    "base16": base64.b16encode,
    "quoted-printable": quopri.encodestring,
}
"""RFC 4648 and RFC 2045; with another encoding the text stays as it is."""


def content_texts(
    part: SchemaPart, least: int, variant: int, sample: Callable[[list[SchemaPart]], Any]
) -> Iterator[str]:
    """Yield texts for the `contentEncoding`, `contentMediaType` and `contentSchema` of a schema; none without them.

    The first is a typical one, the second has at least `least` characters, the last is empty. Raises NoSample.
    """
    encoding, media_type = part.schema.get("contentEncoding"), part.schema.get("contentMediaType")
    if encoding is None and media_type is None:
        return
    encode = _ENCODINGS.get(str(encoding).lower(), bytes)
    content = _content(part, media_type, variant, sample)
    for document in (content, content.ljust(least), b""):
        text = encode(document)
        yield text.decode("utf-8", "replace")


def _content(
    part: SchemaPart, media_type: Any, variant: int, sample: Callable[[list[SchemaPart]], Any]
) -> bytes:
    """Return a document of a media type; JSON is a value of the `contentSchema`."""
    plain = of_length(0, None, variant).encode()
    if not isinstance(media_type, str):
        return plain
    if media.is_json(media_type):
        schema: Schema | None = part.schema.get("contentSchema")
        return json_bytes({} if schema is None else sample([part.inner(schema, "contentSchema")]))
    file = file_of(media.essence(media_type))
    return plain if file is None else file.encode() if isinstance(file, str) else file
