"""What `relay serve` says: where the service is, what stands in for functions, how to call the demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from relay.server.app import Application

DEMO_TOKEN_LIFE = 30 * 86400  # seconds
MAX_SHOWN = 5  # operations that are named


def print_banner(application: Application, port: int, *, demo: bool, record: Path | None = None) -> None:
    """Say where the service is, and, for the demo, how to call it."""
    settings: Any = application.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    base_path = application.contract.base_path
    below = f" below {base_path}" if base_path else ""
    click.echo(f"{application.contract.title}: {operations(application)} at {url}{below}")
    for line in missing(application):
        click.echo(line)
    if settings.docs and settings.openapi:
        click.echo(f"Docs: {url}/docs")
    if record:
        click.echo(f"Recording: all that is asked and answered goes to {record}")
    if demo:
        from handlers._commands.demo import KEYRING, USER

        from .token import longest_life, mint

        token = mint(settings, USER, longest_life(settings, DEMO_TOKEN_LIFE))
        data = settings.store.get_secret_value().removeprefix("sqlite:///")
        click.echo(f"Data: {data}, its secrets sealed with {KEYRING}")
        click.echo(f"Try:\n  curl -H 'Authorization: Bearer {token}' {url}/api/calls/voice-ai/config")


def operations(application: Application) -> str:
    """Count the operations: `1 operation`."""
    count = len(application.contract.operations)
    return f"{count} operation{'s' * (count != 1)}"


def missing(application: Application) -> Iterator[str]:
    """Say for which operations something stands in, and what else there is no package for; a long list is cut."""
    from relay.server.binding import is_package

    if not is_package(application.package):
        yield "Handlers: none, the contract is served alone"
        if trusted := ", ".join(application.exports.verifiers):
            yield f"Any credential is taken for {trusted}, which only a package could verify"
    for policy, word in (("mock", "mocked"), ("stub", "stubbed")):
        names = [str(binding.operation) for binding in application.missing if binding.missing == policy]
        if names:
            shown = (
                names if len(names) <= MAX_SHOWN else [*names[:MAX_SHOWN], f"{len(names) - MAX_SHOWN} more"]
            )
            are = "is" if len(names) == 1 else "are"
            yield f"{len(names)} of {operations(application)} {are} {word}: {', '.join(shown)}"
