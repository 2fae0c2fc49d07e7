"""Is it OpenAPI 3.0, and can its operations be told apart? Every breach, with its place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from .problems import Problem

if TYPE_CHECKING:
    from .bundling import Bundle
    from .contract import Contract, Operation
    from .documents import Pointer


def check_structure(bundle: Bundle) -> list[Problem]:
    """Hold a bundled document against the OpenAPI 3.0 JSON Schema, the one Connexion carries."""
    from .framework import OpenAPISpecification

    validator = jsonschema_rs.Draft4Validator(OpenAPISpecification.openapi_schema, mask="this")
    found = {
        (bundle.place(pointer), message)
        for error in _specific(validator.iter_errors(bundle.data))
        for pointer, message in _tell(error, tuple(str(token) for token in error.instance_path))
    }
    return [Problem(place, message, "structure") for place, message in sorted(found)]


def _specific(errors: Iterable[Any]) -> Iterator[Any]:
    """Follow "none of these fits" into the alternative that was meant: not the one that wants a `$ref`."""
    for error in errors:
        branches = [
            list(branch)
            for branch in getattr(error.kind, "context", [])
            if not any(_wants_ref(inner, error) for inner in branch)
        ]
        if branches:
            yield from _specific(max(branches, key=_depth))
        else:
            yield error


def _wants_ref(inner: Any, outer: Any) -> bool:
    return (inner.kind.name, inner.instance_path) == ("required", outer.instance_path) and bool(
        inner.kind.property == "$ref"
    )


def _depth(branch: Iterable[Any]) -> int:
    return max(len(error.instance_path) for error in branch)


def _tell(error: Any, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    kind = error.kind
    match kind.name:
        case "required":
            yield pointer, f"'{kind.property}' is missing"
        case "additionalProperties":
            for name in kind.unexpected:
                yield (*pointer, name), f"'{name}' is unknown here"
        case _:
            yield pointer, str(error.message)


def check_operations(contract: Contract) -> list[Problem]:
    """Find what makes operations ambiguous or unservable though the structure is right."""
    return [
        *_duplicates(contract, "operationId", lambda operation: operation.id, "duplicate-operation-id"),
        *_duplicates(
            contract,
            "path and method",
            lambda op: f"{op.method} {re.sub(r'{[^}]*}', '{}', op.path)}",
            "ambiguous-path",
        ),
        *_path_parameters(contract),
        *_security(contract),
    ]


def _duplicates(contract: Contract, what: str, key: Any, rule: str) -> Iterator[Problem]:
    groups: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in contract.operations:
        groups[key(operation)].append(operation)
    for first, *others in groups.values():
        for other in others:
            yield contract.problem(
                other.pointer, f"{other} has the same {what} as {first}; a request must lead to one", rule
            )


def _path_parameters(contract: Contract) -> Iterator[Problem]:
    for operation in contract.operations:
        names = re.findall(r"\{([^}]*)\}", operation.path)
        declared = {
            parameter.name: parameter for parameter in operation.parameters if parameter.location == "path"
        }
        if len(names) != len(set(names)):
            yield contract.problem(
                operation.pointer, f"{operation} names a path parameter twice", "duplicate-path-parameter"
            )
        for name in dict.fromkeys(names):
            if name not in declared:
                yield contract.problem(
                    operation.pointer,
                    f"{operation} does not declare its path parameter '{name}'",
                    "undeclared-path-parameter",
                )
        for name, parameter in declared.items():
            if name not in names:
                yield contract.problem(
                    parameter.pointer, f"the path of {operation} has no '{{{name}}}'", "unused-path-parameter"
                )


def _security(contract: Contract) -> Iterator[Problem]:
    for operation in contract.operations:
        for name in sorted({name for requirement in operation.security for name in requirement}):
            if name not in contract.security_schemes:
                yield contract.problem(
                    operation.pointer,
                    f"{operation} needs the security scheme '{name}', which is not defined",
                    "undefined-security-scheme",
                )
