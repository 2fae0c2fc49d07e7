"""`relay load`: load organizations, users and credentials from files into the store."""

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

    FILE.json contains {"organizations": […], "users": […], "credentials": […]}; FILE.ndjson or .jsonl
    contains one record a line: {"organization": {…}}, {"user": {…}} or {"credentials": {…}}. Records have
    the fields of the stored documents, and each record occurs once in a file. Each file is loaded
    completely or not at all; loading it again changes nothing. A given field is set, null clears a field,
    an absent field is not changed. Secrets are encrypted with the first key of RELAY_KEYRING.
    """
    from relay import Diagnostic, SetupError

    from .sources import command_settings

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
        reason = exc.reason or "the database did not respond"
        raise SetupError([Diagnostic("RELAY_STORE", f"{reason}; nothing in the file was loaded")]) from exc
    except KeyringMissing as exc:
        message = (
            f"missing: {path} has secrets, which are stored encrypted; create a key with `relay keys new`"
        )
        raise SetupError([Diagnostic("RELAY_KEYRING", message)]) from exc
    except RecordRefused as exc:
        refused = next(record for record in lists[exc.kind] if record.id == exc.id)
        raise SetupError([refused.problem(exc.reason)]) from exc
    return ", ".join(f"{len(records)} {kind}" for kind, records in lists.items())
