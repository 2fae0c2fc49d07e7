"""The settings of commands that move secrets: read from trusted files only, and their sources are printed."""

from __future__ import annotations

import os

import click

import relay
from handlers._settings import Settings, store_url
from handlers._store.keyring import keyring_file


def command_settings() -> Settings:
    """Return the settings, and print on standard error where store and keyring come from.

    Another user's `.env` would send secrets to that user's store, encrypted with that user's key. Raises
    SetupError for one that others may have written.
    """
    settings, warnings = relay.load_trusted(Settings)
    for one in warnings:
        click.echo(f"warning: {one}", err=True)
    used = {"store": _store(settings), "keyring": _keyring(settings)}
    shown = (f"{name} {value} (from {relay.setting_origin(Settings, name)})" for name, value in used.items())
    click.echo(relay.Diagnostic("settings", ", ".join(shown)), err=True)
    return settings


def _store(settings: Settings) -> str:
    """Return the store's address without user, password and options; nothing of one that is not understood."""
    url = store_url(settings)
    if url.startswith("sqlite:///"):
        return url
    scheme, sign, rest = url.partition("://")
    credentials, _, address = rest.rpartition("@")
    if not (sign and scheme.startswith("mongodb")) or "?" in credentials:
        return "in the setting"
    return f"{scheme}://{address.partition('?')[0]}"


def _keyring(settings: Settings) -> str:
    if settings.keyring is None:
        return "none"
    file = keyring_file(settings.keyring.get_secret_value())
    # What is no file may be a key without its id.
    return f"file {file}" if file and os.path.isfile(os.path.expanduser(file)) else "in the setting"  # noqa: PTH111, PTH113 -- any text
