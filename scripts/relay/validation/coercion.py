"""Coerces text to the types that a schema allows; the validator reports text that is in no JSON spelling of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Literal

from relay.contract.json_text import json_bytes
from relay.contract.model import ABSENT, Contract, Schema
from relay.contract.schema_words import SAME_VALUE, applied_schemas

from .json_strict import CONVERTERS
from .patterns import pattern_properties
from .schemas import SchemaCompiler
from .violations import type_name

Shape = Literal["array", "object", "scalar"]
_COMPOSED: tuple[Shape, ...] = ("array", "object")

Coerce = Callable[[Any], Any]
"""Takes text, or lists and mappings of text."""

MAX_NESTING = 8
"""Maximum nesting of a value that is written as text."""

_INDEX = re.compile(r"(?:[0-9]{1,4})?", re.ASCII)


class Coercion:
    """Builds functions that convert text to the types of a schema; a schema that is referred to is built once."""

    def __init__(self, compiler: SchemaCompiler) -> None:
        self._contract = compiler.contract
        self._compiler = compiler
        self._known: dict[tuple[str, ...], Coerce] = compiler.memo
        self._pending: list[tuple[tuple[str, ...], Schema]] = []

    def of(self, schema: Schema) -> Coerce:
        """Return the conversion function for one schema."""
        found = self._part(schema)
        while self._pending:  # building a schema may add more
            key, target = self._pending.pop()
            self._known[key] = self._built(target)
        return found

    def scalar_of(self, schema: Schema) -> Coerce | None:
        """Return the conversion of a text to a scalar; None if the schema allows only scalars, or none."""
        types = types_of(schema, self._contract)
        scalars = types - {"array", "object", "null"}
        return self._scalar(schema, scalars) if scalars and types & {"array", "object"} else None

    def _part(self, schema: Schema) -> Coerce:
        """Return the function for a schema; one that may be recursive is found when it is called."""
        ref = schema.get("$ref")
        if ref is None and SAME_VALUE.isdisjoint(schema):
            return self._built(schema)
        key, known = ("coerce", ref or json_bytes(schema).decode()), self._known
        if key not in known:
            known[key] = _unchanged
            self._pending.append((key, self._contract.resolve(schema)))
        return lambda value: known[key](value)  # noqa: PLW0108 -- it is built later

    def _built(self, schema: Schema) -> Coerce:
        types = types_of(schema, self._contract)
        item = self._items(schema) if "array" in types else None
        properties = {name: self._part(part) for name, part in properties_of(schema, self._contract).items()}
        additional = additional_properties_of(schema, self._contract)
        other = self._part(additional) if additional else _unchanged
        matching = self._matching(schema)
        text = self._text(schema)

        def coerce(value: Any) -> Any:
            if isinstance(value, list):
                return item(value) if item else value
            if isinstance(value, dict):
                if item and not value.keys() & properties.keys() and (elements := elements_of(value)):
                    return item(elements)
                return {
                    name: (properties.get(name) or matching(name) or other)(part)
                    for name, part in value.items()
                }
            return text(value)

        return coerce

    def _items(self, schema: Schema) -> Callable[[list[Any]], list[Any]]:
        prefix = [self._part(part) for part in prefix_items_of(schema, self._contract)]
        item = self._part(items_of(schema, self._contract))

        def coerce(values: list[Any]) -> list[Any]:
            first = [one(value) for one, value in zip(prefix, values, strict=False)]
            return [*first, *(item(value) for value in values[len(first) :])]

        return coerce

    def _matching(self, schema: Schema) -> Callable[[str], Coerce | None]:
        patterns = [
            (self._compiler.verdict({"pattern": pattern}, "request"), self._part(part))
            for pattern, part in pattern_properties_of(schema, self._contract).items()
        ]
        return lambda name: next((coerce for accepts, coerce in patterns if accepts(name)), None)

    def _text(self, schema: Schema) -> Callable[[str], Any]:
        """Return the conversion of one text; for an array it is an element, which is serialised like a scalar."""
        levels = 0
        types = types_of(schema, self._contract)
        while "array" in types and "string" not in types:
            if levels == MAX_NESTING:
                return lambda text: [text]
            levels += 1
            schema = items_of(schema, self._contract)
            types = types_of(schema, self._contract)
        scalar = self._scalar(schema, types)

        def convert(text: str) -> Any:
            value = scalar(text)
            for _ in range(levels):
                value = [value]
            return value

        return convert if levels else scalar

    def _scalar(self, schema: Schema, types: frozenset[str]) -> Callable[[str], Any]:
        converters = [CONVERTERS[name] for name in CONVERTERS if name in types]
        if len(converters) <= 1:
            return converters[0] if converters else str
        accepts = self._compiler.verdict(schema, "request")
        takes_text = "string" in types

        def first_accepted(text: str) -> Any:
            values = [one for convert in converters if not isinstance(one := convert(text), str)]
            if (found := next(filter(accepts, values), ABSENT)) is not ABSENT:
                return found
            # What is wrong with a number is said of the number.
            return text if takes_text else next(iter(values), text)

        return first_accepted


def elements_of(value: dict[str, Any]) -> list[Any] | None:
    """Return the elements of an array that is written with a key for each: `[]`, or an index; None for names."""
    if not all(_INDEX.fullmatch(key) for key in value):
        return None
    indexed = sorted((key for key in value if key), key=int)
    last = value.get("", [])
    return [*map(value.__getitem__, indexed), *(last if isinstance(last, list) else [last])]


def types_of(schema: Schema, contract: Contract) -> frozenset[str]:
    """Return the JSON Schema names of all types that the schema may accept; where it has none, those that it implies."""
    return stated_types_of(schema, contract) or _implied(schema, contract)


def stated_types_of(schema: Schema, contract: Contract) -> frozenset[str]:
    """Return the types that the schema names or gives examples of; none where it only has keywords of a type."""
    types: set[str] = set()
    for part in parts_of(schema, contract):
        if "type" in part:
            types.update([part["type"]] if isinstance(part["type"], str) else part["type"])
        else:
            types.update(type_name(value) for value in part.get("enum", []))
        if part.get("nullable"):
            types.add("null")
    if not types and (default := contract.resolve(schema).get("default")) is not None:
        types = {"string", type_name(default)}
    return frozenset(types)


def _implied(schema: Schema, contract: Contract) -> frozenset[str]:
    of_objects = properties_of, pattern_properties_of, additional_properties_of
    kinds = {"object": of_objects, "array": (items_of, prefix_items_of)}
    implied = [kind for kind, found in kinds.items() if any(of(schema, contract) for of in found)]
    return frozenset([*implied, "string"] if implied else [])


def shapes_of(schema: Schema, contract: Contract) -> list[Shape]:
    """Return the shapes of values that the schema may accept, in the order in which they are tried."""
    types = types_of(schema, contract)
    shapes: list[Shape] = [shape for shape in _COMPOSED if shape in types]
    is_scalar = not shapes or types - {*shapes, "null"}
    return [*shapes, "scalar"] if is_scalar else shapes


def takes_any_key(schema: Schema, contract: Contract) -> bool:
    """Return True for an object whose keys are the client's; one with properties needs `additionalProperties`."""
    if pattern_properties_of(schema, contract):
        return True
    written = [*values_of(schema, contract, "additionalProperties")]
    return any(one is not False for one in written) if written else not properties_of(schema, contract)


