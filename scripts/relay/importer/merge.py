"""Merge pages into a contract: add what is new, keep what exists, refuse contradictions.

The merge works on plain data; `text_edit.py` edits the contract's text to match the result.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.contract.documents import Document, Pointer
from relay.contract.model import ABSENT, Contract, Operation
from relay.contract.pointers import PointerNotFound, exists, lookup, parse_pointer
from relay.contract.versions import version_of

from .operation_parts import operation_fields, operations_of, part_name, shared_fields, written_item
from .pages import Source
from .prose import difference, reworded, same, structure
from .sources_lock import Lock, components_of

Verb = Literal["added", "updated", "unchanged"]


class Outcome(NamedTuple):
    """The result of the merge for one operation of a source."""

    source: Source
    operation: Operation
    verb: Verb


class Merge:
    """A contract into which sources are merged one by one; with `update`, what came from their pages is replaced.

    `wanted` is the merged data, `outcomes` has one entry for each operation, `refused` has the
    contradictions. `document` is None for a contract that does not exist yet.
    """

    def __init__(
        self, document: Document | None, lock: Lock, sources: Iterable[Source] = (), *, update: bool = False
    ) -> None:
        self.wanted: dict[str, Any] = document.data if document else {}
        self.outcomes: list[Outcome] = []
        self.refused: list[Diagnostic] = []
        self._document = document
        self._lock = lock
        self._update = update
        self._notes: dict[Pointer, tuple[str, Source]] = {}
        self._first_sources: dict[Pointer, Source] = {}
        for source in sources:
            self._merge(source)

    def _merge(self, source: Source) -> None:
        """Merge everything in a source; of a version that differs, only what the contract has already."""
        theirs = source.contract.version
        ours = version_of(self.wanted) or theirs
        # 3.2 has all keywords of 3.1, with the same meaning.
        if theirs == ours or (theirs, ours) == ("3.1", "3.2") or self._has_all(source):
            self._merge_all(source)
        else:
            todo = "move the contract" if ours < theirs else "save its OpenAPI as a file, and move that"
            message = (
                f"the page is OpenAPI {theirs}, and the contract is {ours}, which has other keywords: {todo} up with "
                "`relay upgrade`"
            )
            self._add_refused("other-version", message, source.place(("openapi",)), self.place(("openapi",)))

    def _has_all(self, source: Source) -> bool:
        trial = Merge(self._document, self._lock)
        trial.wanted = self.wanted
        trial._merge_all(source)
        return not trial.refused and same(trial.wanted, self.wanted)

    def _add_refused(
        self, rule: str, message: str, place: SourceLocation, other: SourceLocation | None
    ) -> None:
        self.refused.append(Diagnostic(place, message, rule, other=other))

    def _merge_all(self, source: Source) -> None:
        self._merge_root(source)
        self._merge_tags(source)
        operations = source.contract.operations
        mine = [operation for operation in operations if self._lock.is_source(source, operation)]
        is_source = bool(mine)
        parts = {
            ("components", section, name): value
            for section, values in (source.data.get("components") or {}).items()
            if not section.startswith("x-")
            for name, value in values.items()
        }
        verbs = {at: self._merge_part(at, value, source, is_source=is_source) for at, value in parts.items()}
        for name, value in (source.data.get("webhooks") or {}).items():
            self._merge_part(("webhooks", name), value, source, is_source=is_source)
        changed = {pointer for pointer, verb in verbs.items() if verb != "unchanged"}
        for operation in operations:
            verb = self._merge_operation(source, operation, is_source=operation in mine)
            used = {parse_pointer(ref[1:])[:3] for ref in components_of(source.contract, operation)}
            if verb == "unchanged" and changed & used:
                verb = "updated"
            self.outcomes.append(Outcome(source, operation, verb))

    def _merge_root(self, source: Source) -> None:
        """Copy the root fields into an empty contract; in an existing one only note differences."""
        if not self.wanted:
            empty: dict[str, Any] = {"paths": {}, "components": {}, "webhooks": {}, "tags": []}
            self.wanted = {key: empty.get(key, value) for key, value in source.data.items()}
        sections = ("paths", "components", "webhooks", "tags")
        for key, value in source.data.items():
            ours = self._ours((key,))
            if key not in sections and (ours is ABSENT or not same(ours, value)):
                self._note((key,), f"'{key}'", source)

    def _merge_tags(self, source: Source) -> None:
        tags = [*(self.wanted.get("tags") or [])]
        places = {tag["name"]: at for at, tag in reversed([*enumerate(tags)])}
        for tag in source.data.get("tags") or []:
            at = places.setdefault(tag["name"], len(tags))
            if at == len(tags):
                tags.append(tag)
            elif not same(tags[at], tag):
                self._note(("tags", str(at)), f"the tag '{tag['name']}'", source)
        if "tags" in self.wanted:
            self.wanted = {**self.wanted, "tags": tags}
        elif tags:
            entries = list(self.wanted.items())
            entries.insert(list({**self.wanted, "paths": {}}).index("paths"), ("tags", tags))
            self.wanted = dict(entries)

    def _merge_operation(self, source: Source, operation: Operation, *, is_source: bool) -> Verb:
        item = written_item(source.data, operation.path)
        value = lookup(item, operation.pointer[2:])
        default_security = source.data.get("security") or []
        if "security" not in value and not same(default_security, self.wanted.get("security") or []):
            value = {**value, "security": default_security}  # the page's default must not get lost
        self._merge_shared(source, operation, item, is_source=is_source)
        self._check_id(source, operation)
        return self._merge_part(operation.pointer, value, source, is_source=is_source)

    def _merge_shared(
        self, source: Source, operation: Operation, item: dict[str, Any], *, is_source: bool
    ) -> None:
        pointer = operation.pointer[:2]
        theirs = shared_fields(item)
        ours = self._ours(pointer)
        if ours is ABSENT:
            self._put(pointer, theirs)
            return
        shared = shared_fields(ours)
        if same(structure(shared), structure(theirs)):
            return
        if self._update and is_source and "$ref" not in ours:
            self._put(pointer, {**reworded(shared, theirs), **operation_fields(ours)})
        else:
            self._refuse(pointer, (shared, theirs), source, is_source=is_source)

    def _check_id(self, source: Source, operation: Operation) -> None:
        """Refuse an operationId that another operation has; function names derive from it."""
        for pointer, value in operations_of(self.wanted):
            if value.get("operationId") == operation.id and pointer != operation.pointer:
                message = (
                    f"{operation} has the operationId '{operation.id}' of {part_name(pointer)}; "
                    "change one of the two, or remove the old operation from the contract"
                )
                place = source.place((*operation.pointer, "operationId"))
                self._add_refused("operation-id-taken", message, place, self.place(pointer))

    def _merge_part(self, pointer: Pointer, theirs: Any, source: Source, *, is_source: bool) -> Verb:
        ours = self._ours(pointer)
        first_source = self._first_sources.setdefault(pointer, source)
        if ours is ABSENT:
            self._put(pointer, theirs)
            return "added"
        if same(structure(ours), structure(theirs)):
            if not same(ours, theirs):
                self._note(pointer, f"the wording of {part_name(pointer)}", source)
            return "unchanged"
        if self._update and is_source and first_source is source:
            self._put(pointer, reworded(ours, theirs))
            return "updated"
        self._refuse(pointer, (ours, theirs), source, is_source=is_source)
        return "unchanged"

    def _refuse(self, pointer: Pointer, sides: tuple[Any, Any], source: Source, *, is_source: bool) -> None:
        """Record a contradiction at the first difference between both sides."""
        first_source = self._first_sources.get(pointer, source)
        within = difference(*map(structure, sides))
        whose = "the contract's"
        if first_source is not source:
            whose = f"that of {first_source.name}"
            todo = "the two pages contradict each other; leave out one of them"
        elif is_source:
            todo = "use --update to import the page's version"
        else:
            todo = "it was not imported from this page; rename one of the two, or change the contract by hand"
        inside = f" at '{'/'.join(within)}'" if within else ""
        message = f"{part_name(pointer)} differs from {whose}{inside}: {todo}"
        other = (first_source if first_source is not source else self).place((*pointer, *within))
        place = source.place((*pointer, *within))
        self._add_refused("contradiction", message, place, other)

    def place(self, pointer: Pointer) -> SourceLocation | None:
        """Return the location of the value at `pointer` in the contract; None if there is no contract yet."""
        length = 4 if pointer[:4] in self._first_sources else 3
        first_source = self._first_sources.get(pointer[:length])
        if first_source and not (self._document and exists(self._document.data, pointer[:length])):
            return first_source.place(pointer)
        return self._document.place(pointer) if self._document else None

    def notes(self, contract: Contract) -> list[Diagnostic]:
        """Return notes on what the contract kept although the page differs; `contract` is the merged one."""
        return [
            Diagnostic(contract.place(pointer), message, "ours-stays", Severity.INFO, source.place(pointer))
            for pointer, (message, source) in self._notes.items()
        ]

    def _note(self, pointer: Pointer, what: str, source: Source) -> None:
        message = f"{what} differs from the page's; the contract is not changed"
        self._notes.setdefault(pointer, (message, source))

    def _ours(self, pointer: Pointer) -> Any:
        try:
            return lookup(self.wanted, pointer)
        except PointerNotFound:
            return ABSENT

    def _put(self, pointer: Pointer, value: Any) -> None:
        self.wanted = _with(self.wanted, pointer, value)


def _with(data: dict[str, Any] | None, pointer: Pointer, value: Any) -> Any:
    """Return a copy of data with another value at `pointer`; unchanged parts are shared."""
    if not pointer:
        return value
    head, *rest = pointer
    data = data or {}
    return {**data, head: _with(data.get(head), tuple(rest), value)}
