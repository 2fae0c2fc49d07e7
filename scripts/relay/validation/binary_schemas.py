"""Which schemas stand for bytes: `format: binary`, and since OpenAPI 3.1 what is no text by its media type, or has no type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from relay.contract.model import Contract, Schema

from . import media_types as media
from .coercion import contents_of, formats_of

_SAYS_NOTHING = frozenset(
    "title description deprecated readOnly writeOnly maxLength minLength examples".split()
)


def is_binary(schema: Schema, contract: Contract) -> bool:
    """Return True for a schema that stands for any bytes."""
    if any(part.get("format") == "binary" for part in all_of(schema, contract)):
        return True
    if contract.version == "3.0":
        return False
    media_type, encoding = contents_of(schema, contract)
    is_stated = media_type is not None and encoding is None and media.is_binary(media_type)
    return is_stated or "binary" in formats_of(schema, contract)


def all_of(schema: Schema, contract: Contract) -> Iterator[Schema]:
    """Yield a schema and those within its `allOf`, which all apply to a value, with `$ref`s resolved."""
    todo, known = [schema], set()
    while todo:
        part = todo.pop()
        if (ref := part.get("$ref")) is not None:
            if ref in known:
                continue
            known.add(ref)
            part = contract.resolve(part)
        yield part
        todo += part.get("allOf", [])


def is_file(schema: Schema, contract: Contract, content_types: Iterable[str] = ()) -> bool:
    """Return True for a field of a multipart form that is a file; `content_types` are those of its encoding.

    Since OpenAPI 3.1, this is also one without a type ("Encoding Object", `contentType`).
    """
    if is_binary(schema, contract):
        return True
    is_untyped = contract.version != "3.0" and contract.resolve(schema).keys() <= _SAYS_NOTHING
    return is_untyped and all(map(media.is_binary, content_types))
