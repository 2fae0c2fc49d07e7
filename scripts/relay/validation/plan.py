"""Splits schemas into the parts that can be refused, so that each can be asked on its own.

The input is JSON Schema draft 4 or 2020-12 as `translation.py` writes it. All parts are compiled as properties of one
validator: it compiles a schema that many parts refer to only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

from relay.contract.model import Schema
from relay.contract.schema_words import CHOICES, SCHEMA_WORDS

from .nodes import Check, Choice, Condition, Items, Node
from .reasons import explain
from .validators import Accepts, Compile, Validator, compile_together, pointer_of, quoted
from .violations import NO_TIME_ZONE, Violation, describe, type_name

HIDDEN: Schema = {"not": {"description": "hidden"}}
"""The schema of a property that is forbidden in a direction; it rejects every value."""

_CHECKS = (
    "type enum multipleOf maxLength minLength pattern format maxItems minItems uniqueItems maxProperties minProperties"
).split()
EXCLUSIVE = {"maximum": "exclusiveMaximum", "minimum": "exclusiveMinimum"}
"""Each bound, and the keyword of draft 4 that excludes the bound itself."""

_INNER = ("not", "propertyNames", "contains")
_COMPOUND = frozenset(["$ref", *SCHEMA_WORDS])
_NUMBERS = frozenset(["integer", "number"])
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")


class Explainer:
    """Explains the values that the schemas of one direction reject; plans are made for the first one.

    `hidden` is the rule and the message of a property that is forbidden.
    """

    def __init__(
        self,
        definitions: Callable[[set[str]], Mapping[str, Schema]],
        compile_: Compile,
        hidden: tuple[str, str],
    ) -> None:
        self._definitions, self._compile, self._hidden = definitions, compile_, hidden
        self._new: WeakValueDictionary[str, Validator] = WeakValueDictionary()
        self._nodes: dict[str, Node] = {}
        self._numbers = count()

    def add(self, validator: Validator) -> Callable[[Any], list[Violation]]:
        """Return the function that explains a value which a validator rejects."""
        name = f"root {next(self._numbers)}"
        self._new[name] = validator

        def explained(value: Any) -> list[Violation]:
            if name not in self._nodes:
                self.prepare()
            return explain(self._nodes[name], value)

        return explained

    def prepare(self) -> None:
        """Make the plan of the schemas added so far, for which the first rejected value would wait."""
        if used := dict(self._new):
            roots = {root: validator.schema for root, validator in used.items()}
            definitions = self._definitions({ref for validator in used.values() for ref in validator.refs})
            nodes = _Planner({**definitions, **roots}, self._hidden).nodes(self._compile)
            self._nodes |= {name: nodes[pointer_of(name)] for name in roots}
            self._new.clear()


class _Planner:
    """Makes the nodes of schemas, however deeply they nest; equal parts are compiled once."""

    def __init__(self, schemas: Mapping[str, Schema], hidden: tuple[str, str]) -> None:
        self._schemas = schemas
        self._hidden = hidden
        self._parts: dict[str, Schema] = {}
        self._verdicts: dict[str, Accepts] = {}
        self._nodes: dict[str, Node] = {}
        self._pending: list[tuple[Node, Schema, str]] = []
        by_pointer = {pointer_of(name): schema for name, schema in schemas.items()}
        self._targets = {pointer: self._node(schema, pointer) for pointer, schema in by_pointer.items()}

    def nodes(self, compile_: Compile) -> dict[str, Node]:
        while self._pending:
            self._fill(*self._pending.pop())
        self._is_valid = compile_together(self._parts, self._schemas, compile_)
        self._parts, self._verdicts = {}, {}
        return self._targets

    def _verdict(self, schema: Schema) -> Accepts:
        """Return the verdict of a schema, which can be asked for after all are compiled."""
        content = repr(schema)
        if content not in self._verdicts:
            key = str(len(self._parts))
            self._parts[key] = schema
            self._verdicts[content] = lambda value: self._is_valid({key: value})
        return self._verdicts[content]

    def _node(self, schema: Schema, pointer: str) -> Node:
        """Return the node of a schema, which is filled later; equal simple schemas share it."""
        key = repr(schema) if _COMPOUND.isdisjoint(schema) else pointer
        if key not in self._nodes:
            node = self._nodes[key] = Node(self._verdict(_reference(schema, pointer)))
            self._pending.append((node, schema, pointer))
        return self._nodes[key]

    def _child(self, schema: Schema, pointer: str) -> Node:
        return self._targets[schema["$ref"]] if "$ref" in schema else self._node(schema, pointer)

    def _fill(self, node: Node, schema: Schema, pointer: str) -> None:
        if "$ref" in schema:
            node.parts.append(self._targets[schema["$ref"]])
            return
        if schema == HIDDEN:
            node.checks.append(Check(node.accepts, *self._hidden))
            return
        if "explained" in schema:
            rule, limit = schema["explained"]
            node.checks.append(Check(node.accepts, rule, describe(rule, limit)))
            return
        node.checks += self._checks(schema, pointer)
        node.required = schema.get("required", [])
        node.dependent = schema.get("dependentRequired", {})
        self._fill_properties(node, schema, pointer)
        node.prefix = self._branches(schema, "prefixItems", pointer)
        if items := schema.get("items"):
            accept = self._verdict({"items": _reference(items, f"{pointer}/items")})
            node.items = Items(self._child(items, f"{pointer}/items"), accept)
        node.conditions = [*self._conditions(schema, pointer)]
        node.evaluates = next((word for word in _UNEVALUATED if word in schema), "")
        node.parts += self._branches(schema, "allOf", pointer)
        node.choices = [*self._choices(schema, pointer)]
        if "type" in schema:
            stated = schema["type"]
            types = frozenset([stated] if isinstance(stated, str) else stated)
            node.types = types | {"integer"} if "number" in types else types
        if "enum" in schema:
            names = {*map(type_name, schema["enum"])}
            node.member_types = frozenset(names if names.isdisjoint(_NUMBERS) else names | _NUMBERS)
        if all(isinstance(value, str) for value in schema.get("enum", [None])):
            node.tags = frozenset(schema["enum"])

    def _fill_properties(self, node: Node, schema: Schema, pointer: str) -> None:
        node.properties = {
            name: self._child(part, f"{pointer}/properties/{quoted(name)}")
            for name, part in schema.get("properties", {}).items()
        }
        node.patterns = [
            (
                self._verdict({"pattern": pattern}),
                self._child(part, f"{pointer}/patternProperties/{quoted(pattern)}"),
            )
            for pattern, part in schema.get("patternProperties", {}).items()
        ]
        additional = schema.get("additionalProperties", True)
        node.is_closed = additional is False
        if isinstance(additional, dict) and additional:
            node.additional = self._child(additional, f"{pointer}/additionalProperties")

    def _checks(self, schema: Schema, pointer: str) -> Iterator[Check]:
        for rule in _CHECKS:
            if rule in schema:
                limit = schema[rule]
                shown = schema.get("written", limit) if rule == "pattern" else limit
                end = NO_TIME_ZONE if (rule, limit) == ("format", "date-time") else None
                yield Check(self._verdict({rule: limit}), rule, describe(rule, shown), end)
        for bound, exclusive in EXCLUSIVE.items():
            if bounds := {key: schema[key] for key in (bound, exclusive) if key in schema}:
                rule = bound if bound in schema and schema.get(exclusive) is not True else exclusive
                yield Check(self._verdict(bounds), rule, describe(rule, next(iter(bounds.values()))))
        for rule in filter(schema.__contains__, _INNER):  # what a schema in them rejects is not explained
            words = ("minContains", "maxContains") if rule == "contains" else ()
            counts = {word: schema[word] for word in words if word in schema}
            fragment: Schema = {rule: _reference(schema[rule], f"{pointer}/{rule}"), **counts}
            sentence = describe("nothing" if rule == "not" and not schema[rule] else rule, counts)
            yield Check(self._verdict(fragment), rule, sentence)

    def _conditions(self, schema: Schema, pointer: str) -> Iterator[Condition]:
        if "if" in schema:
            condition = self._verdict(_reference(schema["if"], f"{pointer}/if"))
            for word in ("then", "else"):
                if word in schema:
                    node = self._child(schema[word], f"{pointer}/{word}")
                    yield Condition(condition, node, is_negated=word == "else")
        for name, part in schema.get("dependentSchemas", {}).items():
            has_property = self._verdict({"type": "object", "required": [name]})
            node = self._child(part, f"{pointer}/dependentSchemas/{quoted(name)}")
            yield Condition(has_property, node)

    def _branches(self, schema: Schema, keyword: str, pointer: str) -> list[Node]:
        return [
            self._child(part, f"{pointer}/{keyword}/{index}")
            for index, part in enumerate(schema.get(keyword, []))
        ]

    def _choices(self, schema: Schema, pointer: str) -> Iterator[Choice]:
        if "discriminator" in schema:
            yield self._discriminated(schema, pointer)
            return
        name, targets, tagged, other = schema.get("tagged", ("", [], "", None))
        mapping = {tag: self._targets[ref] for tag, ref in targets}
        default = self._targets[other] if other is not None else None
        for rule in CHOICES:
            if rule in schema:
                short = [
                    _reference(part, f"{pointer}/{rule}/{index}") for index, part in enumerate(schema[rule])
                ]
                is_all = schema.keys() - {"tagged"} == {rule}  # then the verdict of the node is known
                accepts = self._verdict(_reference(schema, pointer) if is_all else {rule: short})
                branches = self._branches(schema, rule, pointer)
                named = (name, mapping, default) if rule == tagged else ("", {}, None)
                yield Choice(accepts, rule, branches, *named)

    def _discriminated(self, schema: Schema, pointer: str) -> Choice:
        """Return a choice between the branches of its last alternative, which decide without a discriminator."""
        name, targets, rule = schema["discriminator"]
        last = len(schema["anyOf"]) - 1
        branches = self._branches(schema["anyOf"][last]["allOf"][1], rule, f"{pointer}/anyOf/{last}/allOf/1")
        mapping = {tag: self._targets[ref] for tag, ref in targets}
        return Choice(self._verdict(_reference(schema, pointer)), rule, branches, name, mapping)


def _reference(schema: Schema, pointer: str) -> Schema:
    """Return a short schema equivalent to the one at a pointer."""
    return schema if "$ref" in schema or _COMPOUND.isdisjoint(schema) else {"$ref": pointer}
