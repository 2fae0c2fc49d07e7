"""Lints a contract: reports errors, weak schemas and questionable names in one pass.

A rule is an entry of `lint_rules.py`, and a `yield` of its id, the place and the message in a function of `_CHECKS`.
"""

from __future__ import annotations

from pathlib import Path

from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import parse_document, parse_source
from relay.contract.loading import build_contract, resolved
from relay.contract.model import Contract

from .endless_schemas import check_finite
from .event_schemas import check_events
from .example_values import check_examples
from .lint_rules import RULES, Check, findings
from .names import check_names, check_tags, check_unique_names
from .operations import check_responses, check_security, check_serving
from .paths import check_path_keys, check_paths
from .references import check_defaults, check_targets, check_unused
from .schema_strength import check_strength
from .schema_wording import check_identifiers, check_wording

__all__ = ["RULES", "lint", "lint_contract"]

_CHECKS: tuple[Check, ...] = (
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
    path: Path, source: bytes | None = None, folder: Path | None = None, names: ChosenNames | None = None
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
    return [*contract.faults, *left_out, *(one for check in _CHECKS for one in findings(check, contract))]
