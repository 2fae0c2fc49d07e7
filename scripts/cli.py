"""`relay`: serve a contract, keep the handlers in line with it, mint a token, load data, seal secrets."""

from __future__ import annotations

import click

from .breaking import breaking
from .check import check
from .ci import ci
from .contract import contract
from .drift import drift
from .import_ import import_
from .keys import keys
from .lint import lint
from .load import load
from .regenerate import regenerate
from .serve import serve
from .token import token


def _tell_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001 -- click's call
    """Say the version of this very code, installed or not."""
    if asked:
        from handlers import __version__

        click.echo(f"relay, version {__version__}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


for _command in (serve, check, lint, drift, regenerate, import_, breaking, contract, ci, token, load, keys):
    main.add_command(_command)


if __name__ == "__main__":
    main()
