"""Read the annotations that the generator could have written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from relay.project.module_source import Module
from relay.project.package_source import TYPES
from relay.project.syntax import dotted

from .annotations import BUILTINS, ELLIPSIS, NONE, TYPING, UPLOAD, Kind, Type, literals, union
from .item_types import SAME, STREAM

_HOMES_OF_STREAMS = frozenset(("collections.abc", "typing", "typing_extensions"))

Meaning = Callable[[str], tuple[Kind, str] | None]
"""Returns what a dotted name refers to in a module; None for a name that the generator does not write."""


def meanings(module: Module, package: str, classes: frozenset[str]) -> Meaning:
    """Return what reads the names of a module of a package; `classes` are those of its generated types."""
    return lambda name: (
        ("generated", name)
        if name in classes and _is_unbound(name, module, package)
        else _meaning(module, name, package)
    )


def _meaning(module: Module, name: str, package: str) -> tuple[Kind, str] | None:
    first, _, rest = name.partition(".")
    bound = module.bindings.get(first)
    if bound is None and not rest and name in BUILTINS:
        return "builtin", name
    source, member = _origin(module, name)
    if source == "builtins" and member in BUILTINS:
        return "builtin", member
    if source == f"{package}.{TYPES}" or (source, member) == ("relay", UPLOAD.name):
        return "generated", member
    if source in _HOMES_OF_STREAMS and member in SAME:
        return "abc", STREAM
    if source in ("typing", "typing_extensions") and member in TYPING:
        return "typing", member
    return None


def _is_unbound(name: str, module: Module, package: str) -> bool:
    """Return True for a name that a module only uses: its import from the generated types is missing, or a star."""
    return name not in module.names and all(star == f"{package}.{TYPES}" for star in module.stars)


def _origin(module: Module, name: str) -> tuple[str, str]:
    source, _, member = module.whole_name(name).rpartition(".")
    return source, member


def stream_names(node: cst.BaseExpression, module: Module) -> Iterator[str]:
    """Yield the names of the types of streams in an annotation, whatever their items are: `AsyncIterator`."""
    pending = [node]
    while pending:
        match part := pending.pop():
            case cst.Name() | cst.Attribute():
                source, member = _origin(module, dotted(part))
                if source in _HOMES_OF_STREAMS and member in SAME:
                    yield member
            case cst.BinaryOperation():
                pending += [part.left, part.right]
            case cst.Subscript():
                inner = [one.slice.value for one in part.slice if isinstance(one.slice, cst.Index)]
                pending += [part.value, *inner]
            case cst.SimpleString():
                with contextlib.suppress(cst.ParserSyntaxError):
                    pending.append(cst.parse_expression(str(part.evaluated_value)))


def read_annotation(node: cst.BaseExpression, meaning: Meaning) -> Type | None:
    """Read an annotation that the generator could have written; None for any other.

    `meaning` returns what a dotted name refers to in its module.
    """
    try:
        return _Reader(meaning).read(node)
    except _Foreign:
        return None


class _Foreign(Exception):
    """The annotation uses a type that the generator does not write."""


class _Reader:
    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning

    def read(self, node: cst.BaseExpression) -> Type:
        match node:
            case cst.Name(value="None"):
                return NONE
            case cst.Name() | cst.Attribute():
                return self._named(node)
            case cst.BinaryOperation(operator=cst.BitOr()):
                return union([self.read(node.left), self.read(node.right)])
            case cst.Subscript():
                return self._subscript(node)
            case cst.SimpleString():
                return self._in_quotes(node)
            case cst.Ellipsis():
                return ELLIPSIS
        raise _Foreign

    def _named(self, node: cst.CSTNode) -> Type:
        found = self._meaning(dotted(node))
        if found is None:
            raise _Foreign
        kind, name = found
        return Type(name, kind=kind)

    def _in_quotes(self, node: cst.SimpleString) -> Type:
        try:
            return self.read(cst.parse_expression(str(node.evaluated_value)))
        except cst.ParserSyntaxError as exc:
            raise _Foreign from exc

    def _subscript(self, node: cst.Subscript) -> Type:
        head = self.read(node.value)
        inner = [element.slice.value for element in node.slice if isinstance(element.slice, cst.Index)]
        if head.name == "Literal":
            return literals([_literal_value(value) for value in inner])
        if head.kind == "abc":
            return _stream(self.read(inner[0]))
        parts = [self.read(value) for value in inner]
        if head.name in ("Optional", "Union") and head.kind == "typing":
            return union([*parts, NONE] if head.name == "Optional" else parts)
        return Type(head.name, tuple(parts), head.kind)


def _stream(item: Type) -> Type:
    """Return the type of a stream of items; that of bytes, text and an author's own values is the author's own."""
    if not any(item.names("generated")):
        raise _Foreign
    return Type(STREAM, (item,), "abc")


def _literal_value(node: cst.BaseExpression) -> Any:
    match node:
        case cst.SimpleString():
            return node.evaluated_value
        case cst.Integer():
            return node.evaluated_value
        case cst.UnaryOperation(operator=cst.Minus(), expression=cst.Integer() as number):
            return -number.evaluated_value
        case cst.Name(value="True" | "False" | "None"):
            return {"True": True, "False": False}.get(node.value)
    raise _Foreign
