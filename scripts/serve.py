"""`relay serve`: host a contract."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import setup_errors

if TYPE_CHECKING:
    from handlers._host.app import Application
    from handlers._host.settings import HostSettings

DEMO_TOKEN_LIFE = 30 * 86400  # seconds
MAX_SHOWN = 5  # operations named at start

EXAMPLES = """\b
A contract is enough to begin with; what is written goes before what is made up:
  relay serve --spec api.yaml --missing mock
  relay serve --spec api.yaml --handlers shop --missing mock --missing 'Event Logs=stub'
"""


@click.command(epilog=EXAMPLES)
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: 2212]")
@click.option("--spec", type=click.Path(path_type=Path), help="The contract, an OpenAPI 3.0 file.")
@click.option("--handlers", metavar="PACKAGE", help="The package whose functions serve it.")
@click.option(
    "--missing",
    metavar="[TAG=]POLICY",
    multiple=True,
    help="What becomes of operations without a function: fail (the default) refuses to start, stub answers "
    "501, mock answers from the contract. TAG=POLICY is for one tag; the option can be repeated.",
)
@click.option(
    "--demo", is_flag=True, help="Serve a demo organization from its own storage, with its own key."
)
def serve(*, demo: bool, **given: Any) -> None:
    """Serve the contract.

    Without --spec and --handlers it is the service's own contract. Options go before RELAY_*
    variables, these before .env, that before secret files in RELAY_SECRETS_DIR. Whatever is wrong
    with contract, handlers or settings is listed, and nothing is served.
    """
    given["missing"] = given["missing"] or None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with setup_errors():
        from handlers._host.app import create
        from handlers._host.problems import Problem, SetupError

        from . import demo as demo_data

        settings: Any = demo_data.demo_settings(**given) if demo else _settings(given)
        if demo and settings.handlers != "handlers":
            raise SetupError(
                [Problem("--demo", "the demo belongs to the package 'handlers'; leave --handlers out")]
            )
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it logs what clients get wrong
        logging.getLogger("relay").setLevel(settings.log_level.upper())
        application = create(settings.handlers, settings)
        if demo:
            asyncio.run(demo_data.load_demo(settings))
    _run(application, demo=demo)


def _settings(given: dict[str, Any]) -> HostSettings:
    """Read the settings that the chosen package understands."""
    from handlers._host.binding import import_package
    from handlers._host.problems import SetupError
    from handlers._host.settings import HostSettings, load_settings

    settings = load_settings(HostSettings, **given)
    try:
        package = import_package(settings.handlers)
    except SetupError:
        return settings  # the package's problems are told together with the contract's
    kind: type[HostSettings] = getattr(package, "Settings", HostSettings)
    return load_settings(kind, **given)


def _run(application: Application, *, demo: bool) -> None:
    """Run uvicorn until a signal ends it."""
    import uvicorn

    from handlers._host.problems import Problem, SetupError

    settings = application.settings

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                port = self.servers[0].sockets[0].getsockname()[1]
                _announce(application, port, demo=demo)

    server = Server(
        uvicorn.Config(
            application,
            host=settings.host,
            port=settings.port,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=20,
            timeout_keep_alive=5,
        )
    )
    refused: list[OSError] = []

    def in_our_words(record: logging.LogRecord) -> bool:
        """Keep what uvicorn logs of a failed start; it is told below, with what to do."""
        if isinstance(record.msg, OSError):
            refused.append(record.msg)
        return not isinstance(record.msg, OSError) and "startup failed" not in record.getMessage()

    logging.getLogger("uvicorn.error").addFilter(in_our_words)
    with setup_errors():
        try:
            server.run()
        except KeyboardInterrupt:
            return
        except SystemExit:
            if application.lifespan.startup_error is not None:
                raise application.lifespan.startup_error from None
            if refused:
                reason = os.strerror(refused[0].errno) if refused[0].errno else str(refused[0])
                where = f"cannot listen on {settings.host}:{settings.port}: {reason}"
                raise SetupError([Problem("RELAY_HOST, RELAY_PORT", where)]) from None
            raise


def _announce(application: Application, port: int, *, demo: bool) -> None:
    """Say where the service is, and, for the demo, how to call it."""
    settings: Any = application.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    count = len(application.contract.operations)
    click.echo(f"{application.contract.title}: {count} operation{'s' * (count != 1)} at {url}")
    for line in _missing(application):
        click.echo(line)
    if settings.docs and settings.openapi:
        click.echo(f"Docs: {url}/docs")
    if demo:
        from .demo import USER
        from .token import mint

        token = mint(settings, USER, DEMO_TOKEN_LIFE)
        click.echo(f"Data: {settings.store.get_secret_value().removeprefix('sqlite:///')}")
        click.echo(f"Try:\n  curl -H 'Authorization: Bearer {token}' {url}/api/calls/voice-ai/config")


def _missing(application: Application) -> Iterator[str]:
    """Say for which operations something stands in; a long list is cut."""
    count = len(application.contract.operations)
    for policy, word in (("mock", "mocked"), ("stub", "stubbed")):
        names = [str(binding.operation) for binding in application.missing if binding.missing == policy]
        if names:
            shown = [*names[:MAX_SHOWN], f"{len(names) - MAX_SHOWN} more"][: len(names)]
            are = "is" if len(names) == 1 else "are"
            yield f"{len(names)} of {count} operations {are} {word}: {', '.join(shown)}"
