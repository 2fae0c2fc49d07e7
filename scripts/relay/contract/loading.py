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
    """Read a contract from one file and all that it refers to.

    Raises SetupError with every problem found: unreadable files, duplicate keys, dangling `$ref`s,
    a structure that is not OpenAPI 3.0, operations that cannot be told apart.
    """
    return build_contract(*parse_document(path.resolve()))


def build_contract(root: Document, problems: Iterable[Diagnostic] = ()) -> Contract:
    """Make a contract of a document that was read, with these problems, and all that it refers to.

    Raises SetupError as `load_contract` does.
    """
    bundle, found = bundled(root, problems)
    found += check_structure(bundle)
    if found:
        raise SetupError(found)
    single_yaml = bundle.is_single and root.path.suffix != ".json"
    contract = Contract(bundle, root.source if single_yaml else None)
    if problems := check_operations(contract):
        raise SetupError(problems)
    return contract


def bundled(root: Document, problems: Iterable[Diagnostic] = ()) -> tuple[Bundle, list[Diagnostic]]:
    """Take in what a document refers to as far as it goes; return what cannot be read, these problems included.

    Raises SetupError for one that is not OpenAPI 3.0.
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
        found = "it does not say which version it is" if version is None else f"it says {version}"
        message = f"not an OpenAPI 3.0 document: {found}, and has to say `openapi: 3.0.3`"
        raise SetupError([Diagnostic(root.place(("openapi",)), message, "openapi-version")])
