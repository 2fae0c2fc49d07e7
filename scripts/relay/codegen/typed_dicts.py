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
        fields = (f"    {key}: {value}" for key, value in merged.items())
        lines[node.lineno - 1 : node.end_lineno] = [f"class {node.name}(TypedDict):", *fields]
    return "\n".join(lines)


def _changes(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, Fields]]:
    """Yield each class that changes a field of its base, with all its fields."""
    fields: dict[str, Fields] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            parts = [fields.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name)]
            parts.append({ast.unparse(one.target): ast.unparse(one.annotation) for one in _fields(node)})
            merged = fields[node.name] = {key: value for one in parts for key, value in one.items()}
            if any(merged[key] != value for one in parts for key, value in one.items()):
                yield node, merged


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [part for part in node.body if isinstance(part, ast.AnnAssign)]
