"""`relay import --check`: compare the pages with what was imported and with the contract."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import display
from relay.contract.model import Operation

from .import_sources import Reader
from .merge import Merge
from .pages import Source
from .sources_lock import Lock, Record
from .target_contract import Target


def check_sources(target: Target, lock: Lock, reader: Reader, given: Sequence[str]) -> list[Diagnostic]:
    """Compare pages with the lock and the contract; by default, all pages of the lock that are existing files.

    Raises SetupError for a page that cannot be read, and if there is nothing to compare.
    """
    if not (given or lock.records):
        raise SetupError([Diagnostic(display(lock.path), "does not exist: nothing was imported yet")])
    known = {path for record in lock.records.values() if (path := lock.file(record)) and path.exists()}
    sources = reader.read(given or sorted(map(str, known)))
    findings = list(reader.notes)
    for source in sources:
        findings += _check_source(target, lock, source)
    checked = {(one.path, one.method) for source in sources for one in source.contract.operations}
    unchecked = [record for key, record in lock.records.items() if key not in checked]
    areas = [*reader.areas, *(source.location for source in sources)]
    return [*findings, *_check_missing(lock, unchecked, areas, all_requested=not given)]


def _check_source(target: Target, lock: Lock, source: Source) -> Iterator[Diagnostic]:
    """Find what changed in a page since its import, and what differs in the contract from the import."""
    now = [(operation, lock.record(source, operation)) for operation in source.contract.operations]
    known = [(operation, record, old) for operation, record in now if (old := lock.records.get(record.key))]
    for operation, record in now:
        if record.key not in lock.records:
            message = f"{operation} is not in {lock.path.name}; 'relay import {source.name}' adds it"
            yield Diagnostic(source.place(operation.pointer), message, "page-appeared")
    if not known:
        return
    recorded_here = Lock(lock.path, [record for _, record in now])
    merge = Merge(target.document, recorded_here, [source], update=True)
    changed = [operation for operation, record, old in known if record.structure != old.structure]
    if changed:
        yield from _classified(target, merge, changed[0], source)
        return
    first, record, old = known[0]
    if record.block != old.block:
        message = f"only its wording changed; 'relay import {source.name}' records that"
        yield Diagnostic(source.place(first.pointer), message, "page-reworded")
    yield from merge.refused
    for _, operation, verb in merge.outcomes:
        if verb != "unchanged" and (operation.path, operation.method) in lock.records:
            message = f"{operation} differs from what was imported; 'relay import --update {source.name}' restores it"
            place = source.place(operation.pointer)
            yield Diagnostic(target.name, message, "contract-differs", other=place)


def _classified(target: Target, merge: Merge, changed: Operation, source: Source) -> Iterator[Diagnostic]:
    from relay.diff import compare

    _, contract, refused = target.merged(merge)
    if contract is None or target.contract is None:
        yield from refused
        return
    changes = compare(target.contract, contract)
    is_breaking = any(change.severity is Severity.ERROR for change in changes)
    kind = "breaking" if is_breaking else "additive" if changes else "no effect on clients"
    message = f"changed, {kind}: 'relay import --update {source.name}' imports the change"
    yield Diagnostic(source.place(changed.pointer), message, "page-changed")
    for one in changes:
        yield Diagnostic(source.place(one.new_pointer), one.message, one.rule, one.severity, one.old_place)


def _check_missing(
    lock: Lock, records: Sequence[Record], areas: Sequence[Path | str], *, all_requested: bool
) -> Iterator[Diagnostic]:
    """Report operations that their pages no longer have, and, if all were requested, pages that are missing."""
    name = display(lock.path)
    for record in records:
        if any(_is_within(lock.file(record) or record.page, area) for area in areas):
            message = (
                f"{record} is no longer in {record.page}; remove it from the contract and from this file"
            )
            yield Diagnostic(name, message, "page-vanished")
        elif all_requested:
            message = f"{record} was not compared: {record.page} does not exist here; name it as a SOURCE"
            yield Diagnostic(name, message, "not-checked", Severity.INFO)


def _is_within(page: Path | str, area: Path | str) -> bool:
    if isinstance(page, Path):
        return isinstance(area, Path) and page.is_relative_to(area)
    return isinstance(area, str) and (page == area or (area.endswith("/") and page.startswith(area)))
