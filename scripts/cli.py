"""`relay`: serve a contract, keep the handlers in line with it, mint a token, load data."""

from __future__ import annotations

import click

from .breaking import breaking
from .drift import drift
from .import_ import import_
from .lint import lint
from .load import load
from .regenerate import regenerate
from .serve import serve
from .token import token


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tether-relay", prog_name="relay")
def main() -> None:
    """Host an API from its OpenAPI contract, and hold both to each other."""


for _command in (serve, lint, drift, regenerate, import_, breaking, token, load):
    main.add_command(_command)


if __name__ == "__main__":
    main()
