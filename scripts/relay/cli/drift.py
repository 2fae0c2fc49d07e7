"""`relay drift`: whether contract, handlers and generated types agree."""

from pathlib import Path

import click

from .options import handlers_option, spec_option
from .output import tool, warn_of_faults
from .report import format_option, report_findings

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
    """Report where contract, handlers and types disagree.

    The package is read, not imported. Reported are operations without a handler and handlers without an
    operation, arguments and annotations that differ from the contract's, outdated types, errors that
    handlers raise with a status that is not documented, and a missing render_error.

    Exit code 0: they agree; 1: an error was found; 2: a contract or package cannot be read.
    """
    with tool():
        from relay.codegen.drift import find_drift
        from relay.contract.loading import load_contract
        from relay.project.settings import chosen

        project, path, package, root, names = chosen(spec, handlers)
        contract = load_contract(path, root).named(names)
        warn_of_faults(contract.warnings)
        findings = find_drift(path, contract, package, project.folder)
    count = len(contract.operations)
    agree = f"{count} operation{'s' * (count != 1)}, handlers and types agree"
    report_findings("drift", findings, form, agree)
