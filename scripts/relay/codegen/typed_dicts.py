"""Rewrite generated TypedDicts that give a field of their base another type.

A schema may narrow what it takes from another by `allOf`: `kind` is any string there, and one of two here. A
TypedDict must not change a field of its base, so such a class lists all its fields instead of the base.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

Fields = Mapping[str, str]
"""Annotations by field."""


def without_overrides(source: str) -> str:
    """Return the source of classes in which none changes a field of its base.

    What is nested too deeply for Python's parser is returned as it is.
    """
    lines = source.split("\n")
    try:
        changes = [*_changes(ast.parse(source))]
    except (RecursionError, MemoryError, SyntaxError):
        return source
    for node, merged in reversed(changes):
        lines[node.lineno - 1 : node.end_lineno] = _class(node.name, merged)
    return "\n".join(lines)


def _changes(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, Fields]]:
    """Yield each class that changes a field of its base, with all its fields."""
    fields: dict[str, Fields] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = [fields.get(name, {}) for name in _base_names(node)]
            own = dict(_fields(node))
            fields[node.name] = {key: value for one in [*bases, own] for key, value in one.items()}
            if _differ([*bases, own]):
                yield node, fields[node.name]


def _base_names(node: ast.ClassDef) -> list[str]:
    return [base.id for base in node.bases if isinstance(base, ast.Name)]


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id, ast.unparse(part.annotation)


def _differ(parts: list[Fields]) -> bool:
    """Whether two of the parts of a class have a field with different annotations."""
    known: dict[str, str] = {}
    return any(known.setdefault(key, value) != value for part in parts for key, value in part.items())


def _class(name: str, fields: Fields) -> list[str]:
    return [f"class {name}(TypedDict):", *(f"    {key}: {value}" for key, value in fields.items())]
