"""`relay lint`: every error and weakness of a contract, in one pass."""

import sys
from pathlib import Path

import click

from .options import ContractFile
from .output import tool
from .report import format_option, report_findings, rules_option

EXAMPLES = """\b
Examples:
  relay lint spec/openapi.yaml
  relay lint api.yaml --format github
  relay lint --all --rule missing-error-response
Report only what is new since a day on which you accepted the rest:
  relay lint --format json > lint.json
  relay lint --baseline lint.json
  generate-contract | relay lint -
"""


STDIN = Path("-")


@click.command(epilog=EXAMPLES)
@click.argument("spec", required=False, type=ContractFile())
@click.option("--all", "every", is_flag=True, help="List every finding, not only the first of each rule.")
@click.option(
    "--rule",
    "chosen_rules",
    metavar="RULE",
    multiple=True,
    help="List only findings of this rule; can be repeated.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Report only what a former report (--format json) does not have.",
)
@click.option("--notes", is_flag=True, help="Print notes, too, such as the strength of each response.")
@rules_option("relay.lint.lint_rules")
@format_option
def lint(
    spec: Path | None,
    form: str,
    chosen_rules: tuple[str, ...],
    baseline: Path | None,
    *,
    every: bool,
    notes: bool,
) -> None:
    """Check a contract for errors and weaknesses.

    SPEC is an OpenAPI file, by default the project's contract; - reads standard input, whose
    references are relative to the working directory. An error is what production and `relay serve
    --strict` refuse to start with; a warning is a question that a reader would ask. A text has the first
    finding of each rule and the number of others. A rule that is not an error can be off, with a reason, in
    [tool.relay.lint.off] of pyproject.toml. A response is weak when its schema accepts too many
    mutations of its example: parts that are removed, set to null, emptied or of another type.

    Exit code 0: no error; 1: an error; 2: the file cannot be read.
    """
    with tool():
        from relay.lint import RULES, lint
        from relay.lint.selection import check_rules, rules_off, without_known
        from relay.project.settings import chosen

        check_rules(chosen_rules, "--rule")
        given = chosen(spec)
        off = rules_off(given.project)
        source = sys.stdin.buffer.read() if spec == STDIN else None
        is_own = source is None and given.spec.resolve() == given.project.spec.resolve()
        findings = lint(given.spec, source, given.contract_root, given.names if is_own else None)
        if baseline is not None:
            findings = without_known(findings, baseline)
        has_notes = notes or chosen_rules or form in ("json", "junit")
        shown = [
            one
            for one in findings
            if one.rule not in off
            and (has_notes or one.severity != "info")
            and (not chosen_rules or one.rule in chosen_rules)
        ]
        clean = f"nothing found ({len(off)} of {len(RULES)} rules are off)" if off else "nothing found"
        report_findings("lint", shown, form, clean, by_rule=not (every or chosen_rules))
