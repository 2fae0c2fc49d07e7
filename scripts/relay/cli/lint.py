"""`relay lint`: every error and weakness of a contract, in one pass."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from relay.contract.diagnostics import Rule

from .options import ContractFile
from .output import tool
from .report import format_option, report_findings, rules_option

EXAMPLES = """\b
Examples:
  relay lint spec/openapi.yaml
  relay lint api.yaml --format github
  generate-contract | relay lint -
"""


STDIN = Path("-")


def _rules() -> Mapping[str, Rule]:
    from relay.lint.lint_rules import RULES

    return RULES


@click.command(epilog=EXAMPLES)
@click.argument("spec", required=False, type=ContractFile())
@click.option("--notes", is_flag=True, help="Print notes, too, such as the strength of each response.")
@rules_option(_rules)
@format_option
def lint(spec: Path | None, form: str, *, notes: bool) -> None:
    """Check a contract for errors and weaknesses.

    SPEC is an OpenAPI 3.0 file, by default the project's contract; - reads standard input, whose
    references are relative to the working directory. An error keeps
    `relay serve` from starting, or a caller from relying on the contract; a warning is a question that
    a reader would ask. A response is weak when its schema accepts too many mutations of its example:
    parts that are removed, set to null, emptied or of another type.

    Exit code 0: no error; 1: an error; 2: the contract cannot be read.
    """
    with tool():
        from relay.lint import lint
        from relay.project.settings import chosen

        given = chosen(spec)
        source = sys.stdin.buffer.read() if spec == STDIN else None
        findings = lint(given.spec, source, given.contract_root)
        is_complete = notes or form in ("json", "junit")
        report_findings("lint", [one for one in findings if is_complete or one.severity != "info"], form)
