"""The SQLite file: where it lies, who may read it, what it holds, what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from . import StoreAbsent, StoreMisconfigured

if TYPE_CHECKING:
    from pathlib import Path

LOCK_SECONDS = 1.5  # how long a statement waits for another process, less than whoever waits for the answer

_VERSION = 1
_SCHEMA = (
    """CREATE TABLE organizations (
        id TEXT PRIMARY KEY,
        document TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE users (
        id TEXT PRIMARY KEY,
        organization_id TEXT NOT NULL REFERENCES organizations (id),
        document TEXT NOT NULL,
        full_name TEXT AS (document ->> 'fullName') STORED,
        access_role TEXT AS (document ->> 'accessRole') STORED,
        login_disabled INTEGER AS (document ->> 'loginDisabled') STORED,
        UNIQUE (organization_id, id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE credentials (
        organization_id TEXT PRIMARY KEY REFERENCES organizations (id),
        document TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # Numbers are rows, not JSON: an organization's are one range of the key, read in its order. They follow
    # a user who moves to another organization.
    """CREATE TABLE voice_numbers (
        organization_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        provider TEXT,
        phone_number TEXT,
        is_default INTEGER,
        is_inbound_enabled INTEGER,
        ai_enabled INTEGER,
        ai_agent_id TEXT,
        elevenlabs_phone_number_id TEXT,
        label TEXT,
        PRIMARY KEY (organization_id, user_id, position),
        FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id) ON UPDATE CASCADE
    ) STRICT, WITHOUT ROWID""",
    f"PRAGMA user_version = {_VERSION}",
)

_REMEDIES = {
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_READONLY: "cannot be written; give this user write permission to it and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that it is a file this user may read and write",
    sqlite3.SQLITE_FULL: "is on a disk that is full; make room",
    sqlite3.SQLITE_IOERR: "cannot be read or written; check the disk, its room and the files beside it",
    sqlite3.SQLITE_BUSY: "is locked by another process; try again",
    sqlite3.SQLITE_ERROR: "holds what this program did not write; restore it from a backup",
}


def create(path: Path) -> None:
    """Make the file for its owner alone, and its folder; what is there already stays as it is."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    # Only a file that is new is opened: closing any other would drop the locks this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def require(path: Path) -> None:
    """Ask whether a file could be opened for writing, without doing so.

    Raises `StoreAbsent` for one that `create` could make, `StoreMisconfigured` for one that it could not.
    """
    folder = next(folder for folder in path.parents if folder.exists())
    if not path.exists() and folder.is_dir() and os.access(folder, os.W_OK):
        raise StoreAbsent(f"{path} is not there yet")
    if not path.exists():
        raise StoreMisconfigured(f"{path} cannot be created: this user may not write to {folder}.")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
        raise StoreMisconfigured(f"{path} {_REMEDIES[sqlite3.SQLITE_READONLY]}.")


def identity(path: Path) -> tuple[int, int] | None:
    """Tell a file from one that takes its place; None when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open an existing file and bring its schema up to date; `sqlite3.Error` or `StoreMisconfigured`.

    With `read_only` nothing is changed, and a file without a schema is `StoreAbsent`.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={_reading(path) if read_only else 'rw'}",
        uri=True,
        timeout=LOCK_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # one thread uses it, another closes it once that thread has ended
    )
    try:
        if read_only:
            _require_schema(connection, path)
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            if _version(connection, path) == 0:
                _create_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def close(connection: sqlite3.Connection) -> None:
    """Close a connection, and bring all of the log into the file it belongs to.

    SQLite does so for a file that still has its name. The log of one that was replaced it would leave, and
    the next start would replay it over the new file.
    """
    with suppress(sqlite3.Error):  # another process may be using the file
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def misconfigured(path: Path, trouble: sqlite3.Error | OSError) -> StoreMisconfigured:
    """Say what is wrong with a file that would not open, and what to do."""
    if isinstance(trouble, OSError):
        return StoreMisconfigured(f"{path} cannot be created: {trouble.strerror}.")
    remedy = _REMEDIES.get(_code(trouble), f"cannot be used: {trouble}")
    return StoreMisconfigured(f"{path} {remedy}.")


def reason(trouble: Exception) -> str:
    """Say what keeps a file that is open from being used; nothing for what only took too long."""
    remedy = _REMEDIES.get(_code(trouble))
    return f"the database {remedy}" if remedy else ""


def is_locked(trouble: sqlite3.Error | OSError) -> bool:
    """Tell whether another process merely holds the file for now."""
    return _code(trouble) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(trouble: Exception) -> int:
    # The primary code is the low byte; a text that is no UTF-8 comes without one.
    unknown = sqlite3.SQLITE_ERROR if isinstance(trouble, sqlite3.Error) else sqlite3.SQLITE_OK
    return getattr(trouble, "sqlite_errorcode", unknown) & 0xFF


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise StoreMisconfigured(f"{path} was written by a newer version of this program; run that one.")
    return version


def _create_schema(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if _version(connection, path) == _VERSION:
            return  # another process was quicker
        _require_empty(connection, path)
        for statement in _SCHEMA:
            connection.execute(statement)


def _require_schema(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == 0:
        _require_empty(connection, path)
        raise StoreAbsent(f"{path} is empty yet")


def _require_empty(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise StoreMisconfigured(f"{path} is another program's database; name another file.")


def _reading(path: Path) -> str:
    """Return the mode that leaves no file behind: without a log nobody is writing, and none need be made."""
    return "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1"
