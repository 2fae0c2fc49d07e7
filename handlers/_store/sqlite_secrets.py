"""The secrets in the SQLite file, for `relay keys`; and a check of the file's permissions."""

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

# `->` returns a field's JSON, which distinguishes strings from objects.
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
    """Read a page of organizations with an id greater than `after`: their secret fields as stored."""
    return [
        (organization_id, _parsed(zip(rules.SECRETS, values, strict=True)))
        for organization_id, *values in connection.execute(_PAGE, (after,))
    ]


def replace(connection: sqlite3.Connection, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
    """Replace the secrets that have not changed since they were read, inside an exclusive write transaction."""
    replaced = 0
    for secret, encrypted in changes:
        key = {"organization": secret.organization_id, "field": secret.name}
        current = _parsed((secret.name, value) for (value,) in connection.execute(_ONE, key))
        if secret in encryption.stored_secrets(secret.organization_id, current, to_bytes):
            connection.execute(_PUT, {**key, "encrypted": json.dumps(to_document(encrypted))})
            replaced += 1
    return replaced


def scrub(connection: sqlite3.Connection) -> bool:
    """Rewrite the file and empty its log, because both keep overwritten data.

    Returns False while another connection reads from the log.
    """
    connection.execute("VACUUM")
    is_busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not is_busy


def exposures(path: Path) -> Iterator[str]:
    """Report permissions that let other users read the file or its log, or replace it."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{file} is accessible to other users of this machine; run chmod 600 {file}"
    if path.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield f"{path.parent}, the folder of {path.name}, is writable by other users; run chmod 700 {path.parent}"


def to_document(encrypted: Encrypted) -> dict[str, Any]:
    """Return the JSON object of an encrypted secret."""
    return encryption.to_document(encrypted, lambda raw: base64.b64encode(raw).decode())


def to_bytes(text: str) -> bytes:
    """Return the bytes of a base64 string."""
    return base64.b64decode(text, validate=True)


def _parsed(fields: Iterator[tuple[str, str | None]]) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in fields if value is not None}
