"""`relay init`: from a contract to a project with handlers, tests, scripts and CI."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import say, tool

if TYPE_CHECKING:
    from relay.init.plan import Plan

EXAMPLES = """\b
Examples:
  relay init shop
  relay init shop --spec api.yaml
  relay init --spec https://docs.example.com/get-order.md
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--spec",
    metavar="FILE|PAGE",
    help="The contract: an OpenAPI file, which is copied with the files it refers to, or documentation "
    "as `relay import` reads it. Without it the folder's own, else a small one to start from.",
)
def init(folder: Path, *, spec: str | None) -> None:
    """Make a project from a contract.

    FOLDER, by default this one, gets the contract, handlers (a stub for each operation), tests,
    scripts/serve, scripts/test, pyproject.toml, tox.ini, README.md, Dockerfile, a CI workflow and
    pre-commit hooks. Existing files are never overwritten; what they lack is listed. A second run
    changes nothing.

    Exit code 0: the project is there; 2: it is not a contract, or the folder cannot be written.
    """
    with tool():
        from relay._version import __version__
        from relay.init.plan import plan
        from relay.init.requirement import running_relay

        from .ci import plan as workflow

        def github(path: str) -> str:
            return workflow("github", path, None, "pip install -e '.[dev]'")

        made = plan(folder, spec, running_relay(__version__), github)
        made.write()
    _report(made, folder)


def _report(made: Plan, folder: Path) -> None:
    for name in made.files:
        say(f"wrote {name}")
    if made.kept:
        say(f"left alone: {', '.join(map(str, sorted(made.kept)))}")
    for note in made.notes:
        say(*f"note: {note}".split("\n"))
    if not made.files:
        say("relay init: nothing to write, every file is there")
        return
    say("next:")
    if folder.resolve() != Path.cwd():
        say(f"  cd {shlex.quote(str(folder))}")
    say("  scripts/serve", "  scripts/test")
