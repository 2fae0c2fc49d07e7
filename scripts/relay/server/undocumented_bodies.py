"""Finds handlers whose return annotation names a body, while the contract documents none for a success."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.model import Contract, Operation

from .binding import Binding
from .functions import code_place
from .result_type import Result

RULE = "missing-content"

_WITH_STATUS = frozenset(["Result", "Tuple", "tuple"])
"""Types whose first argument is the body."""

_TRANSPARENT = frozenset(["Annotated", "Awaitable", "Coroutine", "Final", "Optional", "Union"])
_OPEN = frozenset(["Any", "Literal", "Never", "NoReturn", "None", "NoneType", "Reply", "Response", "object"])
"""Types that do not say whether there is a body."""


def undocumented_bodies(bindings: Iterable[Binding], contract: Contract) -> Iterator[Diagnostic]:
    """Yield a warning for each handler that returns a body where no success has content: each would be a 500."""
    for binding in bindings:
        if binding.missing is None and _has_no_content(binding.operation) and names_body(binding.function):
            message = (
                f"{binding.operation} documents no content for a success, but its handler is annotated to return "
                "a body, which is a 500; document its content, or return None"
            )
            where = code_place(binding.function)
            place = contract.place((*binding.operation.pointer, "responses"))
            yield Diagnostic(where, message, RULE, Severity.WARNING, place)


def names_body(function: Callable[..., Any]) -> bool:
    """Return True if the return annotation of a function names the type of a body."""
    annotation = inspect.signature(function).return_annotation
    if annotation is inspect.Signature.empty or annotation == Result[None]:  # type: ignore[misc]  # an alias as a value
        return False
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return any(name not in _OPEN for name in _body_types(text))


def _has_no_content(operation: Operation) -> bool:
    """Return True if an operation documents a success, and none with content."""
    successes = [one for key, one in operation.responses.items() if key.startswith("2")]
    return bool(successes) and not any(one.content for one in successes)


def _body_types(annotation: str) -> Iterator[str]:
    """Yield the names of the types of a body that an annotation allows; none if it cannot be read."""
    try:
        pending: list[ast.expr] = [ast.parse(annotation, mode="eval").body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    while pending:
        match pending.pop():
            case ast.BinOp(left=left, right=right):
                pending += [left, right]
            case ast.Constant(value=str(text)) if text != annotation:
                yield from _body_types(text)
            case ast.Constant(value=value):
                yield str(value)
            case ast.Subscript(value=holder, slice=inner):
                name = _last_name(holder)
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                if name in _WITH_STATUS:
                    pending += parts[:1]
                elif name in _TRANSPARENT:
                    pending += (
                        parts[-1:] if name == "Coroutine" else parts[:1] if name == "Annotated" else parts
                    )
                else:
                    yield name
            case other:
                yield _last_name(other)


def _last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name; `Any` for another expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "Any"
