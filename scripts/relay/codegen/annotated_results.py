"""Read what a return annotation says: a body, or a tuple of a body with a status, headers or both, each on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from relay.project.syntax import dotted

from .annotation_reader import Meaning, read_annotation
from .annotations import Type


@dataclass(frozen=True, slots=True)
class AnnotatedResult:
    """One result of an annotation.

    `node` is its part of the annotation. `type` is None if it has names that the generator does not write,
    `body` and `headers` likewise. With `has_status`, a `status` of None may be any.
    """

    node: cst.BaseExpression
    type: Type | None
    body: Type | None
    is_tuple: bool = False
    has_status: bool = False
    status: int | None = None
    has_headers: bool = False
    headers: Type | None = None


def annotated_results(annotation: cst.BaseExpression, meaning: Meaning) -> Iterator[AnnotatedResult]:
    """Yield the results of an annotation; a tuple with several statuses is one result for each."""
    for node, member in _members(annotation, meaning):
        if isinstance(member, cst.Subscript) and meaning(dotted(member.value)) == ("builtin", "tuple"):
            yield from _tuples(node, member, meaning)
        else:
            found = read_annotation(member, meaning)
            yield AnnotatedResult(node, found, found)


Placed = tuple[cst.BaseExpression, cst.BaseExpression]
"""A part of an annotation, after the node that has its place: text in quotes has one place."""


def _members(annotation: cst.BaseExpression, meaning: Meaning) -> Iterator[Placed]:
    """Yield the members of a union."""
    todo = [(annotation, annotation)]
    while todo:
        place, node = todo.pop()
        inner = _inner(node, meaning)
        todo += reversed([(own if place is node else place, one) for own, one in inner])
        if not inner:
            yield place, node


def _inner(node: cst.BaseExpression, meaning: Meaning) -> Sequence[Placed]:
    match node:
        case cst.BinaryOperation(operator=cst.BitOr()):
            return [(node.left, node.left), (node.right, node.right)]
        case cst.SimpleString():
            return [(node, one) for one in _parsed(node)]
        case cst.Subscript():
            parts = [(part, part) for part in _parts(node)]
            match meaning(dotted(node.value)):
                case "typing", "Union":
                    return parts
                case "typing", "Optional":
                    return [*parts, (node, cst.Name("None"))]
    return []


def _parsed(node: cst.SimpleString) -> Sequence[cst.BaseExpression]:
    try:
        return [cst.parse_expression(str(node.evaluated_value))]
    except cst.ParserSyntaxError:
        return []


def _parts(node: cst.Subscript) -> list[cst.BaseExpression]:
    return [element.slice.value for element in node.slice if isinstance(element.slice, cst.Index)]


def _tuples(node: cst.BaseExpression, member: cst.Subscript, meaning: Meaning) -> Iterator[AnnotatedResult]:
    body, *rest = _parts(member) or [member]
    kinds = [read_annotation(part, meaning) for part in rest]
    whole = read_annotation(member, meaning)
    one = AnnotatedResult(node, whole, read_annotation(body, meaning), is_tuple=True, has_status=True)
    match kinds:
        case [kind] if kind is None or kind.name == "dict" or kind.kind == "generated":
            yield replace(one, has_status=kind is None, has_headers=True, headers=kind)
            return
        case [_, headers]:
            one = replace(one, has_headers=True, headers=headers)
    statuses = _statuses(kinds[0]) if kinds else {}
    for status, kind in statuses.items():
        yield replace(one, status=status, type=whole and _with_status(whole, kind))
    if not statuses:
        yield one


def _with_status(whole: Type, status: Type) -> Type:
    return Type("tuple", (whole.parts[0], status, *whole.parts[2:]))


def _statuses(kind: Type | None) -> dict[int, Type]:
    """Return the statuses of a `Literal`, each with its type; none for any other type."""
    members = kind.members if kind is not None else ()
    names = [one.parts[0].name if one.name == "Literal" else "" for one in members]
    if not all(name.isdecimal() for name in names):
        return {}
    return {int(name): member for name, member in zip(names, members, strict=True)}
