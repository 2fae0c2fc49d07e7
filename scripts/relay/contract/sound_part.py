"""Reduces a document to its sound part: faults are worked around, or the operations that have them are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .bundling import Bundle
from .diagnostics import Diagnostic, SetupError
from .documents import Pointer
from .methods import methods_in, operation_pointer, operations_in
from .model import LeftOut
from .pointers import exists, lookup, parse_pointer, references
from .repair import add_missing, repair, replace_reference
from .structure import StructureViolation, structure_violations, to_diagnostics

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
        self._removed: list[tuple[str, str, Pointer]] = []  # method, path and the cause
        self._causes: dict[Pointer, Pointer] = {}  # of the components that were removed
        self._known: set[Pointer] = set()  # what contains a value that was found wrong
        if bundle.problems:
            self._replace_references()
        for _ in range(MAX_ROUNDS):
            if not violations:
                return
            self._report(violations)
            for violation in repair(self._document, violations):
                self._leave_out(violation.pointer, violation.pointer)
            self._replace_references()
            violations = structure_violations(bundle)
        raise SetupError([*bundle.problems, *self.faults])

    @property
    def left_out(self) -> list[LeftOut]:
        """The operations that were removed."""
        errors = {one.where: one for one in [*self.faults, *self._bundle.problems]}
        found: list[LeftOut] = []
        for method, path, cause in self._removed:
            where = self._bundle.place(("paths", path, *filter(None, [method])))
            place = self._bundle.place(cause)
            error = errors.get(place, Diagnostic(place, "correct the error there"))
            found.append(LeftOut.of(method, path, where, error))
        return found

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
        if section == "paths" and names:
            self._leave_out_operations(names[0], operation_pointer(tuple(names[1:])), cause)
        elif section == "components" and len(names) > 1:
            self._document[section].get(names[0], {}).pop(names[1], None)
            self._causes[pointer[:3]] = cause
        elif section == "security":
            self._leave_out_inheriting(cause)
        elif section:
            self._document.pop(section, None)
            add_missing(self._document, [section])

    def _leave_out_operations(self, path: str, at: Pointer, cause: Pointer) -> None:
        """Remove the operation at a pointer, or with () all of a path for a value that they share."""
        item = self._document["paths"].get(path)
        operations = [*methods_in(item)] if isinstance(item, dict) else []
        for method, pointer in operations:
            if at in ((), pointer):
                _remove(item, pointer)
                self._removed.append((method, path, cause))
        if not operations:
            self._removed.append(("", path, cause))
        if not at:
            self._document["paths"].pop(path, None)

    def _leave_out_inheriting(self, cause: Pointer) -> None:
        """Remove the operations without security of their own: without the document's they would be public."""
        self._document.pop("security", None)
        paths = self._document.get("paths")
        for path, item in paths.items() if isinstance(paths, dict) else ():
            for method, at, operation in [*operations_in(item)] if isinstance(item, dict) else []:
                if "security" not in operation:
                    _remove(item, at)
                    self._removed.append((method, path, cause))


def _remove(value: dict[str, Any], at: Pointer) -> None:
    """Remove what is at a pointer in an object."""
    del lookup(value, at[:-1])[at[-1]]
