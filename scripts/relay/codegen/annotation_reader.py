"""Read the annotations that the generator could have written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from relay.project.module_source import Module
from relay.project.package_source import TYPES
from relay.project.syntax import dotted, nodes

from .annotations import BUILTINS, ELLIPSIS, FOREIGN, NONE, TYPING, UPLOAD, Kind, Type, literals, union
from .documented_results import SAME, STREAM

_HOMES_OF_STREAMS = frozenset(("collections.abc", "typing", "typing_extensions"))

Meaning = Callable[[str], tuple[Kind, str] | None]
"""Returns what a dotted name refers to in a module; None for a name that the generator does not write."""


def meanings(module: Module, package: str, classes: frozenset[str]) -> Meaning:
    """Return what reads the names of a module of a package; `classes` are those of its generated types."""
    types = f"{package}.{TYPES}"

    def meaning(name: str) -> tuple[Kind, str] | None:
        if name in classes and name not in module.names and all(star == types for star in module.stars):
            return "generated", name  # its import is missing, or a star
        source, member = _origin(module, name)
        if name.partition(".")[0] not in module.bindings and name in BUILTINS:
            source, member = "builtins", name
        if source == "builtins" and member in BUILTINS:
            return "builtin", member
        if source == types or (source, member) == ("relay", UPLOAD.name):
            return "generated", member
        if source in _HOMES_OF_STREAMS and member in SAME:
            return "abc", STREAM
        if source in ("typing", "typing_extensions") and member in TYPING:
            return "typing", member
        return None

    return meaning


def _origin(module: Module, name: str) -> tuple[str, str]:
    source, _, member = module.whole_name(name).rpartition(".")
    return source, member


def _quoted_annotation(node: cst.SimpleString) -> cst.BaseExpression | None:
    """Return the annotation in a string; None if it is none."""
    try:
        return cst.parse_expression(str(node.evaluated_value))
    except cst.ParserSyntaxError:
        return None


def stream_names(node: cst.BaseExpression, module: Module) -> Iterator[str]:
    """Yield the names of the types of streams in an annotation, whatever their items are: `AsyncIterator`."""
    for part in nodes(node, cst.Name, cst.Attribute, cst.SimpleString):
        source, member = _origin(module, dotted(part))
        if source in _HOMES_OF_STREAMS and member in SAME:
            yield member
        if isinstance(part, cst.SimpleString) and (quoted := _quoted_annotation(part)) is not None:
            yield from stream_names(quoted, module)


def read_annotation(node: cst.BaseExpression, meaning: Meaning) -> Type | None:
    """Read an annotation that the generator could have written; None for any other.

    `meaning` returns what a dotted name refers to in its module.
    """
    return known(_read(node, meaning))


def known(found: Type) -> Type | None:
    """Return a type; None if it has a name that the generator does not write."""
    return None if FOREIGN.name in found.names("foreign") else found


def alternatives(
    node: cst.BaseExpression, meaning: Meaning, place: cst.BaseExpression | None = None
) -> Iterator[tuple[cst.BaseExpression, Type]]:
    """Yield the members of an annotation with their places, one for all of a text in quotes; FOREIGN for what the generator does not write, also within a tuple."""
    match node:
        case cst.BinaryOperation(operator=cst.BitOr()):
            yield from alternatives(node.left, meaning, place)
            yield from alternatives(node.right, meaning, place)
        case cst.SimpleString() if (quoted := _quoted_annotation(node)) is not None:
            yield from alternatives(quoted, meaning, place or node)
        case cst.Subscript():
            head = _read(node.value, meaning)
            inner = [element.slice.value for element in node.slice if isinstance(element.slice, cst.Index)]
            is_union = head.kind == "typing" and head.name in ("Optional", "Union")
            for part in inner if is_union else ():
                yield from alternatives(part, meaning, place)
            if not is_union or head.name == "Optional":
                yield place or node, NONE if is_union else _subscript(head, inner, meaning)
        case _:
            yield place or node, _name(node, meaning)


def _read(node: cst.BaseExpression, meaning: Meaning) -> Type:
    types = [one for _, one in alternatives(node, meaning)]
    return FOREIGN if FOREIGN in types else union(types)


def _name(node: cst.BaseExpression, meaning: Meaning) -> Type:
    match node:
        case cst.Name(value="None"):
            return NONE
        case cst.Name() | cst.Attribute() if (found := meaning(dotted(node))) is not None:
            return Type(found[1], kind=found[0])
        case cst.Ellipsis():
            return ELLIPSIS
    return FOREIGN


def _subscript(head: Type, inner: list[cst.BaseExpression], meaning: Meaning) -> Type:
    if head.name == "Literal":
        values = [_literal_value(value) for value in inner]
        return FOREIGN if FOREIGN in values else literals(values)
    parts = tuple(_read(value, meaning) for value in (inner[:1] if head.kind == "abc" else inner))
    if head == FOREIGN or (head.name != "tuple" and any(known(part) is None for part in parts)):
        return FOREIGN
    if head.kind == "abc" and not any(parts[0].names("generated")):
        return FOREIGN  # a stream of bytes, text and an author's own values is the author's own
    return Type(head.name, parts, head.kind)


def _literal_value(node: cst.BaseExpression) -> Any:
    match node:
        case cst.SimpleString() | cst.Integer():
            return node.evaluated_value
        case cst.UnaryOperation(operator=cst.Minus(), expression=cst.Integer() as number):
            return -number.evaluated_value
        case cst.Name(value="True" | "False" | "None"):
            return {"True": True, "False": False}.get(node.value)
    return FOREIGN
