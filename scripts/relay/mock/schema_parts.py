"""Splits a schema into the parts that apply to one value: `$ref`s are resolved and `allOf` is flattened."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.pointers import lookup, parse_pointer
from relay.validation.schemas import MARKS, Direction

_KEYWORDS = {  # indicate the type of a schema without `type`
    "object": (
        "properties required additionalProperties minProperties maxProperties patternProperties propertyNames "
        "unevaluatedProperties dependentRequired dependentSchemas"
    ).split(),
    "array": "items minItems maxItems uniqueItems prefixItems contains unevaluatedItems".split(),
    "string": "pattern minLength maxLength format contentEncoding contentMediaType".split(),
    "number": "minimum maximum multipleOf".split(),
}


MAX_PARTS = 2_000
"""Maximum number of values built for one sample, including discarded ones."""
TRIES = 8
"""Values tried where a value must differ from others."""


class NoSample(Exception):
    """No valid value was found; the text is the reason."""


class TooLarge(Exception):
    """The value would be infinite or exceed the limits."""


class SchemaPart(NamedTuple):
    """One of the schemas that apply to a value, and its pointer.

    `within` are the `$ref`s that lead to the values around its value, `here` those that lead from its value to
    the schema; in `here`, "" marks the choice of a branch.
    """

    schema: Schema
    pointer: Pointer
    within: frozenset[str] = frozenset()
    here: tuple[str, ...] = ()

    def inner(self, schema: Schema, *tokens: str) -> SchemaPart:
        """Return a schema within this one that applies to a part of the value."""
        return SchemaPart(schema, (*self.pointer, *tokens), self.within.union(self.here))

    def branch(self, schema: Schema, *tokens: str) -> SchemaPart:
        """Return a schema within this one, or one that it names, that applies to the same value if it is chosen."""
        return SchemaPart(schema, (*self.pointer, *tokens), self.within, (*self.here, ""))

    def without(self, *keywords: str) -> SchemaPart:
        """Return the part without some of its keywords."""
        return self._replace(schema={key: one for key, one in self.schema.items() if key not in keywords})

    @property
    def name(self) -> str:
        """The first `$ref` from the value, or from the choice of a branch, to the schema; "" if there is none."""
        last = len(self.here) - self.here[::-1].index("") if "" in self.here else 0
        return self.here[last] if len(self.here) > last else ""


class Target(NamedTuple):
    """The reason for a value; if conditional, no value of another type will do: another branch may have one."""

    given: list[SchemaPart]
    parts: list[SchemaPart]
    level: int
    variant: int
    is_conditional: bool = False


def flatten(given: Iterable[SchemaPart], contract: Contract) -> list[SchemaPart]:
    """Return the schemas and their `allOf` as a flat list. Raises NoSample if a value would contain itself."""
    parts: list[SchemaPart] = []
    seen: set[str] = set()
    pending = [*given][::-1]
    while pending:
        part = pending.pop()
        ref = part.schema.get("$ref")
        if ref is None:
            parts.append(part)
            inner = [
                part._replace(schema=schema, pointer=(*part.pointer, "allOf", str(index)))
                for index, schema in enumerate(part.schema.get("allOf", ()))
            ]
            pending += inner[::-1]
        elif ref in part.within:
            raise NoSample("the schema requires infinite recursion")
        elif ref not in seen and ref not in part.here:
            seen.add(ref)
            pointer = parse_pointer(ref[1:])
            target = lookup(contract.document, pointer)
            pending.append(part._replace(schema=target, pointer=pointer, here=(*part.here, ref)))
    return parts


def types_of(schemas: list[Schema]) -> list[str]:
    """Return the types that all schemas allow, null last, or the one that keywords indicate. Raises NoSample."""
    written = [schema["type"] for schema in schemas if "type" in schema]
    if len(written) == 1 and isinstance(written[0], str):
        return written
    if not written:
        words = set().union(*schemas)
        indicated = (kind for kind, indicating in _KEYWORDS.items() if words.intersection(indicating))
        return [next(indicated, "string")]
    stated = [[one] if isinstance(one, str) else one for one in written]
    stated = [[*one, "integer"] if "number" in one and "integer" not in one else one for one in stated]
    common = [kind for kind in stated[0] if all(kind in others for others in stated)]
    if not common:
        raise NoSample("its types are contradictory")
    return sorted((kind for kind in common if kind != "integer" or "number" not in common), key="null".__eq__)


def highest(parts: list[SchemaPart], keyword: str) -> int:
    """Return the highest value of a lower limit such as `minItems`, 0 if there is none."""
    return max((part.schema.get(keyword, 0) for part in parts), default=0)


def lowest(parts: list[SchemaPart], keyword: str) -> int | None:
    """Return the lowest value of an upper limit such as `maxItems`, None if there is none."""
    return min((part.schema[keyword] for part in parts if keyword in part.schema), default=None)


def properties_of(parts: list[SchemaPart]) -> dict[str, list[SchemaPart]]:
    """Return the schemas of each property by its name."""
    found: dict[str, list[SchemaPart]] = {}
    for part in parts:
        for name, value in part.schema.get("properties", {}).items():
            found.setdefault(name, []).append(part.inner(value, "properties", name))
    return found


def schemas_at(parts: list[SchemaPart], keyword: str) -> list[SchemaPart]:
    """Return the schemas that are the value of a keyword."""
    having = [part for part in parts if isinstance(part.schema.get(keyword), dict)]
    return [part.inner(part.schema[keyword], keyword) for part in having]


def items_at(parts: list[SchemaPart], index: int) -> list[SchemaPart]:
    """Return the schemas of the item at a place of an array: of the prefix, else those of all others."""
    found: list[SchemaPart] = []
    for part in parts:
        prefix = part.schema.get("prefixItems", ())
        if index < len(prefix):
            found.append(part.inner(prefix[index], "prefixItems", str(index)))
        else:
            found += schemas_at([part], "items")
    return found or schemas_at(parts, "unevaluatedItems")


def is_hidden(parts: Iterable[SchemaPart], contract: Contract, direction: Direction) -> bool:
    """Return True if a property must not be sent in this direction."""
    return any(contract.is_marked(part.schema, MARKS[direction]) for part in parts)


def without_hidden(value: Any, given: Iterable[SchemaPart], contract: Contract, direction: Direction) -> Any:
    """Return an example without the properties hidden in this direction; a schema's example may serve both."""
    parts: list[SchemaPart] = []
    with suppress(NoSample):
        parts = flatten((SchemaPart(part.schema, part.pointer) for part in given), contract)
    if isinstance(value, dict):
        properties = properties_of(parts)
        return {
            name: without_hidden(item, properties.get(name, []), contract, direction)
            for name, item in value.items()
            if not is_hidden(properties.get(name, []), contract, direction)
        }
    if isinstance(value, list):
        return [
            without_hidden(item, items_at(parts, index), contract, direction)
            for index, item in enumerate(value)
        ]
    return value
