"""What is wrong with a contract, or weak about it: every finding of one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.model import Contract
from relay.contract.structure import check_operations

from .ambiguous_paths import check_paths
from .compilation import check_serving
from .example_values import check_examples
from .lint_rules import RULES
from .partial_contract import read, second_opinion
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


def lint(path: Path) -> list[Diagnostic]:
    """Return everything there is to say of a contract, in no order.

    What cannot be read is told and left out; the rest is checked all the same. Raises SetupError for a
    file that is not there.
    """
    return list(_findings(path))


def _findings(path: Path) -> Iterator[Diagnostic]:
    reading = read(path)
    yield from reading.findings
    if reading.contract is None:
        return
    yield from check_unused(reading.bundle_data, reading.contract)
    found = [finding for check in _CHECKS for finding in check(reading.contract)]
    yield from found
    if not any(finding.severity is Severity.ERROR for finding in [*reading.findings, *found]):
        yield from second_opinion(reading.contract)
