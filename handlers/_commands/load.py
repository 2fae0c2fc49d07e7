"""`relay load`: load organizations, users and credentials from files into the store."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click

import relay
from handlers._collaborators import opened_store
from handlers._settings import Settings, store_url
from handlers._store import Batch, RecordRefused, Store, StoreUnavailable
from handlers._store.keyring import KeyringMissing, keyring_file
from relay import Diagnostic, SetupError

from .records import read_records

EXAMPLES = """\b
Examples:
  relay load organizations.json
  RELAY_STORE=mongodb://db.internal/relay relay load users.ndjson credentials.ndjson
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
def load(files: tuple[Path, ...]) -> None:
    """Load organizations, users and credentials into the store (RELAY_STORE).

    FILE.json contains {"organizations": […], "users": […], "credentials": […]}; FILE.ndjson or .jsonl
    contains one record a line: {"organization": {…}}, {"user": {…}} or {"credentials": {…}}. Records have
    the fields of the stored documents, and each record occurs once in a file. Each file is loaded
    completely or not at all; loading it again changes nothing. A given field is set, null clears a field,
    an absent field is not changed. Secrets are encrypted with the first key of RELAY_KEYRING.
    """
    settings = command_settings()
    failed: list[Diagnostic] = []
    for file in files:
        try:
            counts = asyncio.run(load_file(settings, file, progress=sys.stderr.isatty()))
        except SetupError as exc:
            failed += exc.problems
        else:
            click.echo(Diagnostic(str(file), f"loaded {counts}"))
    if failed:
        raise SetupError(failed)


async def load_file(settings: Any, path: Path, *, progress: bool = False) -> str:
    """Load one file, completely or not at all; return the numbers of records in words.

    Raises SetupError with the errors in the file, each with its line.
    """
    lists = read_records(path, progress=progress)
    batch = Batch(**{kind: [record.value for record in records] for kind, records in lists.items()})
    try:
        async with command_store(settings, "nothing in the file was loaded") as store:
            await store.load(batch)
    except KeyringMissing as exc:
        message = (
            f"missing: {path} has secrets, which are stored encrypted; create a key with `relay keys new`"
        )
        raise SetupError([Diagnostic("RELAY_KEYRING", message)]) from exc
    except RecordRefused as exc:
        refused = next(record for record in lists[exc.kind] if record.id == exc.id)
        raise SetupError([refused.problem(exc.reason)]) from exc
    return ", ".join(f"{len(records)} {kind}" for kind, records in lists.items())


@asynccontextmanager
async def command_store(settings: Any, outcome: str, *, read_only: bool = False) -> AsyncIterator[Store]:
    """Open the store; raise SetupError, with the outcome of the command, if it does not respond."""
    try:
        async with opened_store(settings, read_only=read_only) as store:
            yield store
    except StoreUnavailable as exc:
        reason = exc.reason or "the database did not respond"
        raise SetupError([Diagnostic("RELAY_STORE", f"{reason}; {outcome}")]) from exc


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
