"""Checks what the structure of a document does not show: operations are unambiguous, and their names lead somewhere.

A fault is worked around where the operation can still be served safely; otherwise the operation is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from typing import Any

from .diagnostics import Diagnostic
from .documents import Pointer
from .methods import ADDITIONAL, CARRIED, in_request
from .model import Contract, LeftOut, Operation, Parameter, SecurityRequirement
from .path_templates import shape, unmatchable, variables
from .severities import judged


def without_faults(contract: Contract, faults: Iterable[Diagnostic], left_out: Iterable[LeftOut]) -> Contract:
    """Return a contract whose operations can be served; `faults` and `left_out` are those of its structure."""
    found = [*faults, *_shared_ids(contract), *_repeated_parameters(contract), *_unexpected_scopes(contract)]
    blocked = _ambiguous(contract)
    found += _same_paths(contract, blocked)
    operations: list[Operation] = []
    excluded = [*left_out]
    for operation in contract.operations:
        errors = [
            *_unmatchable(operation, contract),
            *_uncarried(operation, contract),
            *_divided_query(operation, contract),
            *blocked.get(operation.pointer, []),
            *_repeated_variables(operation, contract),
        ]
        mismatches = [*_undeclared(operation, contract), *_unused(operation, contract)]
        unverifiable = _undefined_schemes(operation, contract)
        found += [*errors, *mismatches, *unverifiable]
        security = _defined(operation, contract)
        if errors or (operation.security and not security):
            reason = [*errors, *unverifiable][0]
            place = contract.place(operation.pointer)
            excluded.append(LeftOut.of(operation.method, operation.path, place, reason))
        else:
            parameters = _path_parameters(operation, contract) if mismatches else operation.parameters
            operations.append(replace(operation, parameters=parameters, security=security))
    found = judged(found, contract.version, has_schemes=bool(contract.security_schemes))
    return contract.reduced(operations, found, excluded)


def _groups(contract: Contract, key: Callable[[Operation], Any]) -> Iterator[tuple[Operation, Operation]]:
    """Yield each operation whose key an earlier one has, after that one."""
    groups: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in contract.operations:
        groups[key(operation)].append(operation)
    for first, *others in groups.values():
        yield from ((first, other) for other in others)


def _shared_ids(contract: Contract) -> Iterator[Diagnostic]:
    for first, other in _groups(contract, lambda one: contract.raw(one).get("operationId", id(one))):
        message = f"{other} has the same operationId as {first}; give each its own; until then the handler of this one is named by its method and path"
        yield contract.problem(other.pointer, message, "duplicate-operation-id")


def _ambiguous(contract: Contract) -> dict[Pointer, list[Diagnostic]]:
    """Return the errors of operations whose requests go to another one, by the operation's pointer."""
    found: dict[Pointer, list[Diagnostic]] = {}
    for first, other in _groups(contract, lambda one: (one.method, shape(one.path))):
        message = f"{other} has the same path and method as {first}; a request must match one operation"
        found[other.pointer] = [contract.problem(other.pointer, message, "ambiguous-path")]
    return found


def _same_paths(contract: Contract, blocked: Container[Pointer]) -> Iterator[Diagnostic]:
    """Report paths that are one path to OpenAPI; their operations have different methods, so all are served."""
    paths = {shape(one.path): one for one in reversed(contract.operations)}
    for other in contract.operations:
        first = paths[shape(other.path)]
        if other.path != first.path and other.pointer not in blocked:
            message = f"{other.path} matches the same requests as {first.path}; write them as one path"
            yield contract.problem(other.pointer[:2], message, "same-path")


