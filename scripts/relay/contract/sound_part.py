"""Reduces a document to its sound part: faults are worked around, or the operations that have them are left out."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from .bundling import Bundle
from .diagnostics import Diagnostic, SetupError
from .documents import Pointer
from .methods import WrittenOperation, methods_in, operation_at, operations_of, paths_by_item
from .operations import LeftOut
from .pointers import exists, found_at, lookup, parse_pointer, references
from .repair import add_missing, repair, replace_reference
from .structure import structure_violations, to_diagnostics
from .structure_messages import StructureViolation

MAX_ROUNDS = 20
"""How often the rest is checked: a repair may reveal other violations, and a check returns at most a thousand."""


class SoundPart:
    """Reduces a bundle to its sound part; `faults` are its errors, `left_out` are the operations that it lacks.

    Raises SetupError for a document with more faults than can be worked around.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.faults: list[Diagnostic] = []
        self._bundle = bundle
        violations = structure_violations(bundle)
        if violations or bundle.problems:
            bundle.detach()
        self._document: dict[str, Any] = bundle.data
        self._removed: list[_Removed] = []
        self._causes: dict[Pointer, Pointer] = {}  # of the components that were removed
        self._repaired: set[StructureViolation] = set()
        self._known: set[Pointer] = set()  # what contains a value that was found wrong
        if bundle.problems:
            self._replace_references()
        for _ in range(MAX_ROUNDS):
            if not violations:
                return
            self._report(violations)
            for violation in self._unrepaired(violations):
                self._leave_out(violation.pointer, violation.pointer)
            self._replace_references()
            violations = structure_violations(bundle)
        raise SetupError([*bundle.problems, *self.faults])

    @property
    def left_out(self) -> list[LeftOut]:
        """The operations that were removed."""
        errors = {one.where: one for one in [*self.faults, *self._bundle.problems]}
        found: list[LeftOut] = []
        for one in self._removed:
            place = self._bundle.place(one.cause)
            error = errors.get(place, Diagnostic(place, "correct the error there"))
            found.append(LeftOut.of(one.method, one.path, self._bundle.place(one.where), error))
        return found

    def _unrepaired(self, violations: list[StructureViolation]) -> list[StructureViolation]:
        again = [one for one in violations if one in self._repaired]
        rest = [one for one in violations if one not in self._repaired]
        self._repaired.update(rest)
        return [*repair(self._document, rest), *again]

    def _report(self, violations: list[StructureViolation]) -> None:
        """Report violations, except those that only a repair has caused."""
        self.faults += to_diagnostics(
            self._bundle, (one for one in violations if one.pointer not in self._known)
        )
        self._known |= {one.pointer[:length] for one in violations for length in range(len(one.pointer) + 1)}

    def _replace_references(self) -> None:
        """Replace each `$ref` that leads nowhere, or leave out what needs its target, until all lead somewhere."""
        while found := [*self._dangling()]:
            for pointer, target in found:
                if not replace_reference(self._document, pointer):
                    self._leave_out(pointer, self._causes.get(target[:3], (*pointer, "$ref")))

    def _dangling(self) -> Iterator[tuple[Pointer, Pointer]]:
        for pointer, ref in references(self._document):
            target = parse_pointer(ref[1:]) if ref.startswith("#") else ()
            if not target or pointer in self._bundle.circular or not exists(self._document, target):
                yield pointer, target

    def _leave_out(self, pointer: Pointer, cause: Pointer) -> None:
        """Remove the operations, the component or the section that contains a value."""
        section, *names = pointer or ("",)
        if (described := _documentation(pointer)) is not None:
            self._remove(described)
        elif section == "paths" and operation_at(pointer[2:]):
            self._leave_out_operation(pointer[:2], pointer[2:], cause)
        elif section == "paths" and names:
            self._leave_out_path(pointer[1], cause)
        elif pointer[:2] == ("components", "pathItems") and operation_at(pointer[3:]):
            self._leave_out_operation(pointer[:3], pointer[3:], cause)
        elif section == "components" and names:
            self._leave_out_component(pointer, cause)
        elif section == "security":
            self._leave_out_inheriting(cause)
        elif section:
            self._document.pop(section, None)
            add_missing(self._document, [section])

    def _leave_out_path(self, path: str, cause: Pointer) -> None:
        written = operations_of(self._document, path)
        for one in written or [WrittenOperation("", ())]:
            self._removed.append(_Removed(one.method, path, ("paths", path, *one.within), cause))
        self._document["paths"].pop(path, None)

    def _leave_out_component(self, pointer: Pointer, cause: Pointer) -> None:
        """Remove a component or a section of them, and the paths that have a path item of it."""
        item = pointer[:3]
        for path in self._paths_by_item.get(item, []):
            if path in self._document["paths"]:
                self._leave_out_path(path, cause)
        self._remove(item)
        self._causes[item] = cause

    def _leave_out_operation(self, item: Pointer, within: Pointer, cause: Pointer) -> None:
        """Remove an operation of a path item from all paths that have the item."""
        operation = operation_at(within)
        if operation is None or not self._remove((*item, *operation.within)):
            return
        for path in self._paths_by_item.get(item, []):
            where = ("paths", path, *operation.within)
            self._removed.append(_Removed(operation.method, path, where, cause))

    def _leave_out_inheriting(self, cause: Pointer) -> None:
        """Remove the operations without security of their own: without the document's they would be public."""
        self._document.pop("security", None)
        for item in self._paths_by_item:
            value = found_at(self._document, item)
            for one in [*methods_in(value)]:  # they are removed meanwhile
                operation = lookup(value, one.within)
                if isinstance(operation, dict) and "security" not in operation:
                    self._leave_out_operation(item, one.within, cause)

    def _remove(self, pointer: Pointer) -> bool:
        is_there = exists(self._document, pointer)
        if is_there:
            del lookup(self._document, pointer[:-1])[pointer[-1]]
        return is_there

    @functools.cached_property
    def _paths_by_item(self) -> dict[Pointer, list[str]]:
        return paths_by_item(self._document)


class _Removed(NamedTuple):
    """An operation that was removed, with its place and the cause; without a method it is a whole path."""

    method: str
    path: str
    where: Pointer
    cause: Pointer


_NOT_SERVED = frozenset(["callbacks", "links", "examples", "externalDocs"])


def _documentation(pointer: Pointer) -> Pointer | None:
    """Return what can be removed without a change of any operation that is served, if it contains the value.

    These are webhooks, and what only describes an operation. What is in `security` is never removed by itself.
    """
    if pointer[:1] == ("webhooks",) and len(pointer) > 1:
        return pointer[:2]
    if pointer[:1] != ("paths",) and pointer[:2] != ("components", "pathItems"):
        return None
    for index, field in enumerate(pointer[3:], 3):
        if field == "security":
            return None
        if field in _NOT_SERVED:
            return pointer[: index + (1 if field == "externalDocs" else 2)]
    return None
