"""Which contract and which package a command is about: its options, else the settings, else our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from relay.server.settings import HostSettings


def spec_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option --spec."""
    return click.option(
        "--spec", type=click.Path(path_type=Path), help="The contract.  [default: RELAY_SPEC, or our own]"
    )(command)


def handlers_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option --handlers."""
    return click.option(
        "--handlers", metavar="PACKAGE", help="The handlers package.  [default: RELAY_HANDLERS, or our own]"
    )(command)


def tests_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option --tests."""
    return click.option(
        "--tests",
        type=click.Path(path_type=Path),
        default=Path("tests"),
        show_default=True,
        help="Folder of the tests, which may name handlers.",
    )(command)


def chosen(spec: Path | None = None, handlers: str | None = None) -> tuple[Path, str]:
    """Return the contract's path and the package's name; no package is imported.

    Raises SetupError for settings that are wrong, and where a package of one's own has no contract.
    """
    from handlers._app import SPEC
    from relay.contract.diagnostics import Diagnostic, SetupError
    from relay.server.settings import HostSettings

    settings = HostSettings.load(spec=spec, handlers=handlers)
    path = settings.spec or (SPEC if settings.handlers == "handlers" else None)
    if path is None:
        raise SetupError([Diagnostic("RELAY_SPEC", "missing: say which contract is meant, or use --spec")])
    return path, settings.handlers


def service_settings(given: dict[str, Any]) -> HostSettings:
    """Read the settings that the chosen package understands; SetupError for what is wrong with them."""
    from relay.contract.diagnostics import Diagnostic, SetupError
    from relay.server.binding import import_package
    from relay.server.settings import HostSettings

    settings = HostSettings.load(**given)
    try:
        package = import_package(settings.handlers)
    except SetupError:
        return settings  # the package's problems are told together with the contract's
    kind = getattr(package, "Settings", HostSettings)
    if not (isinstance(kind, type) and issubclass(kind, HostSettings)):
        raise SetupError(
            [Diagnostic(f"{settings.handlers}.Settings", "it must be a subclass of HostSettings")]
        )
    return kind.load(**given)
