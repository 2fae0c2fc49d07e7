"""`relay`: the group of commands, those of the current project's package included."""

import difflib
import importlib
import importlib.util
import os
from typing import Any

import click

from relay._version import __version__
from relay.contract.diagnostics import SetupError

from .output import QUIET, setup_errors

COMMANDS = (
    "init serve check lint drift regenerate import upgrade breaking contract ci token completion".split()
)
"""Relay's own commands, in the order in which they are needed."""


class _Commands(click.Group):
    """Imports a command when it is named: one that serves does not wait for all the others."""

    def invoke(self, ctx: click.Context) -> Any:
        from relay.project.project import working_directory

        with setup_errors():
            working_directory()
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- the signature is click's
        try:
            return [*COMMANDS, *_project_commands()]
        except SetupError:
            return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 -- as above
        """Return a command by its name; only for one that is not Relay's is the package imported."""
        if name not in COMMANDS:
            return _project_commands().get(name)
        attribute = "import_" if name == "import" else name
        command: click.Command = getattr(importlib.import_module(f"relay.cli.{attribute}"), attribute)
        if all(parameter.name != _quiet.name for parameter in command.params):
            command.params.append(_quiet)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; an unknown name is answered with the nearest known one."""
        try:
            return super().resolve_command(ctx, args)
        except SetupError as exc:
            message = f"No such command '{args[0]}'; the commands of this project cannot be read: {exc}"
            raise click.UsageError(message, ctx) from exc
        except click.UsageError as exc:
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
            if not close or "Did you mean" in exc.message:
                raise
            raise click.UsageError(f"{exc.message} Did you mean '{close[0]}'?", ctx) from exc


def _project_commands() -> dict[str, click.Command]:
    """Return the commands that the current project's package exports; none without a project or package.

    Raises SetupError for a package that cannot be imported.
    """
    from relay.project.project import find_project, variable

    project = find_project()
    if project is None:
        return {}
    from relay.project.import_path import make_importable
    from relay.server.handler_modules import import_package
    from relay.server.package_hooks import PackageHooks

    name = os.environ.get(variable("handlers")) or project.handlers
    make_importable(name, project.folder)
    if importlib.util.find_spec(name.partition(".")[0]) is None:
        return {}
    commands = PackageHooks.of(import_package(name)).commands
    return {str(command.name): command for command in commands if command.name not in COMMANDS}


def _be_quiet(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001 -- click's call
    if asked:
        context.meta[QUIET] = True


_quiet = click.Option(
    ["-q", "--quiet"],
    is_flag=True,
    expose_value=False,
    callback=_be_quiet,
    help="Print errors only, and what the command is asked for.",
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, params=[_quiet])
@click.version_option(__version__, "-V", "--version", message="relay, version %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Host an API from its OpenAPI contract and keep both in agreement.

    Commands work on the project of the working directory: the nearest folder upward with [tool.relay] in
    its pyproject.toml, else with spec/openapi.yaml. NO_COLOR turns colours off.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
