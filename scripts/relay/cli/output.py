"""How commands speak: what is wrong on stderr, a line each, and an exit code that says so."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import click

EXIT_USAGE = 2
"""Exit code when the set-up is wrong; 1 is for work that was done and found wanting."""


QUIET = "relay.quiet"
"""The key of a context's `meta` that is True where only errors are to be printed."""


def is_quiet() -> bool:
    """Return True where the command was called with --quiet."""
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(QUIET, False)


def say(text: str, *, err: bool = False) -> None:
    """Print a line for a person to read, unless the command was called with --quiet."""
    if not is_quiet():
        click.echo(text, err=err)


@contextmanager
def setup_errors() -> Iterator[None]:
    """Print each problem of a SetupError and exit with EXIT_USAGE."""
    from relay.contract.diagnostics import SetupError

    try:
        yield
    except SetupError as exc:
        for problem in exc.problems:
            click.echo(f"{click.style('error', fg='red')}: {problem}", err=True)
        raise SystemExit(EXIT_USAGE) from exc


@contextmanager
def tools_installed() -> Iterator[None]:
    """Say what to install when a library that only the tools need is missing; SetupError."""
    from relay.contract.diagnostics import Diagnostic, SetupError

    try:
        yield
    except ModuleNotFoundError as exc:
        told = f"this command needs the tools ({exc.name}): pip install 'tether-relay[tools]'"
        raise SetupError([Diagnostic("relay", told)]) from exc


@contextmanager
def tool() -> Iterator[None]:
    """Run a command that reads, tells and ends: what is wrong is told, what is missing, too.

    No garbage is searched for, nor at the exit: what such a command reads it keeps, and that is slow
    to search.
    """
    gc.disable()
    try:
        with setup_errors(), tools_installed():
            yield
    finally:
        gc.freeze()
        gc.enable()
