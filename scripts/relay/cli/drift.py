"""`relay drift`: whether contract, handlers and generated types are still one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from relay.contract.diagnostics import Diagnostic

from .options import chosen, handlers_option, spec_option
from .output import tool
from .report import format_option, report_findings

if TYPE_CHECKING:
    from relay.contract.model import Contract

EXAMPLES = """\b
Examples:
  relay drift
  relay drift --spec api.yaml --handlers shop --format junit
"""


@click.command(epilog=EXAMPLES)
@spec_option
@handlers_option
@format_option
def drift(*, spec: Path | None, handlers: str | None, form: str) -> None:
    """Tell where contract, handlers and types disagree.

    The package is read, never imported. What is told: operations without a handler and handlers without
    an operation, arguments and annotations that are not the contract's, types that are out of date, and
    failures that the contract does not document as they would be answered.

    Exit code 0: they agree; 1: an error was found; 2: a contract or package cannot be read.
    """
    with tool():
        from relay.contract.loading import load_contract

        path, package = chosen(spec, handlers)
        contract = load_contract(path)
        findings = find_drift(path, contract, package)
    count = len(contract.operations)
    agree = f"{count} operation{'s' * (count != 1)}, handlers and types agree"
    report_findings("drift", findings, form, agree)


def find_drift(path: Path, contract: Contract, package: str) -> list[Diagnostic]:
    """Return where the contract that was read from `path` and a package disagree.

    Raises SetupError for a package that is not there, or cannot be read.
    """
    from relay.codegen.drift import check
    from relay.codegen.package_state import State
    from relay.codegen.types_module import generate_types
    from relay.contract.diagnostics import Diagnostic, SetupError
    from relay.project.package_source import read_sources

    sources = read_sources(package)
    if not sources.folder.is_dir():
        message = f"there is no package '{package}' here; `relay regenerate` makes it"
        raise SetupError([Diagnostic("RELAY_HANDLERS", message)])
    return list(check(State(contract, sources, generate_types(contract), path)))
