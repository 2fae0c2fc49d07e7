"""`relay upgrade`: a contract in a newer version of OpenAPI."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import display

from .options import ContractFile
from .output import echo_changes, emit, say, tool
from .report import EXIT_FINDINGS, format_option, report_findings, rules_option

if TYPE_CHECKING:
    from relay.upgrade.plan import Upgrade

EXAMPLES = """\b
Examples:
  relay upgrade swagger.yaml
  relay upgrade spec/openapi.yaml --to 3.2 --diff
  relay upgrade swagger.json --output openapi.json
"""

STDOUT = Path("-")


@click.command(epilog=EXAMPLES)
@click.argument("contract", required=False, type=ContractFile())
@click.option("--to", type=click.Choice(["3.1", "3.2"]), help="The new version.  [default: 3.1]")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the new contract there, - for standard output, and leave the old one as it is.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print the changes.")
@rules_option("relay.upgrade.findings")
@format_option
def upgrade(
    contract: Path | None, to: str | None, output: Path | None, form: str, *, check: bool, diff: bool
) -> None:
    """Rewrite a contract in a newer version of OpenAPI.

    CONTRACT is a file of Swagger 2.0, OpenAPI 3.0 or 3.1, by default the project's contract. It is
    rewritten in place, together with the files that it refers to: comments, order and quotes stay, and
    so does every byte that need not change. Most tools read 3.1, so that is the default; ask for 3.2.

    The new contract means the same to callers, except where an error or a warning says otherwise: an
    error where the newer version has no equal, a warning where a discriminator decided what is valid,
    or where multipart becomes a list of its parts. What had no effect and would get one is removed, with
    a warning; an `itemSchema` stays, with a warning. Their places are those in the new files, with
    --check, --diff and --output - those in the old ones. A second run changes nothing.

    Exit code 0: done, or nothing to do; 1: something has no equal or, with --check, something would
    change; 2: a file cannot be read, or is no contract, and nothing is written.
    """
    if output is not None and (check or diff):
        raise click.UsageError("--output writes a file; use it without --check and --diff")
    with tool():
        from relay.project.settings import chosen
        from relay.upgrade.plan import plan_upgrade

        given = chosen(contract)
        made = plan_upgrade(given.spec, to, given.contract_root)
        if not (check or diff):
            _write(made, output)
    if diff:
        echo_changes(made.before, made.after)
    elif form == "text" and made.after and output != STDOUT:
        old = f"{'Swagger' if made.version == '2.0' else 'OpenAPI'} {made.version}"
        if output is not None:
            say(f"wrote {display(output)}: {old} is OpenAPI {made.to} there")
        else:
            done = "would have rewritten" if check else "rewritten"
            say(*(f"{done} {display(path)}: {old} → OpenAPI {made.to}" for path in made.after))
    findings = made.findings_before if check or diff else _findings(made, output)
    hint = "; --to 3.2 moves it on" if made.to == "3.1" else ""
    nothing = f"nothing to do, the contract is OpenAPI {made.version}{hint}"
    clean, is_output = "nothing has no equal" if made.after else nothing, diff or output == STDOUT
    if findings or form != "text" or not (made.after or is_output):
        report_findings("upgrade", findings, form, clean, stderr=is_output)
    if check and made.after:
        raise SystemExit(EXIT_FINDINGS)


def _write(made: Upgrade, output: Path | None) -> None:
    from relay.project.files import replace_files

    if output is None:
        replace_files(made.after)
        return
    if len(made.after) > 1:
        message = f"the contract has {len(made.after)} files that change; leave --output out to rewrite them in place"
        raise SetupError([Diagnostic("--output", message)])
    content = next(iter(made.after.values()), made.source)
    if output == STDOUT:
        emit(content.decode(), end="")
    else:
        replace_files({output: content})


def _findings(made: Upgrade, output: Path | None) -> list[Diagnostic]:
    if output is None or not made.after:
        return made.findings_after
    if output == STDOUT:
        return made.findings_before
    (old,) = map(display, made.after)
    return [
        replace(finding, where=finding.where._replace(file=display(output)))
        if isinstance(finding.where, SourceLocation) and finding.where.file == old
        else finding
        for finding in made.findings_after
    ]
