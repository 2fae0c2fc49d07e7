"""Checks what the structure of a document does not show: operations are unambiguous, and their names lead somewhere.

A fault is worked around where the operation can still be served safely; otherwise the operation is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from typing import Any

from .diagnostics import Diagnostic, Severity
from .documents import Pointer
from .methods import ADDITIONAL, CARRIED, in_request
from .model import Contract
from .operations import LeftOut, Operation, Parameter
from .path_templates import shape, unmatchable, variables


def without_faults(contract: Contract, faults: Iterable[Diagnostic], left_out: Iterable[LeftOut]) -> Contract:
    """Return a contract whose operations can be served; `faults` and `left_out` are those of its structure."""
    found = [*faults, *_shared_ids(contract), *_repeated_parameters(contract), *_unexpected_scopes(contract)]
    blocked = _ambiguous(contract)
    found += _same_paths(contract, blocked)
    operations: list[Operation] = []
    excluded = [*left_out]
    for operation in contract.operations:
        errors = [
            *_unservable(operation, contract),
            *blocked.get(operation.pointer, []),
            *_repeated_variables(operation, contract),
        ]
        mismatches = [*_mismatches(operation, contract)]
        unverifiable = _undefined_schemes(operation, contract)
        found += [*errors, *mismatches, *unverifiable]
        security = tuple(one for one in operation.security if one.keys() <= contract.security_schemes.keys())
        if errors or (operation.security and not security):
            reason = [*errors, *unverifiable][0]
            place = contract.place(operation.pointer)
            excluded.append(LeftOut.of(operation.method, operation.path, place, reason))
        else:
            parameters = _path_parameters(operation, contract) if mismatches else operation.parameters
            operations.append(replace(operation, parameters=parameters, security=security))
    found = _judged(found, contract.version, has_schemes=bool(contract.security_schemes))
    return contract.reduced(operations, found, excluded)


def _judged(faults: list[Diagnostic], version: str, *, has_schemes: bool) -> list[Diagnostic]:
    """Return the faults of a contract of a version with their severities; `has_schemes` if it defines security schemes.

    From 3.1 on a description may be made of several documents, so a valid one may refer to others, which Relay does
    not fetch, or to security schemes that only another one defines. Its paths and their parameters are not compared by
    the specification's own schema.
    """
    lenient = {"remote-ref", "undeclared-path-parameter", "unused-path-parameter"}
    if version == "3.0":
        return faults
    if not has_schemes:
        lenient.add("undefined-security-scheme")
    return [replace(one, severity=Severity.WARNING) if one.rule in lenient else one for one in faults]


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


def _unservable(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    """Report a path or a method that no request can have, and a part of the query where one parameter is all of it."""
    if (reason := unmatchable(operation.path)) is not None:
        message = f"no request can match '{operation.path}': {reason}"
        yield contract.problem(operation.pointer[:2], message, "unmatchable-path")
    *_, owner, name = operation.pointer
    method = name if owner == ADDITIONAL else in_request(operation.method)
    if method not in CARRIED:  # methods are case-sensitive
        is_spelled_wrong = method.upper() in CARRIED
        hint = f"write '{method.upper()}'" if is_spelled_wrong else f"use one of {', '.join(sorted(CARRIED))}"
        message = f"the transport reads no requests with the method '{method}'; {hint}"
        yield contract.problem(operation.pointer, message, "unknown-method")
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


def _mismatches(operation: Operation, contract: Contract) -> Iterator[Diagnostic]:
    """Report variables of a path that are no parameters, and parameters that are no variables."""
    names, declared = dict.fromkeys(variables(operation.path)), _declared(operation)
    for name in names:
        if name not in declared:
            message = f"{operation} does not declare its path parameter '{name}'; it is taken for a string"
            yield contract.problem(operation.pointer, message, "undeclared-path-parameter")
    for name, parameter in declared.items():
        if name not in names:
            message = f"the path of {operation} has no '{{{name}}}'; the parameter is ignored"
            yield contract.problem(parameter.pointer, message, "unused-path-parameter")


def _path_parameters(operation: Operation, contract: Contract) -> tuple[Parameter, ...]:
    names = dict.fromkeys(variables(operation.path))
    declared = _declared(operation)
    added = [contract.add_path_parameter(operation, name) for name in names if name not in declared]
    return (*added, *(one for one in operation.parameters if one.location != "path" or one.name in names))


def _undefined_schemes(operation: Operation, contract: Contract) -> list[Diagnostic]:
    named = {name for requirement in operation.security for name in requirement}
    return [
        contract.problem(
            operation.pointer,
            f"{operation} requires the security scheme '{name}', which is not defined, or not correctly",
            "undefined-security-scheme",
        )
        for name in sorted(named - contract.security_schemes.keys())
    ]


def _unexpected_scopes(contract: Contract) -> Iterator[Diagnostic]:
    """Report scopes of an API key or an http scheme: no credential of them has any, so every call would be a 403.

    From 3.1 on they are roles, which no credential is known to have.
    """
    for operation in contract.operations:
        owner = operation.pointer if "security" in contract.raw(operation) else ()
        for index, requirement in enumerate(operation.security):
            for name, scopes in requirement.items():
                if not scopes or name not in contract.security_schemes or contract.has_scopes(name):
                    continue
                place = (*owner, "security", str(index), name)
                if contract.version == "3.0":
                    message = f"the scheme '{name}' has no scopes, only oauth2 and openIdConnect have; they are ignored: remove them"
                    yield contract.problem(place, message, "unexpected-scope")
                else:
                    message = f"the roles of the scheme '{name}' are not checked, only its credential: check them in the handler"
                    yield contract.warning(place, message, "unchecked-role")
