"""Pages into a contract: what is new is added, what is there stays, what contradicts is refused.

All of it on plain data; `editing.py` makes text of the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from relay.contract.bundling import PointerNotFound, escape, lookup
from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.contract.documents import Document, Pointer
from relay.contract.model import ABSENT, METHODS, Contract, Operation

from .pages import Source
from .prose import difference, reworded, same, structure
from .sources_lock import Lock, components_of

Verb = Literal["added", "updated", "unchanged"]


class Outcome(NamedTuple):
    """What became of one operation of a source."""

    source: Source
    operation: Operation
    verb: Verb


def merge_sources(document: Document | None, lock: Lock, sources: Iterable[Source], *, update: bool) -> Merge:
    """Take sources into a contract, one after the other; with `update`, where they differ from what they said."""
    merge = Merge(document, lock, update=update)
    for source in sources:
        merge.take(source)
    return merge


class Merge:
    """A contract into which sources are taken one by one.

    `wanted` is what it should hold, `outcomes` what became of each operation, `refused` what contradicts.
    `document` is None for a contract that is still to be.
    """

    def __init__(self, document: Document | None, lock: Lock, *, update: bool) -> None:
        self.wanted: dict[str, Any] = document.data if document else {}
        self.outcomes: list[Outcome] = []
        self.refused: list[Diagnostic] = []
        self._document = document
        self._lock = lock
        self._update = update
        self._notes: dict[Pointer, tuple[str, Source]] = {}
        self._told_by: dict[Pointer, Source] = {}

    def take(self, source: Source) -> None:
        """Take in all that a source has."""
        self._take_root(source)
        self._take_tags(source)
        operations = source.contract.operations
        mine = [operation for operation in operations if self._lock.is_source(source, operation)]
        taken = {
            f"#/components/{section}/{escape(name)}": self._take(
                ("components", section, name), value, source, is_source=bool(mine)
            )
            for section, values in (source.data.get("components") or {}).items()
            if not section.startswith("x-")
            for name, value in values.items()
        }
        changed = {ref for ref, verb in taken.items() if verb != "unchanged"}
        for operation in operations:
            verb = self._take_operation(source, operation, is_source=operation in mine)
            if verb == "unchanged" and changed & set(components_of(source.contract, operation)):
                verb = "updated"
            self.outcomes.append(Outcome(source, operation, verb))

    def _take_root(self, source: Source) -> None:
        """Begin an empty contract with what surrounds the operations; later only say what differs."""
        if not self.wanted:
            begun: dict[str, Any] = {"paths": {}, "components": {}, "tags": []}
            self.wanted = {key: begun.get(key, value) for key, value in source.data.items()}
        for key, value in source.data.items():
            ours = self._ours((key,))
            if key not in ("paths", "components", "tags") and (ours is ABSENT or not same(ours, value)):
                self._note((key,), f"'{key}'", source)

    def _take_tags(self, source: Source) -> None:
        for tag in source.data.get("tags") or []:
            tags = self.wanted.get("tags") or []
            names = [ours["name"] for ours in tags]
            if tag["name"] in names:
                at = names.index(tag["name"])
                if not same(tags[at], tag):
                    self._note(("tags", str(at)), f"the tag '{tag['name']}'", source)
            elif "tags" in self.wanted:
                self.wanted = {**self.wanted, "tags": [*tags, tag]}
            else:
                entries = list(self.wanted.items())
                entries.insert(list(self.wanted).index("paths"), ("tags", [tag]))
                self.wanted = dict(entries)

    def _take_operation(self, source: Source, operation: Operation, *, is_source: bool) -> Verb:
        item = source.contract.resolve(source.data["paths"][operation.path])
        value = item[operation.method]
        everywhere = source.data.get("security") or []
        if "security" not in value and not same(everywhere, self.wanted.get("security") or []):
            value = {**value, "security": everywhere}  # what holds for all of the page must not get lost
        self._take_shared(source, operation, item, is_source=is_source)
        self._check_id(source, operation)
        return self._take(operation.pointer, value, source, is_source=is_source)

    def _take_shared(
        self, source: Source, operation: Operation, item: dict[str, Any], *, is_source: bool
    ) -> None:
        """Take what all methods of a path share."""
        pointer = operation.pointer[:2]
        theirs = {key: value for key, value in item.items() if key not in METHODS}
        ours = self._ours(pointer)
        if ours is ABSENT:
            self._put(pointer, theirs)
            return
        shared = {key: value for key, value in ours.items() if key not in METHODS}
        if same(structure(shared), structure(theirs)):
            return
        if self._update and is_source and "$ref" not in ours:
            methods = {key: value for key, value in ours.items() if key in METHODS}
            self._put(pointer, {**reworded(shared, theirs), **methods})
        else:
            self._refuse(pointer, (shared, theirs), source, is_source=is_source)

    def _check_id(self, source: Source, operation: Operation) -> None:
        """Refuse an operationId that another operation has; names of functions follow from it."""
        for pointer, value in _operations(self.wanted):
            if value.get("operationId") == operation.id and pointer != operation.pointer:
                told = (
                    f"{operation} has the operationId '{operation.id}' of {_what(pointer)}; "
                    "give one of the two another, or take the old one out of the contract"
                )
                place, other = source.place((*operation.pointer, "operationId")), self.place(pointer)
                self.refused.append(Diagnostic(place, told, "operation-id-taken", Severity.ERROR, other))

    def _take(self, pointer: Pointer, theirs: Any, source: Source, *, is_source: bool) -> Verb:
        """Take one operation or component."""
        ours = self._ours(pointer)
        teller = self._told_by.setdefault(pointer, source)
        if ours is ABSENT:
            self._put(pointer, theirs)
            return "added"
        if same(structure(ours), structure(theirs)):
            if not same(ours, theirs):
                self._note(pointer, f"the wording of {_what(pointer)}", source)
            return "unchanged"
        if self._update and is_source and teller is source:
            self._put(pointer, reworded(ours, theirs))
            return "updated"
        self._refuse(pointer, (ours, theirs), source, is_source=is_source)
        return "unchanged"

    def _refuse(self, pointer: Pointer, sides: tuple[Any, Any], source: Source, *, is_source: bool) -> None:
        """Tell of a contradiction, at the first thing in which both sides differ."""
        teller = self._told_by.get(pointer, source)
        within = difference(*map(structure, sides))
        whose = "the contract's"
        if teller is not source:
            whose, todo = f"that of {teller.name}", "the two contradict each other; leave one of them out"
        elif is_source:
            todo = "--update takes it from the page"
        else:
            todo = "it did not come from this page; rename one of the two, or change the contract by hand"
        inside = f" at '{'/'.join(within)}'" if within else ""
        told = f"{_what(pointer)} differs from {whose}{inside}: {todo}"
        other = (teller if teller is not source else self).place((*pointer, *within))
        place = source.place((*pointer, *within))
        self.refused.append(Diagnostic(place, told, "contradiction", Severity.ERROR, other))

    def place(self, pointer: Pointer) -> SourceLocation | None:
        """Return where the value at `pointer` stands in the contract; None before there is one."""
        teller = self._told_by.get(pointer[:3])
        if teller and not self._has(pointer[:3]):
            return teller.place(pointer)
        return self._document.place(pointer) if self._document else None

    def _has(self, pointer: Pointer) -> bool:
        try:
            lookup(self._document.data if self._document else None, pointer)
        except PointerNotFound:
            return False
        return True

    def notes(self, contract: Contract) -> list[Diagnostic]:
        """Tell where ours stayed though the page has it otherwise, at places of the contract that came of it."""
        return [
            Diagnostic(contract.place(pointer), told, "ours-stays", Severity.INFO, source.place(pointer))
            for pointer, (told, source) in self._notes.items()
        ]

    def _note(self, pointer: Pointer, what: str, source: Source) -> None:
        self._notes.setdefault(pointer, (f"{what} differs from the page's; ours stays", source))

    def _ours(self, pointer: Pointer) -> Any:
        try:
            return lookup(self.wanted, pointer)
        except PointerNotFound:
            return ABSENT

    def _put(self, pointer: Pointer, value: Any) -> None:
        self.wanted = _with(self.wanted, pointer, value)


def _with(data: dict[str, Any] | None, pointer: Pointer, value: Any) -> Any:
    """Copy data, with another value at `pointer`; what is not on the way is shared."""
    if not pointer:
        return value
    head, *rest = pointer
    data = data or {}
    return {**data, head: _with(data.get(head), tuple(rest), value)}


def _operations(data: dict[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    for path, item in data["paths"].items():
        for method in METHODS:
            if not path.startswith("x-") and method in item:
                yield ("paths", path, method), item[method]


def _what(pointer: Pointer) -> str:
    """Name an operation, a path, or a component, as a person would."""
    match pointer:
        case ("paths", path, method):
            return f"{method.upper()} {path}"
        case ("paths", path):
            return f"what all methods of {path} share"
        case _:
            return "/".join(pointer)
