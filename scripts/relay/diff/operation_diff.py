"""Compares operations, which are matched by method and path, ignoring the names of path parameters."""

from collections.abc import Iterator, Mapping

from relay.contract.diagnostics import errors
from relay.contract.model import Contract, Operation
from relay.contract.path_templates import shape
from relay.lint.operations import compiled
from relay.validation.schemas import SchemaCompiler

from .body_diff import compare_bodies, compare_responses
from .changes import Difference, Places, Report
from .parameter_diff import compare_parameters, parameters_of
from .pointer_names import raw
from .schema_diff import SchemaComparison
from .security_diff import compare_schemes, compare_security

OperationKey = tuple[str, tuple[str, ...]]  # method, and path without the names of its parameters


def compare_operations(old: Contract, new: Contract, report: Report) -> None:
    """Add the differences of all operations to the report."""
    before, after = ({operation_key(one): one for one in side.operations} for side in (old, new))
    schemas = SchemaComparison(old, new)
    removed = {}
    for operation in [one for key, one in before.items() if key not in after]:
        if _is_left_out(operation, new):
            report.add(_faulty(operation), operation)
        else:
            removed[operation.id] = operation
    for operation in removed.values():
        report.add(_removed(operation, old, new), operation)
    unserved = _unserved(before, after, old, new)
    for key, operation in after.items():
        if key in unserved:
            report.add(_faulty(before[key], f" ({unserved[key]})"), before[key])
        elif key in before:
            for difference in _compare(before[key], operation, schemas):
                report.add(difference, operation)
        elif operation.id not in removed and not _is_left_out(operation, old):
            at = ("paths", operation.path), operation.pointer
            report.add(Difference("operation-added", "added", *at), operation)
    for name, difference in compare_schemes(old, new):
        using = [one for one in new.operations if any(name in requirement for requirement in one.security)]
        report.add(difference, *using)


def operation_key(operation: Operation) -> OperationKey:
    """Return the key that identifies an operation in requests."""
    return operation.method, shape(operation.path)


def _is_left_out(operation: Operation, contract: Contract) -> bool:
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
        wrong = errors(compiled(after[key], compilers[1]))
        if wrong and not errors(compiled(before[key], compilers[0])):
            found[key] = wrong[0].message
    return found


def _faulty(operation: Operation, why: str = "") -> Difference:
    what = f"it has errors now{why}, so it is not compared"
    return Difference("operation-faulty", what, operation.pointer, operation.pointer, "old")


def _removed(operation: Operation, old: Contract, new: Contract) -> Difference:
    at = operation.pointer, ("paths", operation.path)
    if moved := next((one for one in new.operations if one.id == operation.id), None):
        what = f"{operation.id} moved to {moved}"
        return Difference("operation-moved", what, operation.pointer, moved.pointer, "old")
    if raw(old, operation.pointer).get("deprecated"):
        return Difference("deprecated-operation-removed", "removed", *at, "old")
    if any(shape(one.path) == shape(operation.path) for one in new.operations):
        return Difference("operation-removed", "removed", *at, "old")
    return Difference("path-removed", "path removed", *at, "old")


def _compare(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    at = Places(old.pointer, new.pointer)
    before, after = schemas.raw(at)
    if old.id != new.id and ("operationId" in before or "operationId" in after):
        what = f"renamed from {old.id} to {new.id}"
        yield Difference("operation-id-changed", what, *at / "operationId")
    if old.tag != new.tag:
        what = f"the tag changed from '{old.tag}' to '{new.tag}'"
        yield Difference("tag-changed", what, *at / "tags")
    if after.get("deprecated") and not before.get("deprecated"):
        yield Difference("operation-deprecated", "now deprecated", *at / "deprecated")
    yield from compare_parameters(parameters_of(old), parameters_of(new), at / "parameters", schemas)
    yield from compare_bodies(old, new, schemas)
    yield from compare_responses(old, new, schemas)
    yield from compare_security(old, new, schemas)
