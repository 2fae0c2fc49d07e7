"""Compile the ASGI application of a project."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.project.exposure import exposures
from relay.project.import_path import make_importable
from relay.project.project import Project, current_project
from relay.project.settings import Settings

from .handler_modules import package_or_empty
from .token_minting import development_key

if TYPE_CHECKING:
    from .app import Application


def create_app(
    spec: Path | str | None = None, handlers: str | None = None, settings: Settings | None = None
) -> Application:
    """Compile a service: an ASGI application for any server.

    `spec` and `handlers` default to those of the settings, then to the current project's; without
    `settings`, they are read as `relay serve` reads them. The package's `collaborators` are opened when
    the server runs the application's lifespan. Raises SetupError with all errors.
    """
    given = {"spec": Path(spec) if spec is not None else None, "handlers": handlers}
    if settings is None:
        return build(*service_settings(given))
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = settings.model_copy(update=chosen)
    project = current_project(settings.spec)
    make_importable(settings.handlers, project.folder)
    if settings.spec is None:
        settings = settings.model_copy(update={"spec": project.spec})
    return build(project, settings)


def build(project: Project, settings: Settings, *, keep_key: bool = True) -> Application:
    """Compile a project's service; its new development key is stored with `keep_key`. Raises SetupError."""
    from .compilation import create  # imports Connexion, which reading settings does without

    exposed = [one for one in exposures(project, settings) if one.severity is Severity.ERROR]
    try:
        application = create(settings, partial(development_key, project, keep=keep_key), project.folder)
    except SetupError as exc:
        raise SetupError([*exposed, *exc.problems]) from exc
    if exposed:
        raise SetupError(exposed)
    return application


def service_settings(given: Mapping[str, Any]) -> tuple[Project, Settings]:
    """Return the current project, and the settings that its handlers package declares. Raises SetupError."""
    project = current_project(given.get("spec"))
    settings = Settings.load(**given)
    make_importable(settings.handlers, project.folder)
    package = package_or_empty(settings.handlers)  # its errors are reported together with the contract's
    kind = getattr(package, "Settings", Settings)
    if not (isinstance(kind, type) and issubclass(kind, Settings)):
        where = f"{settings.handlers}.Settings"
        raise SetupError([Diagnostic(where, "it must be a subclass of relay.Settings")])
    return project, kind.load(**given)
