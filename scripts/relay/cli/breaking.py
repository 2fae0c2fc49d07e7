"""`relay breaking`: changes between two contracts, which callers they break, which code refers to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relay.contract.diagnostics import Diagnostic, SetupError, Severity

from .options import handlers_option, tests_option
from .output import tool
from .report import format_option, report_findings, rules_option

if TYPE_CHECKING:
    from relay.diff.impact import Impact
    from relay.diff.revisions import Side
    from relay.project.project import Project


EXAMPLES = """\b
Examples:
  relay breaking
  relay breaking HEAD~1:spec/openapi.yaml
  relay breaking v1.yaml v2.yaml --format github
\b
An ignore file; in pyproject.toml the entries are [[tool.relay.breaking.ignore]]:
  - rule: response-property-removed
    where: Pet
    reason: the access log shows no reader
"""


@click.command(epilog=EXAMPLES)
@click.argument("old", required=False)
@click.argument("new", required=False)
@handlers_option
@tests_option
@click.option(
    "--ignore",
    "ignore_file",
    type=click.Path(path_type=Path),
    help="YAML list of accepted changes.  [default: ignore in [tool.relay.breaking]]",
)
@rules_option("relay.diff.diff_rules")
@format_option
def breaking(
    *,
    old: str | None,
    new: str | None,
    handlers: str | None,
    tests: Path | None,
    ignore_file: Path | None,
    form: str,
) -> None:
    """Report breaking changes between two contracts.

    OLD and NEW are files, or files of a git revision; NEW is the project's contract by default, and OLD
    its version in HEAD. A request may become wider and a response narrower without breaking callers.
    Handlers and tests that refer to a change are reported as `impact`.

    Accepted changes are entries with the `rule`, the operation or component as `where` (optional), and
    the `reason`: in pyproject.toml, or in the YAML list of --ignore.

    Errors of a contract are reported as warnings, and the rest is compared.

    Exit code 0: nothing breaks; 1: a breaking change; 2: a contract, revision or ignore file cannot be
    read.
    """
    with tool():
        from relay.diff import compare
        from relay.diff.accepted_changes import find_ignored, ignore
        from relay.diff.impact import find_impact
        from relay.diff.revisions import committed_version, load_both
        from relay.project.settings import chosen

        project, served, package, root, names = chosen(Path(new) if new else None, handlers)
        after_name = new or str(served)
        old = old or committed_version(served)
        if old is None:
            report_findings("breaking", [], form, "HEAD has no version of the contract yet")
            return
        before, after = (side.renamed(names) for side in load_both(old, after_name, root))
        changes, stale = ignore(compare(before.contract, after.contract), find_ignored(ignore_file, project))
        folder = _folder(package, project, is_named=handlers is not None)
        tests = tests or project.folder / "tests"
        impacts = find_impact(changes, before.contract, after.contract, folder, tests)
    findings = [*before.faults("old", after), *after.faults("new", before), *after.shared_faults(before)]
    findings += _not_compared(before, after)
    for one in changes:
        place, other = after.shown(one.new_place), before.shown(one.old_place)
        findings.append(Diagnostic(place, one.message, one.rule, one.severity, other))
    report_findings("breaking", [*findings, *stale, *_impacts(impacts, after)], form, "nothing changed")


def _folder(package: str, project: Project, *, is_named: bool) -> Path:
    """Return where a package's modules are; SetupError for a package that is named and does not exist."""
    from relay.project.files import package_folder

    folder = package_folder(package, project.folder)
    if is_named and not folder.is_dir():
        raise SetupError([Diagnostic("RELAY_HANDLERS", f"there is no package '{package}' here")])
    return folder


def _not_compared(before: Side, after: Side) -> Iterator[Diagnostic]:
    left_out = {(one.method, one.path) for side in (before, after) for one in side.contract.left_out}
    if left_out:
        verb, them = ("s were", "them") if len(left_out) > 1 else (" was", "it")
        place = after.shown(after.contract.place(("paths",)))
        message = f"{len(left_out)} operation{verb} not compared, because a contract has errors in {them}"
        yield Diagnostic(place, message, "not-compared", Severity.WARNING)


def _impacts(impacts: list[Impact], after: Side) -> Iterator[Diagnostic]:
    for impact in impacts:
        rules = ", ".join(sorted({change.rule for change in impact.changes}))
        named = f" and {', '.join(impact.names)}" if impact.names else ""
        message = f"names {impact.operation}{named}, which changed: {rules}"
        place = after.shown(impact.changes[0].new_place)
        yield Diagnostic(impact.place, message, "impact", Severity.INFO, place)
