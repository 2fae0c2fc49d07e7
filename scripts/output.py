"""How commands speak: what is wrong on stderr, a line each, and an exit code that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

CANNOT_RUN = 2
"""Exit code when the set-up is wrong; 1 is for work that was done and found wanting."""


@contextmanager
def setup_errors() -> Iterator[None]:
    """Print each problem of a SetupError and exit with CANNOT_RUN."""
    from handlers._host.problems import SetupError

    try:
        yield
    except SetupError as exc:
        for problem in exc.problems:
            click.echo(f"error: {problem}", err=True)
        raise SystemExit(CANNOT_RUN) from exc
