"""Read a contract from its files and check that it is OpenAPI 3.0."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .bundling import Bundle
from .diagnostics import Diagnostic, SetupError
from .documents import Document, parse_document
from .model import Contract
from .structure import check_operations, check_structure


def load_contract(path: Path) -> Contract:
    """Read a contract from one file and the files it refers to.

    Raises SetupError with every error found: unreadable files, duplicate keys, dangling `$ref`s, a structure
    that is not OpenAPI 3.0, ambiguous operations.
    """
    return build_contract(*parse_document(path.resolve()))


def build_contract(root: Document, problems: Iterable[Diagnostic] = ()) -> Contract:
    """Build a contract from a parsed document and the files it refers to.

    `problems` are the errors of parsing. Raises SetupError as `load_contract` does.
    """
    bundle, found = bundle_document(root, problems)
    found += check_structure(bundle)
    if found:
        raise SetupError(found)
    single_yaml = bundle.is_single and root.path.suffix != ".json"
    contract = Contract(bundle, root.source if single_yaml else None)
    if problems := check_operations(contract):
        raise SetupError(problems)
    return contract


def bundle_document(root: Document, problems: Iterable[Diagnostic] = ()) -> tuple[Bundle, list[Diagnostic]]:
    """Bundle a document with the files it refers to; return the bundle and all errors, including `problems`.

    Raises SetupError if the document is not OpenAPI 3.0.
    """
    try:
        _check_version(root)
    except SetupError as exc:
        raise SetupError([*problems, *exc.problems]) from exc
    bundle = Bundle(root)
    return bundle, [*problems, *bundle.problems]


def _check_version(root: Document) -> None:
    version = root.data.get("openapi") if isinstance(root.data, dict) else None
    if not (isinstance(version, str) and re.fullmatch(r"3\.0\.\d+", version)):
        found = "its version is missing" if version is None else f"its version is {version}"
        message = f"not an OpenAPI 3.0 document: {found}; set `openapi: 3.0.3`"
        raise SetupError([Diagnostic(root.place(("openapi",)), message, "openapi-version")])