def _unmatchable(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    if (reason := unmatchable(operation.path)) is not None:
        message = f"no request can match '{operation.path}': {reason}"
        yield contract.problem(operation.pointer[:2], message, "unmatchable-path")


def _uncarried(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    """Report a method that no request can have: the transport reads only known ones, and they are case-sensitive."""
    *_, owner, name = operation.pointer
    method = name if owner == ADDITIONAL else in_request(operation.method)
    if method in CARRIED:
        return
    hint = (
        f"write '{method.upper()}'"
        if method.upper() in CARRIED
        else f"use one of {', '.join(sorted(CARRIED))}"
    )
    message = f"the transport reads no requests with the method '{method}'; {hint}"
    yield contract.problem(operation.pointer, message, "unknown-method")


def _divided_query(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    """Report a parameter that is the whole query where another one is a part of it."""
    whole = [one for one in operation.parameters if one.location == "querystring"]
    parts = [*whole[1:], *(one for one in operation.parameters if one.location == "query")]
    if whole and parts:
        message = f"the whole query is the parameter '{whole[0].name}', so {operation} cannot have '{parts[0].name}'; make it a property of the first"
        yield contract.problem(parts[0].pointer, message, "divided-query")


def _repeated_variables(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    if max(Counter(variables(operation.path)).values(), default=0) > 1:
        message = f"{operation} has a path parameter twice; rename one"
        yield contract.problem(operation.pointer, message, "duplicate-path-parameter")


def _repeated_parameters(contract: Contract) -> Iterator[Diagnostic]:
    """Report parameters of one list with the same name and location (OpenAPI 3.0.3, "Operation Object")."""
    lists = {
        (*one.pointer, "parameters"): contract.raw(one).get("parameters", []) for one in contract.operations
    }
    for path, item in contract.document["paths"].items():
        if isinstance(item, dict) and not path.startswith("x-"):
            lists["paths", path, "parameters"] = item.get("parameters", [])
    for pointer, values in lists.items():
        taken: set[tuple[str, str]] = set()
        for index, value in enumerate(values):
            raw = contract.resolve(value)
            key = raw["name"].lower() if raw["in"] == "header" else raw["name"], raw["in"]
            if key in taken:
                message = f"the {raw['in']} parameter '{raw['name']}' is defined twice; remove one"
                yield contract.problem((*pointer, str(index)), message, "duplicate-parameter")
            taken.add(key)


def _declared(operation: Operation) -> dict[str, Parameter]:
    return {one.name: one for one in operation.parameters if one.location == "path"}


def _undeclared(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    for name in dict.fromkeys(variables(operation.path)):
        if name not in _declared(operation):
            message = f"{operation} does not declare its path parameter '{name}'; it is taken for a string"
            yield contract.problem(operation.pointer, message, "undeclared-path-parameter")


def _unused(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    names = variables(operation.path)
    for name, parameter in _declared(operation).items():
        if name not in names:
            message = f"the path of {operation} has no '{{{name}}}'; the parameter is ignored"
            yield contract.problem(parameter.pointer, message, "unused-path-parameter")


def _path_parameters(operation: Operation, contract: Contract) -> tuple[Parameter, ...]:
    """Return an operation's parameters, those of its path as the path has them."""
    names = dict.fromkeys(variables(operation.path))
    declared = _declared(operation)
    added = [contract.add_path_parameter(operation, name) for name in names if name not in declared]
    return (*added, *(one for one in operation.parameters if one.location != "path" or one.name in names))


def _undefined_schemes(operation: Operation, contract: Contract) -> list[Diagnostic]:
    names = sorted({name for requirement in operation.security for name in requirement})
    return [
        contract.problem(
            operation.pointer,
            f"{operation} requires the security scheme '{name}', which is not defined, or not correctly",
            "undefined-security-scheme",
        )
        for name in names
        if name not in contract.security_schemes
    ]


def _defined(operation: Operation, contract: Contract) -> tuple[SecurityRequirement, ...]:
    """Return the security requirements that can be verified."""
    return tuple(one for one in operation.security if one.keys() <= contract.security_schemes.keys())


def _unexpected_scopes(contract: Contract) -> Iterator[Diagnostic]:
    """Report scopes of an API key or an http scheme: no credential of them has any, so every call would be a 403."""
    for operation in contract.operations:
        owner = operation.pointer if "security" in contract.raw(operation) else ()
        for index, requirement in enumerate(operation.security):
            for name, scopes in requirement.items():
                if scopes and name in contract.security_schemes and not contract.has_scopes(name):
                    place = (*owner, "security", str(index), name)
                    yield _unexpected_scope(contract, place, name)


def _unexpected_scope(contract: Contract, place: Pointer, scheme: str) -> Diagnostic:
    """Report scopes of a scheme that has none; from 3.1 on they are roles, which no credential is known to have."""
    if contract.version == "3.0":
        message = f"the scheme '{scheme}' has no scopes, only oauth2 and openIdConnect have; they are ignored: remove them"
        return contract.problem(place, message, "unexpected-scope")
    message = (
        f"the roles of the scheme '{scheme}' are not checked, only its credential: check them in the handler"
    )
    return contract.warning(place, message, "unchecked-role")
