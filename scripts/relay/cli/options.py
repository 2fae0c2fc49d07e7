"""Options that several commands have: which contract, which package, which tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.documents import address_message

from .output import say

if TYPE_CHECKING:
    from relay.project.project import Project
    from relay.project.settings import Settings


class ContractFile(click.Path):
    """The path of a contract; an address is refused as what it is."""

    name = "path"

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; fail for an address, which click would turn into a path."""
        if isinstance(value, str) and (message := address_message(value)):
            self.fail(message, param, ctx)
        return super().convert(value, param, ctx)


spec_option = click.option("--spec", type=ContractFile(), help="The contract.  [default: the project's]")
handlers_option = click.option(
    "--handlers", metavar="PACKAGE", help="The handlers package.  [default: the project's]"
)
missing_option = click.option(
    "--missing",
    metavar="[TAG=]POLICY",
    multiple=True,
    callback=lambda _context, _option, given: given or None,
    help="Policy for operations without a function: fail (the default) refuses to start, stub answers 501, "
    "mock answers from the contract. TAG=POLICY is for one tag; can be repeated. Where no package exists, "
    "the contract is served alone.",
)
tests_option = click.option(
    "--tests",
    type=click.Path(path_type=Path),
    help="Folder of tests, which may refer to handlers.  [default: tests, in the project]",
)


def warn_of_settings(project: Project, settings: Settings) -> None:
    """Print a warning for each name that is not a setting, and for each secret that others may read or guess."""
    for one in setting_warnings(project, settings):
        say(f"warning: {one}", err=True)


def setting_warnings(project: Project, settings: Settings) -> list[Diagnostic]:
    """Return a warning for each unknown name, and for each exposed secret in development.

    In production `build` reports exposed secrets as errors.
    """
    from relay.project.exposure import exposures
    from relay.project.settings import unknown_names

    exposed = [one for one in exposures(project, settings) if one.severity is Severity.WARNING]
    return [*unknown_names(project, type(settings)), *exposed]
