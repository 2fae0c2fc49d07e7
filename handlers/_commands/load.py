"""`relay load`: organizations, users and credentials from files into the store."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from relay import Diagnostic


EXAMPLES = """\b
Examples:
  relay load organizations.json
  RELAY_STORE=mongodb://db.internal/relay relay load users.ndjson credentials.ndjson
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
def load(files: tuple[Path, ...]) -> None:
    """Load organizations, users and credentials into the store (RELAY_STORE).

    FILE.json holds {"organizations": […], "users": […], "credentials": […]}; FILE.ndjson or .jsonl
    holds one record a line: {"organization": {…}}, {"user": {…}} or {"credentials": {…}}. Records have
    the fields of the stored documents, and each stands in a file once. A file is taken whole or not at
    all; loading it again changes nothing. A field that is given is set, null clears it, an absent one
    stays as it was. Secrets are sealed with the first key of RELAY_KEYRING.
    """
    from handlers._settings import Settings
    from relay import SetupError

    settings = Settings.load()
    failed: list[Diagnostic] = []
    for file in files:
        try:
            counts = asyncio.run(load_file(settings, file, progress=sys.stderr.isatty()))
        except SetupError as exc:
            failed += exc.problems
        else:
            click.echo(f"{file}: loaded {counts}")
    if failed:
        raise SetupError(failed)


async def load_file(settings: Any, path: Path, *, progress: bool = False) -> str:
    """Load one file, all of it or nothing, and return what it held.

    Raises SetupError with the file's problems, each at its line.
    """
    from handlers._collaborators import opened_store
    from handlers._store import Batch, RecordRefused, StoreUnavailable
    from handlers._store.keyring import KeyringMissing
    from relay import Diagnostic, SetupError

    from .records import read_records

    lists = read_records(path, progress=progress)
    batch = Batch(**{kind: [record.value for record in records] for kind, records in lists.items()})
    try:
        async with opened_store(settings) as store:
            await store.load(batch)
    except StoreUnavailable as exc:
        told = exc.reason or "the database did not answer"
        raise SetupError([Diagnostic("RELAY_STORE", f"{told}; nothing of the file was loaded")]) from exc
    except KeyringMissing as exc:
        told = f"missing: {path} has secrets, which are stored sealed; `relay keys new` makes a key"
        raise SetupError([Diagnostic("RELAY_KEYRING", told)]) from exc
    except RecordRefused as exc:
        refused = next(record for record in lists[exc.kind] if record.id == exc.id)
        raise SetupError([refused.problem(exc.reason)]) from exc
    return ", ".join(f"{len(records)} {kind}" for kind, records in lists.items())
