"""Checks of a package's functions: their arguments, and bodies that the contract does not document."""

from __future__ import annotations

import ast
import inspect
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, errors
from relay.contract.model import Contract
from relay.contract.names import RESERVED_ARGUMENTS

from .binding import Binding
from .functions import code_place, required_names
from .package_hooks import PackageHooks
from .reply import Result
from .request import CONTEXT_NAMES
from .threads import Function


def check_names(
    bindings: Iterable[Binding], hooks: PackageHooks, collaborators: Mapping[str, Any]
) -> list[Diagnostic]:
    """Return warnings for unknown arguments of named functions; raise SetupError for those of others."""
    scoped = _scope_names(hooks.scope) if hooks.scope else ()
    names = {*collaborators, *(scoped or ())}
    lacking = f"and no collaborator has that name (collaborators: {', '.join(sorted(names)) or 'none'})"
    found: list[Diagnostic] = []
    for binding in bindings:
        where = code_place(binding.function)
        if scoped is not None:  # a scope whose names are not known may yield every name
            for name in binding.unknown_names(names):
                message = f"{binding.operation} does not send '{name}', {lacking}"
                if binding.is_named:
                    message += "; give it a default, or remove it; until then, such a request is a 500"
                severity = Severity.WARNING if binding.is_named else Severity.ERROR
                rule = "argument" if binding.is_named else "setup"
                found.append(Diagnostic(where, message, rule, severity))
        for name in sorted({*binding.names.values(), *RESERVED_ARGUMENTS} & names):
            message = (
                f"the collaborator '{name}' has the name of an argument of {binding.operation}; rename it"
            )
            found.append(Diagnostic(where, message))
    for function, wanted in _wanted(hooks):
        for name in wanted:
            if name not in collaborators:
                message = f"{function.__name__} needs '{name}', {lacking}"
                found.append(Diagnostic(code_place(function), message))
    if problems := errors(found):
        raise SetupError(problems)
    return found


def _wanted(hooks: PackageHooks) -> Iterator[tuple[Function, list[str]]]:
    yield hooks.identify, [name for name in required_names(hooks.identify) if name != "claims"]
    for function in hooks.verifiers.values():
        yield function, required_names(function)[1:]
    if hooks.scope is not None:
        yield hooks.scope, [name for name in required_names(hooks.scope) if name not in CONTEXT_NAMES]


def _scope_names(scope: Function) -> Iterable[str] | None:
    """Return the names of what a `scope` yields, by an annotation with a TypedDict, or its source."""
    try:
        annotation = typing.get_type_hints(scope).get("return")
    except Exception:  # noqa: BLE001 -- a name that exists only for type checkers
        annotation = None
    yielded = next(iter(typing.get_args(annotation)), None)
    return [*typing.get_type_hints(yielded)] if typing.is_typeddict(yielded) else yielded_names(scope)


_INNER = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def yielded_names(function: Any) -> frozenset[str] | None:
    """Return the keys of all mappings that an undecorated function yields; None if they are not known."""
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, SyntaxError, ValueError, RecursionError):
        return None
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.decorator_list:
        return None
    found = [_keys(one) for one in _yields(node)]
    return frozenset().union(*filter(None, found)) if found and None not in found else None


def _yields(function: ast.AST) -> Iterator[ast.AST | None]:
    """Yield what a function yields, without its inner functions; the whole of `yield from`."""
    pending = [*ast.iter_child_nodes(function)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            yield node.value if isinstance(node, ast.Yield) else node
        if not isinstance(node, _INNER):
            pending += ast.iter_child_nodes(node)


def _keys(value: ast.AST | None) -> frozenset[str] | None:
    match value:
        case ast.Dict(keys=keys) if all(
            isinstance(one, ast.Constant) and isinstance(one.value, str) for one in keys
        ):
            return frozenset(ast.literal_eval(one) for one in keys if one is not None)
    return None


_OPEN = frozenset(["Any", "Literal", "Never", "NoReturn", "None", "NoneType", "Reply", "Response", "object"])
"""Types that do not say whether there is a body."""

_BODIES: Mapping[str, slice] = {
    **dict.fromkeys(["Result", "Tuple", "tuple", "Annotated"], slice(1)),
    "Coroutine": slice(-1, None),
    **dict.fromkeys(["Awaitable", "Final", "Optional", "Union"], slice(None)),
}
"""Which arguments of a type are those of a body."""


def undocumented_bodies(bindings: Iterable[Binding], contract: Contract) -> Iterator[Diagnostic]:
    """Yield a warning for each handler that returns a body where no success has content: each would be a 500."""
    for binding in bindings:
        successes = [one for key, one in binding.operation.responses.items() if key.startswith("2")]
        has_content = not successes or any(one.content for one in successes)
        if binding.missing is None and not has_content and names_body(binding.function):
            message = (
                f"{binding.operation} documents no content for a success, but its handler is annotated to return "
                "a body, which is a 500; document its content, or return None"
            )
            place = contract.place((*binding.operation.pointer, "responses"))
            where = code_place(binding.function)
            yield Diagnostic(where, message, "missing-content", Severity.WARNING, place)


def names_body(function: Callable[..., Any]) -> bool:
    """Return True if the return annotation of a function names the type of a body."""
    annotation = inspect.signature(function).return_annotation
    if annotation is inspect.Signature.empty or annotation == Result[None]:  # type: ignore[misc]  # an alias as a value
        return False
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return any(name not in _OPEN for name in _body_types(text))


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
            case ast.Subscript(value=holder, slice=inner) if (name := _last_name(holder)) in _BODIES:
                pending += (inner.elts if isinstance(inner, ast.Tuple) else [inner])[_BODIES[name]]
            case ast.Subscript(value=other) | other:
                yield _last_name(other)


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Constant(value=value):
            return str(value)
    return "Any"
