"""Compares operations, which are matched by method and path, ignoring the names of path parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relay.contract.diagnostics import errors
from relay.contract.model import Contract, Operation
from relay.contract.path_templates import shape
from relay.lint.compilation import compiled
from relay.validation.schemas import SchemaCompiler

from .body_diff import compare_bodies, compare_responses
from .changes import Difference, Report
from .parameter_diff import compare_parameters
from .pointer_names import raw
from .schema_diff import SchemaComparison
from .security_diff import compare_schemes, compare_security

OperationKey = tuple[str, tuple[str, ...]]
"""Method, and path without the names of its parameters."""


def compare_operations(old: Contract, new: Contract, report: Report) -> None:
    """Add the differences of all operations to the report."""
    before, after = _by_key(old), _by_key(new)
    schemas = SchemaComparison(old, new)
    missing = [operation for key, operation in before.items() if key not in after]
    faulty = [operation for operation in missing if is_left_out(operation, new)]
    for operation in faulty:
        report.add(_faulty(operation), operation)
    removed = {operation.id: operation for operation in missing if operation not in faulty}
    for operation in removed.values():
        report.add(_removed(operation, old, new), operation)
    unserved = _unserved(before, after, old, new)
    for key, operation in after.items():
        if key in unserved:
            report.add(_faulty(before[key], f" ({unserved[key]})"), before[key])
        elif key in before:
            for difference in _compare(before[key], operation, schemas):
                report.add(difference, operation)
        elif operation.id not in removed and not is_left_out(operation, old):
            report.add(_added(operation), operation)
    for name, difference in compare_schemes(old, new):
        using = [one for one in new.operations if any(name in requirement for requirement in one.security)]
        report.add(difference, *using)


def _by_key(contract: Contract) -> dict[OperationKey, Operation]:
    return {operation_key(operation): operation for operation in contract.operations}


def operation_key(operation: Operation) -> OperationKey:
    """Return the key that identifies an operation in requests."""
    return operation.method, shape(operation.path)


def is_left_out(operation: Operation, contract: Contract) -> bool:
    """Return True if a contract has the operation, with errors that leave it out."""
    method, path = operation_key(operation)
    return any(one.method.lower() in ("", method) and shape(one.path) == path for one in contract.left_out)


def _unserved(
    before: Mapping[OperationKey, Operation],
    after: Mapping[OperationKey, Operation],
    old: Contract,
    new: Contract,
) -> dict[OperationKey, str]:
    """Return the operations that could be compiled and no longer can be, and why."""
    if old.document == new.document and old.version == new.version:
        return {}
    compilers = SchemaCompiler(old), SchemaCompiler(new)
    found = {}
    for key in [one for one in after if one in before]:
        wrong = errors(compiled(after[key], compilers[1], new))
        if wrong and not errors(compiled(before[key], compilers[0], old)):
            found[key] = wrong[0].message
    return found


def _faulty(operation: Operation, why: str = "") -> Difference:
    what = f"it has errors now{why}, so it is not compared"
    return Difference("operation-faulty", what, operation.pointer, operation.pointer, "old")


def _removed(operation: Operation, old: Contract, new: Contract) -> Difference:
    at = ("paths", operation.path)
    moved = next((one for one in new.operations if one.id == operation.id), None)
    if moved:
        return Difference(
            "operation-moved", f"{operation.id} moved to {moved}", operation.pointer, moved.pointer, "old"
        )
    if raw(old, operation.pointer).get("deprecated"):
        return Difference("deprecated-operation-removed", "removed", operation.pointer, at, "old")
    remains = any(shape(one.path) == shape(operation.path) for one in new.operations)
    rule = "operation-removed" if remains else "path-removed"
    return Difference(rule, "removed" if remains else "path removed", operation.pointer, at, "old")


def _added(operation: Operation) -> Difference:
    return Difference("operation-added", "added", ("paths", operation.path), operation.pointer)


def _compare(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    before, after = raw(schemas.old, old.pointer), raw(schemas.new, new.pointer)

    def difference(rule: str, what: str, keyword: str) -> Difference:
        return Difference(rule, what, (*old.pointer, keyword), (*new.pointer, keyword))

    if old.id != new.id and ("operationId" in before or "operationId" in after):
        yield difference("operation-id-changed", f"renamed from {old.id} to {new.id}", "operationId")
    if old.tag != new.tag:
        yield difference("tag-changed", f"the tag changed from '{old.tag}' to '{new.tag}'", "tags")
    if after.get("deprecated") and not before.get("deprecated"):
        yield difference("operation-deprecated", "now deprecated", "deprecated")
    yield from compare_parameters(old, new, schemas)
    yield from compare_bodies(old, new, schemas)
    yield from compare_responses(old, new, schemas)
    yield from compare_security(old, new, schemas.old, schemas.new)
