"""The names of the objects that a function of a package yields, read from its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

_INNER = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def yielded_names(function: Any) -> frozenset[str] | None:
    """Return the keys of all mappings that a function yields; None if its source does not show them.

    A function with a decorator may yield others.
    """
    node = _source(function)
    if node is None or node.decorator_list:
        return None
    found = [_keys(one) for one in _yields(node)]
    names = [one for one in found if one is not None]
    return frozenset().union(*names) if names and len(names) == len(found) else None


def _source(function: Any) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the definition of a function; None if it has no readable source."""
    if not inspect.isfunction(function):
        return None
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _yields(function: ast.AST) -> Iterator[ast.AST | None]:
    """Yield what a function yields, without its inner functions; the whole of `yield from`."""
    pending = [*ast.iter_child_nodes(function)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield):
            yield node.value
        elif isinstance(node, ast.YieldFrom):
            yield node
        if not isinstance(node, _INNER):
            pending += ast.iter_child_nodes(node)


def _keys(value: ast.AST | None) -> frozenset[str] | None:
    """Return the keys of a `{"name": …}`; None for any other expression."""
    if not isinstance(value, ast.Dict):
        return None
    keys = [one.value for one in value.keys if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return frozenset(keys) if len(keys) == len(value.keys) else None
