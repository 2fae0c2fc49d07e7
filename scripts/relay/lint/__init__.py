"""Lints a contract: reports errors, weak schemas and questionable names in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract
from relay.contract.structure import check_operations

from .ambiguous_paths import check_paths
from .compilation import check_serving
from .example_values import check_examples
from .lint_rules import RULES
from .partial_contract import PartialContract, read
from .python_names import check_names
from .schema_strength import check_strength
from .undocumented_responses import check_responses
from .unsecured_operations import check_security
from .unused_components import check_components, check_unused

__all__ = ["RULES", "lint"]

_CHECKS: tuple[Callable[[Contract], Iterable[Diagnostic]], ...] = (
    check_operations,
    check_names,
    check_paths,
    check_components,
    check_security,
    check_serving,
    check_examples,
    check_responses,
    check_strength,
)


def lint(path: Path, source: bytes | None = None, folder: Path | None = None) -> list[Diagnostic]:
    """Return all findings of a contract, unsorted; it is read from `source` if that is given.

    Its other files must be within `folder`, as for `load_contract`. A part that cannot be read is reported and
    skipped; the rest is still checked. Raises SetupError if the file cannot be read.
    """
    return list(_findings(read(path, source, folder)))


def _findings(partial: PartialContract) -> Iterator[Diagnostic]:
    yield from partial.findings
    if partial.contract is None:
        return
    yield from check_unused(partial.bundle_data, partial.contract)
    for check in _CHECKS:
        yield from check(partial.contract)
