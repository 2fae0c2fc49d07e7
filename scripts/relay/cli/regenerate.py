"""`relay regenerate`: update a handlers package to its contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display

from .options import handlers_option, spec_option, tests_option
from .output import echo_changes, say, tool, warn_of_faults
from .report import EXIT_FINDINGS, report_findings

if TYPE_CHECKING:
    from relay.codegen.plan import Plan


EXAMPLES = """\b
Examples:
  relay regenerate --diff
  relay regenerate --spec api.yaml --handlers shop --rename list_orders=search_orders
  relay regenerate --rename --diff
"""


@click.command(epilog=EXAMPLES)
@spec_option
@handlers_option
@tests_option
@click.option(
    "--rename",
    "renames",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="[OLD=NEW]",
    help="A handler's old name and its new one, or its operation's; can be repeated. Without names, see above.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print the changes.")
def regenerate(
    *,
    spec: Path | None,
    handlers: str | None,
    tests: Path | None,
    renames: tuple[str, ...],
    check: bool,
    diff: bool,
) -> None:
    """Update handlers to the contract.

    It rewrites the types, adds a stub for each new operation, edits the signatures of handlers, and
    applies renames in package and tests; it changes no body, comment or decorator. Handlers of removed
    operations are reported, not deleted. Functions that the contract names by Python paths (`operationId:
    api.pets.get_pet`) are left as they are; `--rename` without names moves them to the modules of their tags. A new package also renders errors as the contract documents them,
    and verifies its keys and passwords. A second run changes nothing.

    Operations that a fault of the contract leaves out, and names that are not as the contract asks, are warnings.

    Exit code 0: package and contract agree; 1: something is left for you, or, with --check, to be
    written; 2: a contract or package cannot be read.
    """
    with tool():
        from relay.codegen.formatting import Ruff
        from relay.codegen.package_state import State
        from relay.codegen.plan import plan
        from relay.codegen.renames import requested_renames
        from relay.codegen.types_module import generate_types
        from relay.contract.loading import load_contract
        from relay.lint.names import given_names
        from relay.project.files import replace_files
        from relay.project.package_source import read_sources
        from relay.project.settings import chosen

        project, path, package, root, names = chosen(spec, handlers)
        tests = tests or project.folder / "tests"
        pairs = list(_pairs(filter(None, renames)))
        moves = "" in renames
        contract = load_contract(path, root).named(names)
        warn_of_faults([*contract.warnings, *given_names(contract)])
        state = State(contract, read_sources(package, project.folder), generate_types(contract), path)
        project.check_inside(state.sources.folder)
        project.check_inside(tests)
        wanted = requested_renames(state, pairs)
        sources = state.sources
        state = replace(state, sources=sources.with_project() if moves else sources.with_tests(tests))
        made = plan(state, Ruff(sources.folder), wanted, moves=moves)
        _refuse_links(made, (sources.folder, sources.root if moves else tests.resolve()))
        if not (check or diff):
            replace_files(made.changes)
    if diff:
        echo_changes({**state.sources.files, **state.sources.tests}, made.changes)
    else:
        for line in made.actions:
            say(f"would have {line}" if check else line)
    if made.remaining or not (made.actions or diff):
        report_findings("regenerate", made.remaining, "text", "nothing to do", stderr=diff)
    if check and made.changes:
        raise SystemExit(EXIT_FINDINGS)


def _pairs(renames: Iterable[str]) -> Iterator[tuple[str, str]]:
    for rename in renames:
        old, sign, new = rename.partition("=")
        if not (old and sign and new):
            raise SetupError([Diagnostic("--rename", f"'{rename}' is not OLD=NEW")])
        yield old, new


def _refuse_links(made: Plan, folders: tuple[Path, ...]) -> None:
    """Raise SetupError where a file to write is a link out of the folders: another program may use its target."""
    advice = "outside the package: replace the link by a file, then run this again"
    links = [path for path in made.changes if not any(map(path.resolve().is_relative_to, folders))]
    if links:
        raise SetupError(
            Diagnostic(display(path), f"is a link to {path.resolve()}, {advice}") for path in links
        )
