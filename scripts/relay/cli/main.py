"""`relay`: serve a contract, keep the handlers in line with it, mint a token, load data, seal secrets."""

from __future__ import annotations

import importlib

import click

_MODULES = {
    "import": "relay.cli.import_",
    "load": "handlers._commands.load",
    "keys": "handlers._commands.keys",
    "bench": "bench.command",
}
"""The modules of commands that are not named like the command, or live elsewhere."""


class _Commands(click.Group):
    """Imports a command when it is asked for: one that serves does not wait for all the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- the signature is click's
        """Name the commands, in the order in which they are needed."""
        return "serve check lint drift regenerate import breaking contract ci token load keys bench".split()

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command by its name."""
        if name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(_MODULES.get(name, f"relay.cli.{name}"))
        command: click.Command = getattr(module, "import_" if name == "import" else name)
        return command


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
