"""Checks examples, defaults and enum members against their own schema."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, get_args

from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Schema
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_validated
from relay.validation.errors import ResponseViolation
from relay.validation.item_compiling import content_at, has_items
from relay.validation.items import ItemContent
from relay.validation.media_types import FRAMES, kind_of_items
from relay.validation.part_content import PartContent
from relay.validation.query_strings import ReadText
from relay.validation.schemas import Direction, SchemaCompiler
from relay.validation.violations import Violation

from .lint_rules import finding
from .schema_sites import Node, nodes
from .serialized_examples import text_reader

_RANGES = [
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
]
_UNCHECKED_FORMATS = frozenset(
    "int32 int64 float double binary password".split()
)  # they do not restrict the characters of a string


def check_examples(contract: Contract) -> Iterator[Diagnostic]:
    """Yield examples, defaults and enum members that violate their schema, empty ranges, and unknown formats."""
    # Each once: a media type of components may be used for several.
    yield from dict.fromkeys(_checked(contract))


def _checked(contract: Contract) -> Iterator[Diagnostic]:
    checker = _Checker(contract)
    for node in nodes(contract):
        if node.kind == "schema":
            yield from checker.check_schema(node)
        elif has_items(node.media_type or "", node.value, contract):
            yield from checker.check_items(node)
        elif node.media_type is None or _is_describable(node, contract):
            yield from checker.check_carrier(node)


def _is_describable(node: Node, contract: Contract) -> bool:
    """Return True if an example of a media type is the value that its schema describes."""
    kind = media.kind_of(node.media_type or "")
    return kind != media.OCTETS and is_validated(kind, node.value.get("schema", {}), contract)


def _directions(node: Node) -> tuple[Direction, ...]:
    return (node.direction,) if node.direction else get_args(Direction)


def _violations_of_items(value: Any, contents: list[ItemContent | PartContent | None]) -> list[Violation]:
    """Return the violations of an example of a body of items; [] if it is valid in at least one direction."""
    found: list[Violation] = []
    for content in contents:
        if content is None:
            return []
        try:
            content.of_example(value)
        except ResponseViolation as violation:
            found = violation.violations
        else:
            return []
    return found


def _has_another_text(example: Any, contents: list[ItemContent | PartContent | None]) -> bool:
    """Return True if an example has items, and a text with other ones."""
    if not {"dataValue", "serializedValue"} <= example.keys():
        return False
    for content in contents:
        with suppress(ResponseViolation):
            if content is not None:
                return content.of_example(example["serializedValue"]) != content.of_example(
                    example["dataValue"]
                )
    return False


class _Checker:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._compiler = SchemaCompiler(contract)
        self._checked_formats: set[str] = set()

    def check_carrier(self, node: Node) -> Iterator[Diagnostic]:
        """Check the examples of a parameter, header or media type."""
        schema = node.value.get("schema", {})
        for what, value, at in self._given(node, "value", "dataValue"):
            yield from self._value(what, value, schema, node, at)
        if read := text_reader(node, self._contract, self._compiler) if self._has_texts(node) else None:
            yield from self._check_texts(node, schema, read)

    def _has_texts(self, node: Node) -> bool:
        return any("serializedValue" in example for _, example in self._examples(node))

    def _check_texts(self, node: Node, schema: Schema, read: ReadText) -> Iterator[Diagnostic]:
        """Check the texts of examples: each has a valid value, which is the `dataValue` next to it if there is one."""
        for name, example in self._examples(node):
            what, at = f"serializedValue of example '{name}'", ("examples", name)
            if not isinstance(text := example.get("serializedValue"), str):
                continue
            try:
                value = read(text)
            except ValueError as exc:
                message = f"the {what} cannot be read: {exc}; write it as it is sent"
                yield finding(self._contract, "invalid-example", (*node.pointer, *at), message)
                continue
            if value is ABSENT:
                message = f"the {what} has no value of '{node.value['name']}'; write it as it is sent, with the name"
                yield finding(self._contract, "invalid-example", (*node.pointer, *at), message)
            elif "dataValue" not in example:
                yield from self._value(what, value, schema, node, at)
            elif example["dataValue"] != value:
                yield self._another(name, node)

    def _examples(self, node: Node) -> Iterator[tuple[str, Any]]:
        for name, example in (node.value.get("examples") or {}).items():
            yield name, self._contract.resolve(example)

    def check_items(self, node: Node) -> Iterator[Diagnostic]:
        """Check the examples of a body of items: lists of them, and the text of one unless that is multipart."""
        contents = [
            content_at(node.used_at, direction, self._contract, self._compiler)
            for direction in _directions(node)
        ]
        kind = kind_of_items(node.media_type or "")
        for what, value, at in self._given(node, "value", "dataValue", "serializedValue"):
            if not (kind == "parts" and isinstance(value, str)):
                yield from self._wrong(what, _violations_of_items(value, contents), node, at)
        for name, example in self._examples(node):
            if kind in FRAMES and _has_another_text(example, contents):
                yield self._another(name, node)

    def _another(self, name: str, node: Node) -> Diagnostic:
        message = f"the serializedValue of example '{name}' does not stand for its dataValue; fix one of them"
        return finding(self._contract, "invalid-example", (*node.pointer, "examples", name), message)

    def _given(self, node: Node, *keywords: str) -> Iterator[tuple[str, Any, Pointer]]:
        """Yield what each example is called in messages, its value, and its place in the node."""
        if "example" in node.value:
            yield "example", node.value["example"], ("example",)
        for name, example in self._examples(node):
            for keyword in keywords:
                if keyword in example:
                    yield f"example '{name}'", example[keyword], ("examples", name)

    def check_schema(self, node: Node) -> Iterator[Diagnostic]:
        """Check a schema's own examples, default and enum."""
        schema = dict(node.value)
        for keyword in ("example", "default"):
            if keyword in schema:
                yield from self._value(keyword, schema[keyword], schema, node, (keyword,))
        listed = schema.get("examples")
        for index, value in enumerate(listed if isinstance(listed, list) else ()):
            yield from self._value("example", value, schema, node, ("examples", str(index)))
        rest = {key: value for key, value in schema.items() if key != "enum"}
        accepts = self._judge(rest, node) if "enum" in schema else None
        for index, member in enumerate(schema.get("enum", [])):
            if accepts and not accepts(member):
                message = f"member {index + 1} of the enum violates the rest of its schema; fix one of them"
                pointer = (*node.pointer, "enum", str(index))
                yield finding(self._contract, "impossible-enum", pointer, message)
        yield from self._ranges(schema, node)
        yield from self._format(schema.get("format"), node)

    def _value(
        self, what: str, value: Any, schema: Schema, node: Node, within: Pointer
    ) -> Iterator[Diagnostic]:
        return self._wrong(what, self._violations(value, schema, node), node, within)

    def _wrong(
        self, what: str, violations: list[Violation], node: Node, within: Pointer
    ) -> Iterator[Diagnostic]:
        if violations:
            first = violations[0]
            where = f" at {first.path}" if first.path else ""
            rule = "invalid-default" if what == "default" else "invalid-example"
            message = f"the {what} violates its schema{where}: {first.message}; fix one of them"
            yield finding(self._contract, rule, (*node.pointer, *within), message)

    def _judge(self, schema: Schema, node: Node) -> Callable[[Any], bool]:
        """Return a function that returns True if a value is valid in at least one direction of the node."""
        validators = [
            self._compiler.compile(schema, direction, node.pointer) for direction in _directions(node)
        ]
        return lambda value: any(validator is None or validator.accepts(value) for validator in validators)

    def _violations(self, value: Any, schema: Schema, node: Node) -> list[Violation]:
        """Return the violations of a value; [] if it is valid in at least one direction of the node."""
        found: list[Violation] = []
        for direction in _directions(node):
            validator = self._compiler.compile(schema, direction, node.pointer)
            if validator is None or validator.accepts(value):
                return []
            found = validator.violations(value)
        return found

    def _ranges(self, schema: Schema, node: Node) -> Iterator[Diagnostic]:
        for least, most in _RANGES:
            if schema.get(least, -math.inf) > schema.get(most, math.inf):
                message = f"{least} is greater than {most}, so no value is valid; fix one of them"
                yield finding(self._contract, "impossible-range", (*node.pointer, least), message)

    def _format(self, name: str | None, node: Node) -> Iterator[Diagnostic]:
        if (
            name is None
            or name in self._checked_formats
            or name in _UNCHECKED_FORMATS
            or node.value.get("type") != "string"
        ):
            return
        self._checked_formats.add(name)
        validator = self._compiler.compile({"type": "string", "format": name}, "request", node.pointer)
        if validator is not None and validator.accepts("\0 [no("):
            message = f"the format '{name}' is not validated; add a pattern"
            yield finding(self._contract, "unchecked-format", (*node.pointer, "format"), message)
