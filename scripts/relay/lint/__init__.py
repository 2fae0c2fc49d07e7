"""Lints a contract: reports errors, weak schemas and questionable names in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import parse_document, parse_source
from relay.contract.loading import build_contract, resolved
from relay.contract.model import Contract

from .ambiguous_paths import check_paths
from .compilation import check_serving
from .dangling_targets import check_targets
from .discriminator_defaults import check_defaults
from .endless_schemas import check_finite
from .event_schemas import check_events
from .example_values import check_examples
from .identifiers import check_identifiers
from .lint_rules import RULES
from .path_keys import check_path_keys
from .python_names import check_names
from .schema_strength import check_strength
from .schema_wording import check_wording
from .tag_list import check_tags
from .undocumented_responses import check_responses
from .unique_names import check_unique_names
from .unsecured_operations import check_security
from .unused_components import check_unused

__all__ = ["RULES", "lint", "lint_contract"]

_CHECKS: tuple[Callable[[Contract], Iterable[Diagnostic]], ...] = (
    check_unused,
    check_names,
    check_tags,
    check_unique_names,
    check_paths,
    check_path_keys,
    check_targets,
    check_defaults,
    check_finite,
    check_security,
    check_serving,
    check_wording,
    check_identifiers,
    check_examples,
    check_events,
    check_responses,
    check_strength,
)


def lint(
    path: Path,
    source: bytes | None = None,
    folder: Path | None = None,
    names: ChosenNames | None = None,
) -> list[Diagnostic]:
    """Return all findings of a contract, unsorted; it is read from `source` if that is given.

    Its other files must be within `folder`, as for `load_contract`. A part that cannot be read is reported and
    skipped; the rest is still checked. `names` are those that the project chooses. Raises SetupError if the file cannot be read.
    """
    path = resolved(path)
    try:
        parsed = parse_document(path) if source is None else parse_source(path, source)
        contract = build_contract(*parsed, folder)
    except SetupError as exc:
        if any(problem.rule == "unreadable" for problem in exc.problems):
            raise
        return exc.problems
    names = names or ChosenNames()
    return [*contract.chosen_name_problems(names), *lint_contract(contract.renamed(names))]


def lint_contract(contract: Contract) -> list[Diagnostic]:
    """Return all findings of a contract, unsorted."""
    left_out = [one.reason for one in contract.left_out]
    return [*contract.faults, *left_out, *(one for check in _CHECKS for one in check(contract))]
