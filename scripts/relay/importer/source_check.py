"""`relay import --check`: what the pages say now, beside what was imported and what the contract says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import display
from relay.contract.model import Operation

from .import_sources import Reader
from .merge import Merge, merge_sources
from .pages import Source
from .sources_lock import Lock, Record
from .target_contract import Target

if TYPE_CHECKING:
    from relay.diff import Change


def check_sources(target: Target, lock: Lock, reader: Reader, given: Sequence[str]) -> list[Diagnostic]:
    """Compare pages with the lock and the contract; without any given, those of the lock that are files here.

    Raises SetupError for a page that cannot be read, and when there is nothing to compare.
    """
    if not (given or lock.records):
        raise SetupError([Diagnostic(display(lock.path), "there is none: nothing was imported yet")])
    known = {path for record in lock.records.values() if (path := lock.file(record)) and path.exists()}
    sources = reader.read(given or sorted(map(str, known)))
    findings = list(reader.notes)
    for source in sources:
        findings += _check_source(target, lock, source)
    seen = {
        (operation.path, operation.method) for source in sources for operation in source.contract.operations
    }
    unseen = [record for key, record in lock.records.items() if key not in seen]
    areas = [*reader.areas, *(source.location for source in sources)]
    return [*findings, *_check_unseen(lock, unseen, areas, all_meant=not given)]


def _check_source(target: Target, lock: Lock, source: Source) -> Iterator[Diagnostic]:
    """Tell what of a page changed since it was imported, or is not in the contract as it was."""
    now = [(operation, lock.record(source, operation)) for operation in source.contract.operations]
    known = [(operation, record, old) for operation, record in now if (old := lock.records.get(record.key))]
    for operation, record in now:
        if record.key not in lock.records:
            told = f"{operation} is not in {lock.path.name}; 'relay import {source.name}' takes it in"
            yield Diagnostic(source.place(operation.pointer), told, "page-appeared", Severity.ERROR)
    if not known:
        return
    recorded_here = Lock(lock.path, [record for _, record in now])
    merge = merge_sources(target.document, recorded_here, [source], update=True)
    changed = [operation for operation, record, old in known if record.structure != old.structure]
    if changed:
        yield from _classified(target, merge, changed[0], source)
        return
    first, record, old = known[0]
    if record.block != old.block:
        told = f"changed in its wording only; 'relay import {source.name}' takes note of it"
        yield Diagnostic(source.place(first.pointer), told, "page-reworded", Severity.ERROR)
    yield from merge.refused
    for _, operation, verb in merge.outcomes:
        if verb != "unchanged" and (operation.path, operation.method) in lock.records:
            told = f"has {operation} otherwise than it was imported; 'relay import --update {source.name}' restores it"
            yield Diagnostic(
                target.name, told, "contract-differs", Severity.ERROR, source.place(operation.pointer)
            )


def _classified(target: Target, merge: Merge, changed: Operation, source: Source) -> Iterator[Diagnostic]:
    """Tell what taking in a changed page would mean for callers."""
    from relay.diff import compare

    content = target.source if merge.refused else target.holding(merge.wanted)
    refused = merge.refused or target.breaches(content)
    if refused or target.contract is None:
        yield from refused
        return
    changes = compare(target.contract, target.contract_of(content))
    told = f"changed, {_kind(changes)}: 'relay import --update {source.name}' takes it in"
    yield Diagnostic(source.place(changed.pointer), told, "page-changed", Severity.ERROR)
    for change in changes:
        yield Diagnostic(
            source.place(change.new_pointer), change.message, change.rule, change.severity, change.old_place
        )


def _kind(changes: Sequence[Change]) -> str:
    """Say in a word what some changes do to callers."""
    if any(change.severity is Severity.ERROR for change in changes):
        return "breaking"
    return "additive" if changes else "nothing that callers notice"


def _check_unseen(
    lock: Lock, records: Sequence[Record], areas: Sequence[Path | str], *, all_meant: bool
) -> Iterator[Diagnostic]:
    """Tell which operations no page has any more, and, when all are meant, which could not be looked for."""
    name = display(lock.path)
    for record in records:
        if any(_is_within(lock.file(record) or record.page, area) for area in areas):
            told = f"{record} is gone from {record.page}; take it out of the contract and out of this file"
            yield Diagnostic(name, told, "page-vanished", Severity.ERROR)
        elif all_meant:
            told = f"{record} is not compared: {record.page} is not here; name it as a SOURCE"
            yield Diagnostic(name, told, "not-checked", Severity.INFO)


def _is_within(page: Path | str, area: Path | str) -> bool:
    if isinstance(page, Path):
        return isinstance(area, Path) and page.is_relative_to(area)
    return isinstance(area, str) and (page == area or (area.endswith("/") and page.startswith(area)))
