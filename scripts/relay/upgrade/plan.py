"""Plans the upgrade of a contract: the new content of each file, and what has no equal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Document, parse_document, parse_source
from relay.contract.loading import resolved
from relay.importer.prose import same

from .block_text import Writer
from .contract_files import ContractFiles, File, containers, refused
from .findings import Findings
from .from_3_0 import upgrade_3_0
from .from_3_1 import upgrade_3_1
from .swagger_2 import upgrade_swagger_2
from .tree import plain

VERSIONS = ("2.0", "3.0", "3.1", "3.2")
_STEPS: dict[str, Callable[[ContractFiles, Findings], None]] = {
    "2.0": upgrade_swagger_2,
    "3.0": upgrade_3_0,
    "3.1": upgrade_3_1,
}


class Upgrade(NamedTuple):
    """The files that change, before and after, and the findings at their places before and after."""

    version: str
    to: str
    source: bytes
    before: dict[Path, bytes]
    after: dict[Path, bytes]
    findings_before: list[Diagnostic]
    findings_after: list[Diagnostic]


def plan_upgrade(path: Path, to: str | None = None, folder: Path | None = None) -> Upgrade:
    """Plan the upgrade of a contract and all its files; without `to`, to 3.1, or nothing if it is newer.

    Raises SetupError for files that cannot be read, for other documents, and for a version older than the contract's.
    """
    document, problems = parse_document(resolved(path))
    if problems:
        raise SetupError(problems)
    version = _checked_version(document, to)
    to = to or max(version, "3.1")
    files, findings = _upgraded(document, folder, to, shares=False)
    written = {
        path: Writer(file.source, shares=False).written(file.root) for path, file in files.files.items()
    }
    _keep_aliases(document, folder, to, files, written)
    changed = {
        path: content for path, content in written.items() if content != files.files[path].document.source
    }
    after = {path: _parsed(files.files[path], content) for path, content in written.items()}
    return Upgrade(
        version,
        to,
        document.source,
        {path: files.files[path].document.source for path in changed},
        changed,
        [finding.at(finding.old or document.place(())) for finding in findings],
        _places_after(files, findings, after, document),
    )


def _checked_version(document: Document, to: str | None) -> str:
    data = document.data if isinstance(document.data, dict) else {}
    if "swagger" not in data and "openapi" not in data:
        raise refused(document, "is no contract: it has neither `swagger` nor `openapi`")
    name = "Swagger" if "swagger" in data else "OpenAPI"
    key = name.lower()
    written = str(data[key])
    version = "2.0" if written == "2.0" else ".".join(written.split(".")[:2])
    if version not in VERSIONS or (name == "Swagger") != (version == "2.0"):
        raise refused(
            document, f"is {name} {written}; only Swagger 2.0 and OpenAPI 3.0 and 3.1 are upgraded", key
        )
    if to is not None and to < version:
        raise refused(document, f"is OpenAPI {version}, and a contract is not moved back to {to}", key)
    return version


def _upgraded(
    document: Document, folder: Path | None, to: str, *, shares: bool
) -> tuple[ContractFiles, Findings]:
    files, findings = ContractFiles(document, folder, shares=shares), Findings()
    while (version := files.root.own_version) is not None and version < to:
        _STEPS[version](files, findings)
    for holder in files.outside:
        message = f"'{holder['$ref']}' leads out of the contract's folder, to a file that was not upgraded; set contract-root in [tool.relay] to a folder with both"
        findings.not_upgraded(holder, "$ref", message)
    files.relink()
    return files, findings


def _keep_aliases(
    document: Document, folder: Path | None, to: str, files: ContractFiles, written: dict[Path, bytes]
) -> None:
    """Replace the text of files with aliases by one that has them still, where that is the same data."""
    having = [
        path
        for path, file in files.files.items()
        if not file.document.is_json and b"&" in file.document.source
    ]
    if not having:
        return
    shared, _ = _upgraded(document, folder, to, shares=True)
    for path in having:
        if path in shared.files:
            content = Writer(shared.files[path].source, shares=True).written(shared.files[path].root)
            if _read(files.files[path], content) is not None:
                written[path] = content


def _read(file: File, content: bytes) -> Document | None:
    """Parse what is about to be written; None if it is not what was meant."""
    try:
        document, problems = parse_source(file.path, content)
    except SetupError:
        return None
    return document if not problems and same(document.data, plain(file.root)) else None


def _parsed(file: File, content: bytes) -> Document:
    """Parse what is about to be written. Raises SetupError if it is not what was meant."""
    if content == file.document.source:
        return file.document
    document = _read(file, content)
    if document is None:
        message = "cannot be edited in place: write out its aliases, merge keys and keys with `?`"
        raise SetupError([Diagnostic(file.document.place(()), message)])
    return document


def _places_after(
    files: ContractFiles, findings: Findings, after: dict[Path, Document], document: Document
) -> list[Diagnostic]:
    """Return the findings at their places in the new files; what is no longer there has the place of the file."""
    places: dict[int, tuple[Path, tuple[str, ...]]] = {}
    for path, file in files.files.items() if any(findings) else ():
        for pointer, value in containers(file.root):
            places.setdefault(id(value), (path, pointer))
    found = []
    for finding in findings:
        at: Any = places.get(id(finding.owner))
        place = after[document.path].place(())
        if at is not None:
            path, pointer = at
            inner = (finding.key,) if finding.key is not None and finding.key in finding.owner else ()
            place = after[path].place((*pointer, *inner))
        found.append(finding.at(place))
    return found
