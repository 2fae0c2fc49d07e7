"""The SQLite file: its path, permissions, schema, and error messages."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from . import StoreAbsent, StoreMisconfigured

LOCK_SECONDS = 1.5  # how long a statement waits for a lock of another process, less than the caller's timeout

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
    # Numbers are rows, not JSON: those of an organization are one range of the key, read in its order.
    # They follow a user to another organization.
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
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; use another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_READONLY: "cannot be written; give this user write permission to it and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that it is a file this user may read and write",
    sqlite3.SQLITE_FULL: "is on a full disk; free some space",
    sqlite3.SQLITE_IOERR: "cannot be read or written; check the disk, its free space and the files next to it",
    sqlite3.SQLITE_BUSY: "is locked by another process; try again",
    sqlite3.SQLITE_ERROR: "contains data that this program did not write; restore it from a backup",
}


def create(path: Path) -> None:
    """Create the file and its folder, accessible to the owner only; existing ones are not changed."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    # Only a new file is opened: closing an existing file would release this process's locks on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def require(path: Path) -> None:
    """Check that a file could be opened for writing, without opening it.

    Raises `StoreAbsent` if `create` could create it, `StoreMisconfigured` if it could not.
    """
    folder = next(folder for folder in path.parents if folder.exists())
    if not path.exists() and folder.is_dir() and os.access(folder, os.W_OK):
        raise StoreAbsent(f"{path} does not exist yet")
    if not path.exists():
        raise StoreMisconfigured(f"{path} cannot be created: this user may not write to {folder}.")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
        raise StoreMisconfigured(f"{path} {_REMEDIES[sqlite3.SQLITE_READONLY]}.")


def identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file, which detect a replacement; None if it does not exist.

    Raises `StoreMisconfigured` for what is not a regular file: to open a pipe may take for ever.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 -- for each request, and Path.stat takes twice as long
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise StoreMisconfigured(f"{path} is not a regular file; name another one.")
    return status.st_dev, status.st_ino


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open an existing file and create its schema if it is empty.

    Raises `sqlite3.Error` or `StoreMisconfigured`. With `read_only`, nothing is changed; raises `StoreAbsent`
    for a file without a schema.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={_reading(path) if read_only else 'rw'}",
        uri=True,
        timeout=LOCK_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # one thread uses it, another closes it after that thread has ended
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
    with suppress(sqlite3.Error):  # another process may use the file
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def exposures(path: Path) -> Iterator[str]:
    """Report permissions that let other users read the file or its log, or replace it."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{file} is accessible to other users of this machine; run chmod 600 {file}"
    if path.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield f"{path.parent}, the folder of {path.name}, is writable by other users; run chmod 700 {path.parent}"


def misconfigured(path: Path, exc: sqlite3.Error | OSError) -> StoreMisconfigured:
    """Return the error for a file that cannot be opened, with what to do."""
    if isinstance(exc, OSError):
        return StoreMisconfigured(f"{path} cannot be created: {exc.strerror}.")
    remedy = _REMEDIES.get(_code(exc), f"cannot be used: {exc}")
    return StoreMisconfigured(f"{path} {remedy}.")


def reason(exc: Exception) -> str:
    """Return why an open file cannot be used; '' for a timeout."""
    remedy = _REMEDIES.get(_code(exc))
    return f"the database {remedy}" if remedy else ""


def is_locked(exc: sqlite3.Error | OSError) -> bool:
    """Return True if another process has locked the file."""
    return _code(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(exc: Exception) -> int:
    # The primary code is the low byte; the error for text that is not UTF-8 has no code.
    unknown = sqlite3.SQLITE_ERROR if isinstance(exc, sqlite3.Error) else sqlite3.SQLITE_OK
    return getattr(exc, "sqlite_errorcode", unknown) & 0xFF


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise StoreMisconfigured(f"{path} was written by a newer version of this program; use that version.")
    return version


def _create_schema(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if _version(connection, path) == _VERSION:
            return  # another process has created it
        _require_empty(connection, path)
        for statement in _SCHEMA:
            connection.execute(statement)


def _require_schema(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == 0:
        _require_empty(connection, path)
        raise StoreAbsent(f"{path} is still empty")


def _require_empty(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise StoreMisconfigured(f"{path} is the database of another program; use another file.")


def _reading(path: Path) -> str:
    """Return the mode for reading without creating files: without a log there is no writer, so none is needed."""
    return "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1"
