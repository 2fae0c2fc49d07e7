"""Plans the upgrade of a contract: the new content of each file, and what has no equal."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Document, parse_document
from relay.contract.loading import resolved
from relay.importer.block_text import Writer
from relay.importer.text_edit import read_back
from relay.importer.text_tree import plain

from .contract_files import ContractFiles, File
from .findings import Findings
from .from_3_0 import upgrade_3_0
from .from_3_1 import upgrade_3_1
from .swagger_2 import upgrade_swagger_2

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
    """Plan the upgrade of a contract and its files, by default to 3.1. Raises SetupError if there is none."""
    document, problems = parse_document(resolved(path))
    if problems:
        raise SetupError(problems)
    version = _checked_version(document, to)
    to = to or max(version, "3.1")
    files, findings = _upgraded(document, folder, to, shares=False)
    written = {path: _written(file, shares=False) for path, file in files.files.items()}
    _keep_aliases(document, folder, to, files, written)
    old = {path: file.document.source for path, file in files.files.items()}
    changed = {path: content for path, content in written.items() if content != old[path]}
    after = {path: _parsed(files.files[path], content) for path, content in written.items()}
    return Upgrade(
        version,
        to,
        document.source,
        {path: old[path] for path in changed},
        changed,
        [finding.at(finding.old or document.place(())) for finding in findings],
        _places_after(files, findings, after, document),
    )


def _checked_version(document: Document, to: str | None) -> str:
    data = document.data if isinstance(document.data, dict) else {}
    key = "swagger" if "swagger" in data else "openapi"
    if key not in data:
        raise _refused(document, "is no contract: it has neither `swagger` nor `openapi`")
    written = str(data[key])
    version = "2.0" if written == "2.0" else ".".join(written.split(".")[:2])
    if version not in VERSIONS or (key == "swagger") != (version == "2.0"):
        name = "Swagger" if key == "swagger" else "OpenAPI"
        message = f"is {name} {written}; only Swagger 2.0 and OpenAPI 3.0 and 3.1 are upgraded"
        raise _refused(document, message, key)
    if to is not None and to < version:
        message = f"is OpenAPI {version}, and a contract is not moved back to {to}"
        raise _refused(document, message, key)
    return version


def _refused(document: Document, message: str, *at: str) -> SetupError:
    return SetupError([Diagnostic(document.place(at), message, "openapi-version")])


def _upgraded(
    document: Document, folder: Path | None, to: str, *, shares: bool
) -> tuple[ContractFiles, Findings]:
    files, findings = ContractFiles(document, folder, shares=shares), Findings()
    while (version := files.root.own_version) is not None and version < to:
        _STEPS[version](files, findings)
    for holder in files.outside.values():
        message = f"'{holder['$ref']}' leads out of the contract's folder, to a file that was not upgraded; set contract-root in [tool.relay] to a folder with both"
        findings.report("not-upgraded", holder, "$ref", message)
    files.relink()
    return files, findings


def _written(file: File, *, shares: bool) -> bytes:
    return Writer(file.source, shares=shares).written(file.root)


def _keep_aliases(
    document: Document, folder: Path | None, to: str, files: ContractFiles, written: dict[Path, bytes]
) -> None:
    """Replace the text of files with aliases by one that has them still, where that is the same data."""
    sources = {path: file.document for path, file in files.files.items()}
    having = [path for path, one in sources.items() if not one.is_json and b"&" in one.source]
    shared = _upgraded(document, folder, to, shares=True)[0].files if having else {}
    for path in having:
        if path in shared:
            content = _written(shared[path], shares=True)
            if read_back(path, content, plain(files.files[path].root)) is not None:
                written[path] = content


def _parsed(file: File, content: bytes) -> Document:
    """Parse what is about to be written. Raises SetupError if it is not what was meant."""
    is_same = content == file.document.source
    document = file.document if is_same else read_back(file.path, content, plain(file.root))
    if document is None:
        message = "cannot be edited in place: write out its aliases, merge keys and keys with `?`"
        raise SetupError([Diagnostic(file.document.place(()), message)])
    return document


def _places_after(
    files: ContractFiles, findings: Findings, after: dict[Path, Document], document: Document
) -> list[Diagnostic]:
    """Return the findings at their places in the new files; what is no longer there has the place of the file."""
    places = files.places() if findings else {}
    found = []
    for finding in findings:
        path, pointer = places.get(id(finding.owner), (document.path, ()))
        if id(finding.owner) in places and finding.key is not None and finding.key in finding.owner:
            pointer = (*pointer, finding.key)
        found.append(finding.at(after[path].place(pointer)))
    return found
