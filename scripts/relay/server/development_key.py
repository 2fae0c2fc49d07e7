"""The HS256 secret for development: created on first use and stored in the project, ignored by git."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.project.files import stored_secret
from relay.project.project import Project
from relay.project.settings import Settings, token_keys

S = TypeVar("S", bound=Settings)

FOLDER = ".relay"
"""The folder of a project's local state; it contains a .gitignore for itself."""

_FILE = "development.key"

MIN_LENGTH = 32  # bytes; HS256 needs as many (RFC 7518 section 3.2)


def development_key(project: Project, *, keep: bool = True) -> str:
    """Return the project's development secret, 48 random bytes in base64; a new one on the first call.

    Without `keep`, a new one is not written. Nor is it in a folder that is a project only by --spec: its
    key lasts as long as the process.
    Raises SetupError for a file that cannot be read or written.
    """
    path = project.folder / FOLDER / _FILE
    if project.is_implicit or not (keep or path.exists()):
        return secrets.token_urlsafe(48)
    try:
        if not path.exists():
            _make_folder(path.parent)
        key = stored_secret(path, lambda: secrets.token_urlsafe(48))
    except OSError as exc:
        message = f"cannot store the development key: {exc.strerror}; set RELAY_JWT_SECRET instead"
        raise SetupError([Diagnostic(display(path), message)]) from exc
    if not key.isascii() or len(key) < MIN_LENGTH:
        raise SetupError([Diagnostic(display(path), "is not a development key; delete it to get a new one")])
    return key


def with_development_key(project: Project, settings: S) -> S:
    """Return the settings with the project's development secret, unless they have a key or are for production."""
    if token_keys(settings) or settings.environment == "production" or project.is_implicit:
        return settings
    return settings.model_copy(update={"jwt_secret": SecretStr(development_key(project))})


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", "ascii")
