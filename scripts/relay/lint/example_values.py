"""Checks examples, defaults and enum members against their own schema."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, get_args

from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Schema
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_validated
from relay.validation.errors import ResponseViolation
from relay.validation.item_content import ListContent, content_at, has_items
from relay.validation.media_types import FRAMES, kind_of_items
from relay.validation.parameters import ReadText, body_reader, parameter_reader
from relay.validation.schemas import Direction, SchemaCompiler
from relay.validation.violations import Violation

from .lint_rules import Found, findings
from .schema_sites import Node, nodes

_RANGES = ("imum", "Length", "Items", "Properties", "Contains")
"""Keywords that have a lower and an upper limit, after `min` and `max`."""


def check_examples(contract: Contract) -> Iterable[Diagnostic]:
    """Return examples, defaults and enum members that violate their schema, empty ranges, and unknown formats."""
    return dict.fromkeys(findings(_checked, contract))  # several uses may share an example


def _checked(contract: Contract) -> Iterator[Found]:
    checker = _Checker(contract)
    for node in nodes(contract):
        if node.kind == "schema":
            yield from checker.check_schema(node)
        elif has_items(node.media_type or "", node.value, contract):
            yield from checker.check_items(node)
        elif node.media_type is None or _is_describable(node, contract):
            yield from checker.check_carrier(node)


def _is_describable(node: Node, contract: Contract) -> bool:
    kind = media.kind_of(node.media_type or "")
    return kind != media.OCTETS and is_validated(kind, node.value.get("schema", {}), contract)


def _directions(node: Node) -> tuple[Direction, ...]:
    return (node.direction,) if node.direction else get_args(Direction)


_Contents = list[ListContent | None]
"""The reader of a body of items, for each direction; None if it is not validated."""


def _violations_of_items(value: Any, contents: _Contents) -> list[Violation]:
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


def _has_another_text(example: Any, contents: _Contents) -> bool:
    if {"dataValue", "serializedValue"} <= example.keys():
        items, text = example["dataValue"], example["serializedValue"]
        for content in contents:
            with suppress(ResponseViolation):
                if content is not None:
                    return bool(content.of_example(text) != content.of_example(items))
    return False


class _Checker:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._compiler = SchemaCompiler(contract)
        # Those of numbers and `binary` do not restrict the characters of a string.
        self._known_formats = set("int32 int64 float double binary password".split())

    def check_carrier(self, node: Node) -> Iterator[Found]:
        """Check the examples of a parameter, header or media type."""
        schema = node.value.get("schema", {})
        for what, value, at in self._given(node, "value", "dataValue"):
            yield from self._value(what, value, schema, node, at)
        texts = {
            name: example
            for name, example in self._examples(node)
            if isinstance(example.get("serializedValue"), str)
        }
        if read := self._text_reader(node) if texts else None:
            for name, example in texts.items():
                yield from self._check_text(node, schema, read, name, example)

    def _text_reader(self, node: Node) -> ReadText | None:
        """Return what reads the texts of examples (OpenAPI 3.2, `serializedValue`); None if nothing does.

        That is so for the content of a parameter that is not a whole query, too.
        """
        contract, compiler = self._contract, self._compiler
        if node.kind == "parameter":
            return parameter_reader(contract.parameter(node.pointer), compiler)
        if not node.is_in_parameter:
            return body_reader(node.media_type or "", node.value, compiler)
        if node.used_at[-4:-3] != ("parameters",):
            return None
        parameter = contract.parameter(node.used_at[:-2])
        is_whole = parameter.location == "querystring"
        return parameter_reader(parameter, compiler) if is_whole else None

    def _check_text(
        self, node: Node, schema: Schema, read: ReadText, name: str, example: dict[str, Any]
    ) -> Iterator[Found]:
        """Check the text of an example: it has a valid value, which is the `dataValue` next to it if there is one."""
        what, at = f"serializedValue of example '{name}'", ("examples", name)
        try:
            value = read(example["serializedValue"])
        except ValueError as exc:
            message = f"the {what} cannot be read: {exc}; write it as it is sent"
            yield "invalid-example", (*node.pointer, *at), message
            return
        if value is ABSENT:
            message = (
                f"the {what} has no value of '{node.value['name']}'; write it as it is sent, with the name"
            )
            yield "invalid-example", (*node.pointer, *at), message
        elif "dataValue" not in example:
            yield from self._value(what, value, schema, node, at)
        elif example["dataValue"] != value:
            yield self._another(name, node)

    def _examples(self, node: Node) -> Iterator[tuple[str, Any]]:
        for name, example in (node.value.get("examples") or {}).items():
            yield name, self._contract.resolve(example)

    def check_items(self, node: Node) -> Iterator[Found]:
        """Check the examples of a body of items: lists of them, and the text of one unless that is multipart."""
        contents = [content_at(node.used_at, direction, self._compiler) for direction in _directions(node)]
        kind = kind_of_items(node.media_type or "")
        for what, value, at in self._given(node, "value", "dataValue", "serializedValue"):
            if not (kind == "parts" and isinstance(value, str)):
                yield from self._wrong(what, _violations_of_items(value, contents), node, at)
        for name, example in self._examples(node):
            if kind in FRAMES and _has_another_text(example, contents):
                yield self._another(name, node)

    def _another(self, name: str, node: Node) -> Found:
        message = f"the serializedValue of example '{name}' does not stand for its dataValue; fix one of them"
        return "invalid-example", (*node.pointer, "examples", name), message

    def _given(self, node: Node, *keywords: str) -> Iterator[tuple[str, Any, Pointer]]:
        """Yield what each example is called in messages, its value, and its place in the node."""
        if "example" in node.value:
            yield "example", node.value["example"], ("example",)
        for name, example in self._examples(node):
            for keyword in keywords:
                if keyword in example:
                    yield f"example '{name}'", example[keyword], ("examples", name)

    def check_schema(self, node: Node) -> Iterator[Found]:
        """Check a schema's own examples, default and enum."""
        schema = dict(node.value)
        for keyword in ("example", "default"):
            if keyword in schema:
                yield from self._value(keyword, schema[keyword], schema, node, (keyword,))
        listed = schema.get("examples")
        for index, value in enumerate(listed if isinstance(listed, list) else ()):
            yield from self._value("example", value, schema, node, ("examples", str(index)))
        rest = {key: value for key, value in schema.items() if key != "enum"}
        for index, member in enumerate(schema.get("enum", [])):
            if self._violations(member, rest, node):
                message = f"member {index + 1} of the enum violates the rest of its schema; fix one of them"
                pointer = (*node.pointer, "enum", str(index))
                yield "impossible-enum", pointer, message
        yield from self._ranges(schema, node)
        yield from self._format(schema.get("format"), node)

    def _value(self, what: str, value: Any, schema: Schema, node: Node, within: Pointer) -> Iterator[Found]:
        return self._wrong(what, self._violations(value, schema, node), node, within)

    def _wrong(self, what: str, violations: list[Violation], node: Node, within: Pointer) -> Iterator[Found]:
        if violations:
            first = violations[0]
            where = f" at {first.path}" if first.path else ""
            rule = "invalid-default" if what == "default" else "invalid-example"
            message = f"the {what} violates its schema{where}: {first.message}; fix one of them"
            yield rule, (*node.pointer, *within), message

    def _violations(self, value: Any, schema: Schema, node: Node) -> list[Violation]:
        """Return the violations of a value; [] if it is valid in at least one direction of the node."""
        found: list[Violation] = []
        for direction in _directions(node):
            validator = self._compiler.compile(schema, direction, node.pointer)
            if validator is None or validator.accepts(value):
                return []
            found = validator.violations(value)
        return found

    def _ranges(self, schema: Schema, node: Node) -> Iterator[Found]:
        for least, most in ((f"min{name}", f"max{name}") for name in _RANGES):
            if schema.get(least, -math.inf) > schema.get(most, math.inf):
                message = f"{least} is greater than {most}, so no value is valid; fix one of them"
                yield "impossible-range", (*node.pointer, least), message

    def _format(self, name: str | None, node: Node) -> Iterator[Found]:
        if name is None or name in self._known_formats or node.value.get("type") != "string":
            return
        self._known_formats.add(name)
        validator = self._compiler.compile({"type": "string", "format": name}, "request", node.pointer)
        if validator is not None and validator.accepts("\0 [no("):
            message = f"the format '{name}' is not validated; add a pattern"
            yield "unchecked-format", (*node.pointer, "format"), message
