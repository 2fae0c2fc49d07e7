"""Checks for keys of `paths` that have a query or a fragment."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract
from relay.contract.path_templates import encoded, requested, requested_alone, unmatchable

from .lint_rules import finding


def check_path_keys(contract: Contract) -> Iterator[Diagnostic]:
    """Yield each path that no request has as it is written, and the path that it is served at instead."""
    served = [(operation.method, operation.path) for operation in contract.operations]
    alone = requested_alone([*served, *((one.method, one.path) for one in contract.left_out)])
    for path in dict.fromkeys(path for _, path in served):
        if requested(path) == path or unmatchable(path):
            continue
        methods = sorted(method.upper() for method, other in served if other == path)
        ambiguous = [method for method in methods if (method.lower(), path) not in alone]
        what = "query" if path[len(requested(path))] == "?" else "fragment"
        yield finding(contract, "query-in-path", ("paths", path), _message(path, what, ambiguous))


def _message(path: str, what: str, ambiguous: list[str]) -> str:
    where = f"'{path}' is served at {encoded(path)}"
    if ambiguous:
        return (
            f"{where} only, because a path of a request has no {what} and other operations have"
            f" {' and '.join(ambiguous)} {requested(path)} too; give each a path of its own"
        )
    return f"{where}, and at {requested(path)}, because a path of a request has no {what}; remove it"
