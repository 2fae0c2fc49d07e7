"""`relay breaking`: what changed between two contracts, whom it breaks, and what of ours names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relay.contract.diagnostics import Diagnostic, Rule, Severity

from .options import handlers_option, tests_option
from .output import say, tool
from .report import format_option, report_findings, rules_option

if TYPE_CHECKING:
    from relay.diff import Change
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
    reason: nobody reads it, says the access log
"""


def _rules() -> Mapping[str, Rule]:
    from relay.diff.diff_rules import RULES

    return RULES


@click.command(epilog=EXAMPLES)
@click.argument("old", required=False)
@click.argument("new", required=False)
@handlers_option
@tests_option
@click.option(
    "--ignore",
    "ignore_file",
    type=click.Path(path_type=Path),
    help="Changes that are meant.  [default: ignore in [tool.relay.breaking]]",
)
@rules_option(_rules)
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
    """Tell whom the change of a contract breaks.

    OLD and NEW are files, or files of a git revision; NEW is the project's contract by default, and OLD
    its version in HEAD. Whether a
    change breaks depends on its direction: a request may become wider, a response narrower. Handlers
    and tests that name what changed are told as `impact`.

    Changes that are meant go into a list in the file of --ignore, each with its `rule`, the operation or
    component it is told of as `where`, which may be left out, and the `reason`.

    Exit code 0: nothing breaks; 1: an error was found; 2: a contract, revision or ignore file
    cannot be read.
    """
    with tool():
        from relay.diff import compare
        from relay.diff.accepted_changes import find_ignored, ignore
        from relay.diff.impact import find_impact
        from relay.diff.revisions import committed_version, load_both
        from relay.project.settings import chosen

        project, served, package = chosen(Path(new) if new else None, handlers)
        after_name = new or str(served)
        old = old or committed_version(served)
        if old is None:
            say("relay breaking: HEAD has no version of the contract yet; nothing to compare")
            return
        before, after = load_both(old, after_name)
        changes, stale = ignore(compare(before.contract, after.contract), find_ignored(ignore_file, project))
        folder = _folder(package, project, is_named=handlers is not None)
        tests = tests or project.folder / "tests"
        impacts = find_impact(changes, before.contract, after.contract, folder, tests)
    findings = [_finding(change, before, after) for change in changes]
    report_findings("breaking", [*findings, *stale, *_told(impacts, after)], form, "nothing changed")


def _folder(package: str, project: Project, *, is_named: bool) -> Path:
    """Return where a package's modules are; SetupError for a package that is named and does not exist."""
    from relay.contract.diagnostics import Diagnostic, SetupError
    from relay.project.files import package_folder

    folder = package_folder(package, project.folder)
    if is_named and not folder.is_dir():
        raise SetupError([Diagnostic("RELAY_HANDLERS", f"there is no package '{package}' here")])
    return folder


def _finding(change: Change, before: Side, after: Side) -> Diagnostic:
    place, other = after.shown(change.new_place), before.shown(change.old_place)
    return Diagnostic(place, change.message, change.rule, change.severity, other)


def _told(impacts: list[Impact], after: Side) -> Iterator[Diagnostic]:
    """Tell of each place once, with the operations and rules that it is about."""
    for impact in impacts:
        rules = ", ".join(sorted({change.rule for change in impact.changes}))
        named = f" and {', '.join(impact.names)}" if impact.names else ""
        yield Diagnostic(
            impact.place,
            f"names {impact.operation}{named}, which changed: {rules}",
            "impact",
            Severity.INFO,
            after.shown(impact.changes[0].new_place),
        )