def properties_of(schema: Schema, contract: Contract) -> dict[str, Schema]:
    """Return the properties of the schema and of all its alternatives."""
    return dict(chain.from_iterable(found.items() for found in values_of(schema, contract, "properties")))


def pattern_properties_of(schema: Schema, contract: Contract) -> dict[str, Schema]:
    """Return the properties that are described by a pattern, of the schema and of all its alternatives."""
    return dict(chain.from_iterable(pattern_properties(one).items() for one in parts_of(schema, contract)))


def prefix_items_of(schema: Schema, contract: Contract) -> list[Schema]:
    """Return the schemas of an array's first items; none if they are not described one by one."""
    return next(values_of(schema, contract, "prefixItems"), [])


def items_of(schema: Schema, contract: Contract) -> Schema:
    """Return the schema of an array's items; {} if there is none."""
    return next(values_of(schema, contract, "items"), {})


def additional_properties_of(schema: Schema, contract: Contract) -> Schema:
    """Return the schema of additional properties; {} if there is none."""
    found = values_of(schema, contract, "additionalProperties", "unevaluatedProperties")
    return next((one for one in found if isinstance(one, dict)), {})


def values_of(schema: Schema, contract: Contract, *words: str) -> Iterator[Any]:
    """Yield the values of keywords in a schema and in those within it that may describe the same value."""
    return (part[word] for part in parts_of(schema, contract) for word in words if word in part)


def parts_of(schema: Schema, contract: Contract, seen: tuple[str, ...] = ()) -> list[Schema]:
    """Return a schema and those within it that may describe the same value, with `$ref`s resolved."""
    if (ref := schema.get("$ref")) is not None:
        return [] if ref in seen else parts_of(contract.resolve(schema), contract, (*seen, ref))
    return [schema, *(inner for part in applied_schemas(schema) for inner in parts_of(part, contract, seen))]


def _unchanged(value: Any) -> Any:
    return value
