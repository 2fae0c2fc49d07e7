"""Splits schemas into the parts that can be refused, so that each can be asked on its own.

The input is JSON Schema draft 4 or 2020-12 as `translation.py` writes it. All parts are compiled as properties of one
validator: it compiles a schema that many parts refer to only once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relay.contract.model import Schema
from relay.contract.schema_words import CHOICES, SCHEMA_WORDS

from .nodes import Check, Choice, Condition, Items, Node
from .validators import Accepts, Compiled, compile_together, pointer_of, quoted
from .violations import NO_TIME_ZONE, describe

HIDDEN: Schema = {"not": {"description": "hidden"}}
"""The schema of a property that is forbidden in a direction; it rejects every value."""

_CHECKS = (
    "type enum multipleOf maxLength minLength pattern format maxItems minItems uniqueItems maxProperties minProperties"
).split()
EXCLUSIVE = {"maximum": "exclusiveMaximum", "minimum": "exclusiveMinimum"}
"""Each bound, and the keyword of draft 4 that excludes the bound itself."""

_COMPOUND = frozenset(["$ref", *SCHEMA_WORDS])
_ABOUT_OTHERS = ("propertyNames",)
"""Keywords that are asked as a whole; what they reject is not explained further."""


_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")


class _Fragments:
    """Schemas compiled as the properties of one validator; equal ones once."""

    def __init__(self) -> None:
        self._schemas: dict[str, Schema] = {}
        self._verdicts: dict[str, Accepts] = {}

    def add(self, schema: Schema) -> Accepts:
        """Return the verdict of a schema, which can be asked for after `compile`."""
        content = repr(schema)
        if content not in self._verdicts:
            key = str(len(self._schemas))
            self._schemas[key] = schema
            self._verdicts[content] = lambda value: self.is_valid({key: value})
        return self._verdicts[content]

    def compile(self, definitions: Mapping[str, Schema], compiled: Compiled) -> None:
        """Compile the schemas, which may refer to `definitions`."""
        self.is_valid = compile_together(self._schemas, definitions, compiled)
        self._schemas, self._verdicts = {}, {}


def plan(
    roots: Mapping[str, Schema],
    definitions: Mapping[str, Schema],
    compiled: Compiled,
    hidden: tuple[str, str],
) -> dict[str, Node]:
    """Return the nodes of `roots`, which may refer to `definitions`.

    `compiled` compiles a document; `hidden` is the rule and the message of a property that is forbidden.
    """
    fragments = _Fragments()
    schemas = {**definitions, **roots}
    nodes = _Planner(schemas, fragments, hidden).nodes()
    fragments.compile(schemas, compiled)
    return {name: nodes[pointer_of(name)] for name in roots}


class _Planner:
    """Makes the nodes of schemas, with a list of what is to be done: schemas may nest deeply."""

    def __init__(self, schemas: Mapping[str, Schema], fragments: _Fragments, hidden: tuple[str, str]) -> None:
        self._fragments = fragments
        self._hidden = hidden
        self._nodes: dict[str, Node] = {}
        self._pending: list[tuple[Node, Schema, str]] = []
        by_pointer = {pointer_of(name): schema for name, schema in schemas.items()}
        self._targets = {pointer: self._node(schema, pointer) for pointer, schema in by_pointer.items()}

    def nodes(self) -> dict[str, Node]:
        """Return the nodes of the schemas by pointer."""
        while self._pending:
            self._fill(*self._pending.pop())
        return self._targets

    def _node(self, schema: Schema, pointer: str) -> Node:
        """Return the node of a schema, which is filled later; equal simple schemas share it."""
        key = repr(schema) if _is_simple(schema) else pointer
        if key not in self._nodes:
            node = self._nodes[key] = Node(self._fragments.add(_reference(schema, pointer)))
            self._pending.append((node, schema, pointer))
        return self._nodes[key]

    def _child(self, schema: Schema, pointer: str) -> Node:
        """Return the node of a schema within another one."""
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
        if schema.get("items"):
            node.items = self._items(schema["items"], f"{pointer}/items")
        node.conditions = [*self._conditions(schema, pointer)]
        node.evaluates = next((word for word in _UNEVALUATED if word in schema), "")
        node.parts += self._branches(schema, "allOf", pointer)
        node.choices = [*self._choices(schema, pointer)]
        if "type" in schema:
            node.types = _types(schema["type"])
        if "enum" in schema:
            node.member_types = frozenset(
                name for value in schema["enum"] for name in _TYPE_NAMES.get(type(value), ("null",))
            )
        if all(isinstance(value, str) for value in schema.get("enum", [None])):
            node.tags = frozenset(schema["enum"])

    def _items(self, schema: Schema, pointer: str) -> Items:
        accept = self._fragments.add({"items": _reference(schema, pointer)})
        return Items(self._child(schema, pointer), accept)

    def _fill_properties(self, node: Node, schema: Schema, pointer: str) -> None:
        node.properties = {
            name: self._child(part, f"{pointer}/properties/{quoted(name)}")
            for name, part in schema.get("properties", {}).items()
        }
        node.patterns = [
            (
                self._fragments.add({"pattern": pattern}),
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
                yield Check(self._fragments.add({rule: limit}), rule, describe(rule, shown), end)
        for bound, exclusive in EXCLUSIVE.items():
            if bound in schema:
                rule = exclusive if schema.get(exclusive) is True else bound
                fragment = {key: schema[key] for key in (bound, exclusive) if key in schema}
                yield Check(self._fragments.add(fragment), rule, describe(rule, schema[bound]))
            elif exclusive in schema:
                limit = schema[exclusive]
                yield Check(self._fragments.add({exclusive: limit}), exclusive, describe(exclusive, limit))
        if "not" in schema:
            forbidden = _reference(schema["not"], f"{pointer}/not")
            sentence = describe("not" if schema["not"] else "nothing")
            yield Check(self._fragments.add({"not": forbidden}), "not", sentence)
        yield from self._whole_checks(schema, pointer)

    def _whole_checks(self, schema: Schema, pointer: str) -> Iterator[Check]:
        """Yield the checks of keywords that are asked about as a whole."""
        for rule in _ABOUT_OTHERS:
            if rule in schema:
                value = schema[rule]
                whole = _reference(value, f"{pointer}/{rule}") if rule in SCHEMA_WORDS else value
                yield Check(self._fragments.add({rule: whole}), rule, describe(rule))
        if "contains" in schema:
            counts: Schema = {key: schema[key] for key in ("minContains", "maxContains") if key in schema}
            fragment: Schema = {"contains": _reference(schema["contains"], f"{pointer}/contains"), **counts}
            yield Check(self._fragments.add(fragment), "contains", describe("contains", counts))

    def _conditions(self, schema: Schema, pointer: str) -> Iterator[Condition]:
        if "if" in schema:
            condition = self._fragments.add(_reference(schema["if"], f"{pointer}/if"))
            for word in ("then", "else"):
                if word in schema:
                    node = self._child(schema[word], f"{pointer}/{word}")
                    yield Condition(condition, node, is_negated=word == "else")
        for name, part in schema.get("dependentSchemas", {}).items():
            has_property = self._fragments.add({"type": "object", "required": [name]})
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
                accepts = self._fragments.add(_reference(schema, pointer) if is_all else {rule: short})
                branches = self._branches(schema, rule, pointer)
                named = (name, mapping, default) if rule == tagged else ("", {}, None)
                yield Choice(accepts, rule, branches, *named)

    def _discriminated(self, schema: Schema, pointer: str) -> Choice:
        """Return a choice between the branches of its last alternative, which decide without a discriminator."""
        name, targets, rule = schema["discriminator"]
        last = len(schema["anyOf"]) - 1
        branches = self._branches(schema["anyOf"][last]["allOf"][1], rule, f"{pointer}/anyOf/{last}/allOf/1")
        mapping = {tag: self._targets[ref] for tag, ref in targets}
        return Choice(self._fragments.add(_reference(schema, pointer)), rule, branches, name, mapping)


def _types(names: str | list[str]) -> frozenset[str]:
    """Return the types that the keyword `type` allows; an integer is a number."""
    types = frozenset([names] if isinstance(names, str) else names)
    return types | {"integer"} if "number" in types else types


_TYPE_NAMES: dict[type, tuple[str, ...]] = {
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("integer", "number"),
    str: ("string",),
    dict: ("object",),
    list: ("array",),
}


def _reference(schema: Schema, pointer: str) -> Schema:
    """Return a short schema equivalent to the one at a pointer."""
    return schema if "$ref" in schema or _is_simple(schema) else {"$ref": pointer}


def _is_simple(schema: Schema) -> bool:
    """Return True if a schema contains and refers to no other."""
    return _COMPOUND.isdisjoint(schema)
