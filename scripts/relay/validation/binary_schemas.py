"""Which schemas stand for bytes or text, and which bodies can be validated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from . import media_types as media
from .coercion import properties_of, stated_types_of, values_of
from .schemas import SchemaCompiler
from .uploads import Upload
from .violations import Violation

_SAYS_NOTHING = frozenset(
    "title description deprecated readOnly writeOnly maxLength minLength examples".split()
)


def is_binary(schema: Schema, contract: Contract) -> bool:
    """Return True for a schema that stands for any bytes."""
    if any(part.get("format") == "binary" for part in contract.with_parts(schema)):
        return True
    if contract.version == "3.0":
        return False
    media_type = next(values_of(schema, contract, "contentMediaType"), None)
    encodings = [*values_of(schema, contract, "contentEncoding")]
    is_stated = isinstance(media_type, str) and not encodings and media.is_binary(media_type)
    return is_stated or "binary" in (*values_of(schema, contract, "format"), *encodings)


class Sizes(NamedTuple):
    """How many bytes a file may have, by `minLength` and `maxLength` of its schema."""

    least: int
    most: float

    @classmethod
    def of(cls, schema: Schema, contract: Contract) -> Sizes:
        """Return the sizes that a schema allows, with those within its `allOf`."""
        parts = [*contract.with_parts(schema)]
        least = max(part.get("minLength", 0) for part in parts)
        return cls(least, min(part.get("maxLength", math.inf) for part in parts))

    def violations(self, size: int, at: str, what: str) -> Iterator[Violation]:
        """Yield that a file, or what else it is, has too few or too many bytes."""
        if size < self.least:
            yield Violation(at, "minLength", f"the {what} has fewer than {self.least} bytes")
        if size > self.most:
            yield Violation(at, "maxLength", f"the {what} has more than {self.most} bytes")


def is_file(schema: Schema, contract: Contract, content_types: Iterable[str] = ()) -> bool:
    """Return True for a field of a form that is a file, also one without a type by its `content_types` (3.1)."""
    if is_binary(schema, contract):
        return True
    is_untyped = contract.version != "3.0" and contract.resolve(schema).keys() <= _SAYS_NOTHING
    return is_untyped and all(map(media.is_binary, content_types))


RULE = "unvalidated-body"


def describes_text(schema: Schema, contract: Contract) -> bool:
    """Return True if a text may conform to a schema: it allows strings, or says nothing of types and properties."""
    types = stated_types_of(schema, contract)
    return "string" in types or (types <= {"null"} and not properties_of(schema, contract))


def is_validated(media_type: str, schema: Schema, contract: Contract) -> bool:
    """Return True if bodies of a media type can be validated, or their schema says nothing about them."""
    return media.is_json(media_type) or media.is_form(media_type) or describes_text(schema, contract)


def warn_unvalidated(media_type: str, compiler: SchemaCompiler, pointer: Pointer) -> None:
    """Add the warning that a body is not validated, once for those that operations share."""
    key = (RULE, *compiler.contract.follow(pointer)[1])
    if key in compiler.memo:
        return
    compiler.memo[key] = True
    which = " that are neither JSON nor forms" if media.is_range(media_type) else ""
    message = f"bodies of {media_type}{which} are not validated against their schema; the handler gets and sends them as they are"
    compiler.warn(pointer, message, RULE)


def bytes_reader(
    schema: Schema, contract: Contract
) -> Callable[[bytes | Upload, str], tuple[bytes | Upload, list[Violation]]]:
    """Return the reader of bodies whose schema may say how many bytes they have."""
    sizes = Sizes.of(schema, contract)

    def read(body: bytes | Upload, _content_type: str) -> tuple[bytes | Upload, list[Violation]]:
        size = body.size if isinstance(body, Upload) else len(body)
        return body, [*sizes.violations(size, "", "body")]

    return read
