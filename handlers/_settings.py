"""The settings of this service, in addition to those of every Relay service."""

from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr

import relay

from ._store.keyring import Keyring, KeyringMisconfigured, read_keyring


class Settings(relay.Settings):
    """Settings of the service."""

    store: SecretStr | None = Field(
        default=None,
        description="sqlite:///relative.db, sqlite:////absolute.db or mongodb://…/name; by default relay.db "
        "in the platform's data folder.",
    )
    keyring: SecretStr | None = Field(
        default=None,
        description="Keys that encrypt secrets at rest, `id:base64` of 32 bytes each, the first one encrypts; "
        "or a file of them.",
    )


def data_folder() -> Path:
    """Return the platform's data folder for this service; raise SetupError if the user has no home directory."""
    try:
        return Path(platformdirs.user_data_dir("tether-relay", appauthor=False))
    except RuntimeError as exc:
        message = "this user has no home directory; set it to a data folder, or set RELAY_STORE"
        raise relay.SetupError([relay.Diagnostic("XDG_DATA_HOME", message)]) from exc


def store_url(settings: Settings) -> str:
    """Return the URL of the store, which may contain a password; raise SetupError if there is no default."""
    return settings.store.get_secret_value() if settings.store else f"sqlite:///{data_folder() / 'relay.db'}"


def keyring(settings: Settings) -> Keyring | None:
    """Return the keys that encrypt secrets, or None; raise SetupError with every error in them."""
    if settings.keyring is None:
        return None
    try:
        return read_keyring(settings.keyring.get_secret_value())
    except KeyringMisconfigured as exc:
        raise relay.SetupError(
            relay.Diagnostic("RELAY_KEYRING", problem) for problem in exc.problems
        ) from None
