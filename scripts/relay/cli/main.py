"""`relay`: the group of commands, those of the current project's package included."""

from __future__ import annotations

import importlib
from typing import Any

import click

from .output import setup_errors

COMMANDS = "serve check lint drift regenerate import breaking contract ci token".split()
"""Relay's own commands, in the order in which they are needed."""


class _Commands(click.Group):
    """Imports a command when it is asked for: one that serves does not wait for all the others."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a SetupError that it raises is printed and ends it with exit code 2."""
        with setup_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- the signature is click's  # noqa: ARG002 -- the signature is click's
        """Name Relay's commands, then those of the project's package."""
        return [*COMMANDS, *_project_commands()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 -- the signature is click's
        """Return a command by its name; only for one that is not Relay's is the package imported."""
        if name not in COMMANDS:
            return _project_commands().get(name)
        attribute = "import_" if name == "import" else name
        command: click.Command = getattr(importlib.import_module(f"relay.cli.{attribute}"), attribute)
        return command


def _project_commands() -> dict[str, click.Command]:
    """Return the commands that the current project's package exports; none where it cannot be imported."""
    from relay.contract.diagnostics import SetupError
    from relay.server.application import service_settings
    from relay.server.binding import import_package
    from relay.server.package_hooks import PackageHooks

    try:
        _, settings = service_settings({})
        hooks = PackageHooks.of(import_package(settings.handlers))
    except SetupError:
        return {}
    return {str(command.name): command for command in hooks.commands if command.name not in COMMANDS}


def _tell_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001 -- click's call
    """Say the version of this very code, installed or not."""
    if asked:
        from relay import __version__

        click.echo(f"relay, version {__version__}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Host an API from its OpenAPI contract, and hold both to each other."""
