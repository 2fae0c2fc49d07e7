"""The demo organization: its data, its storage, its secret and its keyring, all of this machine only."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from handlers._app import Settings, data_folder, opened_store
from handlers._store.keyring import new_entry
from handlers._store.rules import SECRETS
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.server.configuration import variable

from .load import load_file

DATA = Path(__file__).with_name("demo.json")
USER = "64f0a1b2c3d4e5f6a7b8c9d1"
"""The demo user that tokens are minted for."""

KEYRING = "demo-keyring"
"""The file of the demo's keyring, beside its data."""

_OWN = ("store", "keyring", "jwt_secret", "jwt_public_key", "jwt_jwks")


def demo_settings(**given: Any) -> Settings:
    """Return settings that serve the demo from its own file with its own secret and keyring.

    Raises SetupError when a store or key is set: the demo's data must not end up in it.
    """
    configured = Settings.load()
    clashing = [name for name in _OWN if getattr(configured, name) is not None]
    if clashing:
        names = ", ".join(map(variable, clashing))
        raise SetupError(
            [Diagnostic(names, "--demo brings its own storage and key; unset it, or leave --demo out")]
        )
    folder = data_folder()
    return Settings.load(
        **given,
        store=f"sqlite:///{folder / 'demo.db'}",
        keyring=_kept(folder / KEYRING, new_entry("demo")),
        jwt_secret=_kept(folder / "demo-jwt-secret", secrets.token_urlsafe(48)),
    )


async def load_demo(settings: Settings) -> None:
    """Load the demo's data on its first start; what was changed since then stays.

    Raises SetupError when the store cannot be opened.
    """
    async with opened_store(settings) as store:
        is_new = await store.user(USER) is None
    if is_new:
        await load_file(settings, DATA)


def _kept(path: Path, fresh: str) -> str:
    """Return the secret that a file keeps, so that what was made with it outlives a restart; at first a fresh one."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_once(path, fresh)
        return path.read_text("ascii")
    except OSError as exc:
        told = f"the demo cannot keep its secret: {exc.strerror}; XDG_DATA_HOME names another folder"
        raise SetupError([Diagnostic(str(path), told)]) from exc


def _write_once(path: Path, content: str) -> None:
    """Write a file that is whole from its first moment, unless another process was quicker."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()


def demo_secrets() -> list[str]:
    """Return the values of the demo's data that must never come out."""
    credentials = json.loads(DATA.read_text("utf-8"))["credentials"]
    return [record[name] for record in credentials for name in SECRETS if name in record]
