"""`relay serve`: host a contract."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.server.transport.run import run
from relay.server.transport.signals import prepare

from .options import ContractFile, missing_option, warn_of_settings
from .output import say
from .startup_banner import print_banner
from .token import development_claims

if TYPE_CHECKING:
    from relay.project.project import Project

EXAMPLES = """\b
A contract is enough to start; a function that exists is called, the others are mocked:
  relay serve --spec api.yaml --missing mock
  relay serve --spec api.yaml --handlers shop --missing mock --missing 'Event Logs=stub'
With --reload an edit takes effect at once; a broken edit is reported here and at /readyz, and not loaded:
  relay serve --spec api.yaml --handlers shop --missing mock --reload
Record the traffic of a test suite, and check it with `relay contract --har traffic.har`:
  relay serve --record traffic.har

\b
SIGTERM, SIGINT and SIGHUP end it: it accepts no more connections and gives requests 20 s to finish. A
second signal ends it at once. Exit codes:
  0  every request was answered before it ended
  1  requests were aborted: by a second signal, or after 20 s
  2  contract, handlers or settings are wrong; nothing was served
"""


@click.command(epilog=EXAMPLES)
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: 2212]")
@click.option(
    "--spec", type=ContractFile(), help="The contract, an OpenAPI file, of version 3.0, 3.1 or 3.2."
)
@click.option("--handlers", metavar="PACKAGE", help="The package whose functions serve it; it must exist.")
@missing_option
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse to start if the contract has errors, as production does; otherwise operations that cannot be "
    "served answer 501.",
)
@click.option(
    "--reload", is_flag=True, help="Load edits of contract and package while serving; settings are read once."
)
@click.option(
    "--record",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Add all traffic to a HAR file, credentials redacted; not in production.",
)
def serve(*, reload: bool, record: Path | None, **given: Any) -> None:
    """Serve the contract.

    Contract and package are the project's, unless --spec and --handlers name others. A setting is read
    from the first source that has it: an option, a RELAY_* variable, .env, a secret file in
    RELAY_SECRETS_DIR, [tool.relay] in pyproject.toml. All errors in contract, handlers and settings are
    reported before the server starts.
    """
    prepare()
    given["strict"] = given["strict"] or None
    sys.dont_write_bytecode = reload or sys.dont_write_bytecode  # Python dates it by the second
    from relay.server import logs
    from relay.server.application import build, service_settings
    from relay.server.reloading import Reloading

    from .reload import Sources, watch

    project, settings = service_settings(given)
    warn_of_settings(project, settings)
    if settings.environment == "production":
        message = "not available with RELAY_ENVIRONMENT=production"
        wrong = [name for name, given in (("--reload", reload), ("--record", record)) if given]
        if wrong:
            raise SetupError(Diagnostic(name, message) for name in wrong)
    if reload and settings.metrics_bind:
        message = "two versions cannot listen on one address; unset it to use --reload"
        raise SetupError([Diagnostic("RELAY_METRICS_BIND", message)])
    logs.configure(settings.log_level, settings.log_format)
    sources = Sources(settings.spec or Path(), settings.handlers) if reload else None
    application = build(project, settings)
    modules = (application.package.__name__, *application.named_modules)
    logs.set_levels(settings.log_level, modules, project.folder)
    if sources:
        sources.watch_modules(application.named_modules)
    has_development_key = application.settings is not settings
    claims = _claims(project) if has_development_key else None
    started = partial(print_banner, application, claims=claims, record=record)
    service = Reloading(application) if sources else None
    background = (
        partial(watch, service, sources, project, application.settings) if service and sources else None
    )
    if record is None:
        run(service or application, settings, started, background)
        return
    from relay.contract_tests.recorder import Recorder

    with Recorder(service or application, record) as recorder:
        run(recorder, settings, started, background)


def _claims(project: Project) -> dict[str, Any]:
    """Return the claims of the token that is printed; an error in their configuration is only a warning here."""
    try:
        return development_claims(project)
    except SetupError as exc:
        for problem in exc.problems:
            say(f"warning: {problem}", err=True)
        return {"sub": "developer"}
