"""Which schemas stand for bytes: `format: binary`, and since OpenAPI 3.1 what is no text by its media type, or has no type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from relay.contract.model import Contract, Schema

from . import media_types as media
from .coercion import contents_of, formats_of
from .violations import Violation

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


class Sizes(NamedTuple):
    """How many bytes a file may have, by `minLength` and `maxLength` of its schema."""

    least: int
    most: float

    @classmethod
    def of(cls, schema: Schema, contract: Contract) -> Sizes:
        """Return the sizes that a schema allows, with those within its `allOf`."""
        parts = [*all_of(schema, contract)]
        least = max(part.get("minLength", 0) for part in parts)
        return cls(least, min(part.get("maxLength", math.inf) for part in parts))

    def violations(self, size: int, at: str, what: str) -> Iterator[Violation]:
        """Yield that a file, or what else it is, has too few or too many bytes."""
        if size < self.least:
            yield Violation(at, "minLength", f"the {what} has fewer than {self.least} bytes")
        if size > self.most:
            yield Violation(at, "maxLength", f"the {what} has more than {self.most} bytes")


def is_file(schema: Schema, contract: Contract, content_types: Iterable[str] = ()) -> bool:
    """Return True for a field of a multipart form that is a file; `content_types` are those of its encoding.

    Since OpenAPI 3.1, this is also one without a type ("Encoding Object", `contentType`).
    """
    if is_binary(schema, contract):
        return True
    is_untyped = contract.version != "3.0" and contract.resolve(schema).keys() <= _SAYS_NOTHING
    return is_untyped and all(map(media.is_binary, content_types))
