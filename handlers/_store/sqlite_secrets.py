"""The secrets in the SQLite file, for the commands around the keyring; and who can get at the file."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING, Any

from . import encryption, rules

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from . import StoredSecret
    from .keyring import Encrypted

# `->` gives a field's JSON, so that a text is told from a document.
_PAGE = f"""
    SELECT organization_id, {", ".join(f"document -> '{field}'" for field in rules.SECRETS)}
    FROM credentials WHERE organization_id > ? ORDER BY organization_id LIMIT 200
"""  # noqa: S608 -- the field names are constants
_ONE = "SELECT document -> :field FROM credentials WHERE organization_id = :organization"
_PUT = """
    UPDATE credentials SET document = json_set(document, '$.' || :field, json(:encrypted))
    WHERE organization_id = :organization
"""


def read(connection: sqlite3.Connection, after: str) -> list[tuple[str, dict[str, Any]]]:
    """Read a page of organizations, by id, beyond one: the fields of their secrets, as they are stored."""
    return [
        (organization_id, _parsed(zip(rules.SECRETS, values, strict=True)))
        for organization_id, *values in connection.execute(_PAGE, (after,))
    ]


def replace(connection: sqlite3.Connection, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
    """Replace the secrets that are still what was read, within a transaction that nobody else writes in."""
    replaced = 0
    for secret, encrypted in changes:
        place = {"organization": secret.organization_id, "field": secret.name}
        now = _parsed((secret.name, value) for (value,) in connection.execute(_ONE, place))
        if secret in encryption.stored_secrets(secret.organization_id, now, to_bytes):
            connection.execute(_PUT, {**place, "sealed": json.dumps(to_document(encrypted))})
            replaced += 1
    return replaced


def scrub(connection: sqlite3.Connection) -> bool:
    """Write the file anew and empty its log, which both keep what was overwritten until they need the room.

    False while another connection reads from the log.
    """
    connection.execute("VACUUM")
    is_busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not is_busy


def exposures(path: Path) -> Iterator[str]:
    """Tell what of the file others can get at: read it or its log, or put another one in its place."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{file} is open to other users of this machine; take that away: chmod 600"
    if path.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield f"{path.parent}, the folder of {path.name}, can be written by others; take that away: chmod 700"


def to_document(encrypted: Encrypted) -> dict[str, Any]:
    """Return a sealed secret in JSON's types."""
    return encryption.to_document(encrypted, lambda raw: base64.b64encode(raw).decode())


def to_bytes(text: str) -> bytes:
    """Return the bytes that a document in JSON holds as text."""
    return base64.b64decode(text, validate=True)


def _parsed(fields: Iterator[tuple[str, str | None]]) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in fields if value is not None}
