"""How commands print errors and notes, and the exit code of a wrong set-up."""

import difflib
import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.printable import terminal_line

EXIT_USAGE = 2  # exit code when the command cannot run; 1 means that it ran and found errors
QUIET = "relay.quiet"  # the key of a context's `meta` that is True where only errors are to be printed


def is_quiet() -> bool:
    """Return True where the command was called with --quiet."""
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(QUIET, False)


def say(*lines: str, err: bool = False) -> None:
    """Print lines for a person to read, unless the command was called with --quiet."""
    if not is_quiet():
        echo(*lines, err=err)


def echo(*lines: str, err: bool = False) -> None:
    """Print lines that may contain text from outside; a line stays one, whatever is in it."""
    if lines:
        emit("\n".join(map(terminal_line, lines)), err=err)


MAX_WARNINGS = 20  # lines about one contract that are printed by commands for something else than its errors


def warn_of_faults(diagnostics: Sequence[Diagnostic]) -> None:
    """Print what is wrong with a contract as warnings; a long list is cut."""
    say(*(f"warning: {one}" for one in without_rest(diagnostics)), err=True)


def without_rest(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return what is wrong with a contract; in place of the end of a long list, how many there are more."""
    if len(diagnostics) <= MAX_WARNINGS:
        return [*diagnostics]
    more = len(diagnostics) - MAX_WARNINGS + 1
    rest = Diagnostic("contract", f"{more} more; `relay lint --all` lists them", "contract", Severity.WARNING)
    return [*diagnostics[: MAX_WARNINGS - 1], rest]


def echo_changes(before: Mapping[Path, bytes], after: Mapping[Path, bytes]) -> None:
    """Print how files change, new ones included, as unified diffs."""
    from relay.contract.documents import display

    for path, content in after.items():
        old, name = before.get(path), display(path)
        echo_difference(old or b"", content, "/dev/null" if old is None else f"a/{name}", f"b/{name}")


def echo_difference(old: bytes, new: bytes, old_name: str, new_name: str) -> None:
    """Print the difference of two texts as a unified diff, for a person to read."""
    echo(*difflib.unified_diff(_lines(old), _lines(new), old_name, new_name, lineterm=""))


def _lines(content: bytes) -> list[str]:
    *lines, last = content.decode("utf-8", "replace").split("\n")
    return [*lines, f"{last}  (no newline at the end of the file)"] if last else lines


def emit(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print a text as it is: a report that is escaped already, or what the command was called for."""
    click.echo(f"{text}{end}", err=err, nl=False)  # noqa: TID251 -- all output passes here


@contextmanager
def setup_errors() -> Iterator[None]:
    """Print each diagnostic of a SetupError and exit with EXIT_USAGE."""
    try:
        yield
    except SetupError as exc:
        for problem in exc.problems:
            emit(f"{click.style('error', fg='red')}: {terminal_line(str(problem))}", err=True)
        raise SystemExit(EXIT_USAGE) from exc


@contextmanager
def tools_installed() -> Iterator[None]:
    """Raise SetupError that says what to install when a library of the extra `tools` is missing."""
    try:
        yield
    except ModuleNotFoundError as exc:
        message = f"this command needs the extra `tools` ({exc.name} is missing): install tether-relay[tools]"
        raise SetupError([Diagnostic("relay", message)]) from exc


@contextmanager
def tool() -> Iterator[None]:
    """Run a command that reads, reports and ends, and that needs the extra `tools`.

    Garbage collection is off: such a command keeps what it reads, so that searching it costs time only.
    """
    gc.disable()
    try:
        with tools_installed():
            yield
    finally:
        gc.freeze()
        gc.enable()
