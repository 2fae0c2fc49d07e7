"""Compiles how single parts of multipart bodies are read, from the schema of a value and its Encoding Object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from . import media_types as media
from .binary_schemas import Sizes, is_binary, is_file
from .coercion import Coerce, Coercion, items_of, types_of
from .encoding_objects import content_types, is_contradictory, is_nested, warn_ignored
from .forms import decoded
from .json_strict import parse_json
from .part_fields import Field, Nested
from .part_rules import PartRules
from .schemas import SchemaCompiler
from .shapes import Shape


class NestedMaker(Protocol):
    """Compiles how a part with a media type of multipart, or of a form, is read."""

    def __call__(self, media_type: str, schema: Schema, pointer: Pointer) -> Nested | None:
        """Return it for the Encoding Object at a pointer; None, with a problem, if it cannot be read so."""


class FieldMaker:
    """Compiles fields."""

    def __init__(self, contract: Contract, compiler: SchemaCompiler, nested: NestedMaker) -> None:
        self._contract = contract
        self._compiler = compiler
        self._nested = nested
        self._coercion = Coercion(contract, compiler)
        self._refuses_nul = compiler.strictness.nul

    def field(
        self, schema: Schema, encoding: Mapping[str, Any], pointer: Pointer, *, is_declared: bool = True
    ) -> Field:
        """Return how parts are read; those of a form without a property of their name have no schema of their own.

        The values of an array are parts of the same name.
        """
        is_list = "array" in types_of(schema, self._contract)
        element = items_of(schema, self._contract) if is_list else schema
        if is_list and self._is_one_part(schema, element, encoding):
            is_list, element = False, schema
        return self._field(element, encoding, pointer, is_list=is_list, is_declared=is_declared)

    def part(self, schema: Schema, encoding: Mapping[str, Any], pointer: Pointer) -> Field:
        """Return how one part without a name is read; an array is JSON as an object is (OpenAPI 3.2).

        A part that its media type and its schema describe differently is a problem.
        """
        if is_contradictory(schema, encoding, self._contract):
            types = " or ".join(sorted(types_of(schema, self._contract)))
            listed = ", ".join(content_types(encoding))
            message = f"a part of {listed} cannot be read as {types}; write `type: string`, or no type"
            self._compiler.problems.append(self._contract.problem(pointer, message, "unreadable-part"))
        return self._field(schema, encoding, pointer, has_name=False)

    def _field(
        self,
        element: Schema,
        encoding: Mapping[str, Any],
        pointer: Pointer,
        *,
        is_list: bool = False,
        is_declared: bool = True,
        has_name: bool = True,
    ) -> Field:
        types = types_of(element, self._contract)
        rules = PartRules.of(encoding, pointer, self._contract, self._compiler)
        ranges = rules.ranges
        is_json = any(map(media.is_json, ranges))
        has_bytes = is_binary(element, self._contract)
        has_bytes = has_bytes or (is_declared and is_file(element, self._contract, ranges))
        nested = self._nested_in(element, encoding, pointer)
        is_composed = "object" in types or (not has_name and "array" in types)
        return Field(
            is_list=is_list,
            is_json=is_json,
            is_composed=is_composed,
            is_binary=has_bytes and not is_json and nested is None,
            is_open=not types and not is_json and nested is None,
            text=self._reader(
                self._coercion.of(element),
                is_json=is_json or is_composed,
                may_be_text=not (has_name or all(map(media.is_json, ranges))),
            ),
            rules=rules,
            element=self._contract.resolve(element),
            sizes=Sizes.of(element, self._contract),
            shape=Shape(element, self._contract),
            nested=nested,
        )

    def _is_one_part(self, schema: Schema, element: Schema, encoding: Mapping[str, Any]) -> bool:
        """Return True for an array whose values are the parts within one part; else each value is a part."""
        whole, each = (is_nested(one, encoding, self._contract) for one in (schema, element))
        return whole and not each

    def _nested_in(self, element: Schema, encoding: Mapping[str, Any], pointer: Pointer) -> Nested | None:
        is_part_of_parts = is_nested(element, encoding, self._contract)
        media_type = content_types(encoding)[0] if is_part_of_parts else ""
        warn_ignored(encoding, media_type, pointer, self._contract, self._compiler)
        return self._nested(media_type, element, pointer) if is_part_of_parts else None

    def _reader(self, coerce: Coerce, *, is_json: bool, may_be_text: bool) -> Callable[[bytes, str], Any]:
        """Return the reader of a content; what may be JSON or text is what the part declares."""
        refuses_nul = self._refuses_nul

        def json(content: bytes, _declared: str) -> Any:
            return parse_json(content, refuses_nul=refuses_nul)

        def text(content: bytes, _declared: str) -> Any:
            return coerce(decoded(content, refuses_nul=refuses_nul))

        def declared(content: bytes, media_type: str) -> Any:
            return (json if media.is_json(media_type) else text)(content, media_type)

        if not is_json:
            return text
        return declared if may_be_text else json
