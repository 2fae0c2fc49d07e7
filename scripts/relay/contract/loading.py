"""Read a contract from its files and check that it is OpenAPI 3.0, 3.1 or 3.2."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shlex import quote

from .bundling import Bundle
from .canonical import canonical
from .diagnostics import Diagnostic, SetupError, errors
from .documents import Document, display, parse_document
from .model import Contract
from .operation_faults import without_faults
from .schema_limits import check_schemas
from .sound_part import SoundPart
from .structure_messages import shown
from .versions import version_of


def load_contract(path: Path, folder: Path | None = None) -> Contract:
    """Read a contract from one file and the files it refers to, which must be within `folder`.

    By default that is the contract's own. Errors that do not concern the whole are kept as `Contract.faults`, and the
    operations that cannot be served because of them as `Contract.left_out`. Raises SetupError for a folder that does
    not contain the contract, unreadable files, another version than OpenAPI 3.0, 3.1 and 3.2, and contracts beyond the limits.
    """
    return build_contract(*parse_document(resolved(path)), folder)


def faultless(contract: Contract) -> Contract:
    """Return a contract that has no faults. Raises SetupError with its faults."""
    if found := errors(contract.faults):
        raise SetupError(found)
    return contract


def resolved(path: Path) -> Path:
    """Return a path without symbolic links. Raises SetupError for what is not the name of a file."""
    try:
        return path.resolve()
    except (ValueError, OSError, RuntimeError) as exc:  # RuntimeError: a circle of symbolic links
        raise SetupError([Diagnostic(repr(str(path)), "is not the name of a file", "unreadable")]) from exc


def build_contract(
    root: Document, problems: Iterable[Diagnostic] = (), folder: Path | None = None
) -> Contract:
    """Build a contract from a parsed document and the files it refers to.

    `problems` are the errors of parsing. Raises SetupError as `load_contract` does.
    """
    bundle, faults = bundle_document(root, problems, folder)
    if any(fault.rule == "limit" for fault in faults):
        raise SetupError(faults)
    source = root.source if len(bundle.documents) == 1 and not root.is_json else None
    part = SoundPart(bundle)
    faults += part.faults
    document, found = (bundle.data, []) if bundle.version == "3.0" else canonical(bundle)
    faults += found
    if exceeded := check_schemas(document, bundle.place):
        raise SetupError([*faults, *exceeded])
    try:
        contract = Contract(bundle, document, source)
    except SetupError as exc:
        faults += exc.problems
        contract = Contract(bundle, {**document, "servers": []}, source)
    return without_faults(contract, faults, part.left_out)


def bundle_document(
    root: Document, problems: Iterable[Diagnostic] = (), folder: Path | None = None
) -> tuple[Bundle, list[Diagnostic]]:
    """Bundle a document with the files it refers to; return the bundle and all errors, including `problems`.

    Raises SetupError if the document is not OpenAPI 3.0, 3.1 or 3.2, and for files that expand to too many values.
    """
    try:
        _check_version(root)
        bundle = Bundle(root, folder)
    except SetupError as exc:
        raise SetupError([*problems, *exc.problems]) from exc
    return bundle, [*problems, *bundle.problems]


def _check_version(root: Document) -> None:
    if version_of(root.data) is not None:
        return
    data = root.data if isinstance(root.data, dict) else {}
    version, swagger = (
        None if data.get(key) is None else shown(data[key]).strip("'") for key in ("openapi", "swagger")
    )
    key = "openapi" if swagger is None else "swagger"
    found = "is missing" if version is None else f"is {version}"
    message = f"not an OpenAPI 3.0, 3.1 or 3.2 document: its version {found}; set `openapi: 3.1.1`"
    if swagger is not None:
        name = display(root.path)
        file = quote(name) if name != "-" else "CONTRACT"  # standard input
        what_to_do = "convert it to OpenAPI 3.1"
        if swagger == "2.0":
            what_to_do = f"`relay upgrade {file}` rewrites it as OpenAPI 3.1"
        message = f"is Swagger {swagger}; {what_to_do}"
    raise SetupError([Diagnostic(root.place((key,)), message, "openapi-version")])
