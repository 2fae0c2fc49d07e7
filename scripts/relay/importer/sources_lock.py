"""`sources.lock` next to the contract: the page of each operation, and digests of the page at import."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import read_document
from relay.contract.model import Contract, Operation
from relay.contract.pointers import escape, lookup, parse_pointer, references

from .https_fetch import is_address
from .operation_parts import shared_fields
from .pages import Source, file_name
from .prose import canonical, digest, structure
from .yaml_text import block

NAME = "sources.lock"

_HEADER = """\
# Where each operation of the contract came from. Written by `relay import`, compared by `relay import --check`.
#   page       the source: an address, or a file, relative to this one
#   block      digest of the page's OpenAPI block as it is, to the byte
#   structure  digest of the operation and of what it refers to, without summaries, descriptions and spacing:
#              where only `block` changed, the page says the same in other words
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One operation's entry."""

    method: str
    path: str
    operationId: str  # noqa: N815 -- as the file has it
    page: str
    block: str
    structure: str

    @property
    def key(self) -> tuple[str, str]:
        """The path and method of the operation."""
        return self.path, self.method

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


class Lock:
    """The entries of a `sources.lock`, by path and method."""

    def __init__(self, path: Path, records: Iterable[Record] = ()) -> None:
        self.path = path
        self.records = {record.key: record for record in records}

    def is_source(self, source: Source, operation: Operation) -> bool:
        """Return True if an operation came from a source; only the file names are compared."""
        record = self.records.get((operation.path, operation.method))
        if record is None:
            return False
        page = record.page if is_address(record.page) else Path(record.page)
        return file_name(page) == file_name(source.location)

    def file(self, record: Record) -> Path | None:
        """Return the file that an entry names; None if it is an address."""
        return None if is_address(record.page) else (self.path.parent / record.page).resolve()

    def record(self, source: Source, operation: Operation) -> Record:
        """Return the entry for an operation of a source."""
        page = source.location
        if isinstance(page, Path):
            page = Path(os.path.relpath(page, self.path.parent.resolve())).as_posix()
        whole = _structure_digest(source.contract, operation)
        return Record(operation.method, operation.path, operation.id, page, digest(source.block), whole)

    def with_records(self, records: Iterable[Record]) -> Lock:
        """Return the lock with new entries; an old entry stays if only the page's location differs."""
        merged = dict(self.records)
        for record in records:
            old = merged.get(record.key)
            if old is None or replace(old, page=record.page) != record:
                merged[record.key] = record
        return Lock(self.path, merged.values())

    def as_yaml(self) -> str:
        """Return the file's text; entries are sorted by path, so that diffs stay small."""
        rows = [asdict(self.records[key]) for key in sorted(self.records)]
        return _HEADER + block({"operations": rows})


def read_lock(path: Path) -> Lock:
    """Read a lock; a missing file is an empty lock. Raises SetupError for an invalid entry."""
    if not path.exists():
        return Lock(path)
    document = read_document(path)
    rows = document.data.get("operations") if isinstance(document.data, dict) else None
    names = {field.name for field in fields(Record)}
    for index, row in enumerate(rows if isinstance(rows, list) else [None]):
        if not (isinstance(row, dict) and set(row) == names and set(map(type, row.values())) == {str}):
            has = ", ".join(sorted(names))
            message = f"is not a valid entry, which has {has}; delete it, and import its page again"
            raise SetupError([Diagnostic(document.place(("operations", str(index))), message)])
    return Lock(path, [Record(**row) for row in rows or []])


def components_of(contract: Contract, operation: Operation) -> dict[str, Any]:
    """Return the components that an operation uses, directly or indirectly, by `$ref`."""
    needed: dict[str, Any] = {
        f"#/components/securitySchemes/{escape(name)}": contract.security_schemes[name]
        for requirement in operation.security
        for name in requirement
    }
    pending = [ref for _, ref in references(_own(contract, operation))]
    while pending:
        ref = pending.pop()
        if ref not in needed:
            needed[ref] = lookup(contract.document, parse_pointer(ref[1:]))
            pending += [more for _, more in references(needed[ref])]
    return needed


def _structure_digest(contract: Contract, operation: Operation) -> str:
    security = [dict(requirement) for requirement in operation.security]
    needs = {ref: structure(value) for ref, value in components_of(contract, operation).items()}
    whole = {"path": structure(_own(contract, operation)), "security": security, "needs": needs}
    return digest(canonical(whole).encode())


def _own(contract: Contract, operation: Operation) -> dict[str, Any]:
    item = contract.resolve(contract.document["paths"][operation.path])
    field, *name = operation.pointer[2:]
    own = {name[0]: item[field][name[0]]} if name else item[field]
    shared = shared_fields(item)
    return {key: own if key == field else item[key] for key in item if key == field or key in shared}
