"""The store in one SQLite file: the default, which needs no database server."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from . import (
    Batch,
    Member,
    Store,
    StoredSecret,
    StoreMisconfigured,
    StoreUnavailable,
    User,
    VoiceAi,
    encryption,
    rules,
    sqlite_file,
    sqlite_inline,
    sqlite_rows,
)
from .keyring import Encrypted, Keyring

T = TypeVar("T")

_log = logging.getLogger("relay.store")

_REMEMBERED_BYTES = 32 << 20
_READERS = 2  # the GIL serialises their work, so more threads would only wait


def open_sqlite(
    url: str, keyring: Keyring | None = None, *, read_only: bool = False
) -> AbstractAsyncContextManager[Store]:
    """Return the store of a URL; raise `StoreMisconfigured` if it has no file name."""
    path = url.removeprefix("sqlite:///")
    if not url.startswith("sqlite:///") or path in ("", ":memory:") or "?" in url:
        raise StoreMisconfigured(
            "A SQLite URL must be a file path without options: sqlite:///relative.db or sqlite:////absolute.db."
        )
    return _opened(Path(path).resolve(), keyring, read_only=read_only)


@asynccontextmanager
async def _opened(path: Path, keyring: Keyring | None, *, read_only: bool) -> AsyncIterator[Store]:
    if sqlite3.sqlite_version_info < (3, 38):
        raise StoreMisconfigured(f"SQLite 3.38 or newer is needed; this Python has {sqlite3.sqlite_version}.")
    store = SqliteStore(path, keyring, read_only=read_only)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


class SqliteStore:
    """One writer thread and a few reader threads, each with its own connection, and one where requests run.

    What was read is remembered until anyone commits, and read again where the request runs. A first read, a long
    one, and one that a lock would make wait are for the threads.
    """

    def __init__(self, path: Path, keyring: Keyring | None = None, *, read_only: bool = False) -> None:
        self._path = path
        self._keyring = keyring
        self._read_only = read_only
        self._file: tuple[int, int] | None = None
        self._writer = ThreadPoolExecutor(1, "relay-sqlite-writer")
        self._readers = ThreadPoolExecutor(_READERS, "relay-sqlite-reader")
        self._thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._checking = threading.Lock()
        self._replaced = False
        self._memory = sqlite_inline.Memory(_REMEMBERED_BYTES)
        self._inline: sqlite_inline.InlineReader | None = None
        self._needs_inline = not read_only

    async def open(self) -> None:
        """Create the file if it is missing; a file locked by another process does not prevent the start."""
        try:
            if self._read_only:
                sqlite_file.require(self._path)
            else:
                sqlite_file.create(self._path)
            self._file = sqlite_file.identity(self._path)
            await asyncio.get_running_loop().run_in_executor(self._writer, self._connection)
        except (sqlite3.Error, OSError) as exc:
            if not sqlite_file.is_locked(exc):
                raise sqlite_file.misconfigured(self._path, exc) from exc
            _log.warning("%s is locked by another process; each request tries it again", self._path)

    async def close(self) -> None:
        """Wait for running statements, then close every connection."""
        for executor in (self._readers, self._writer):
            await asyncio.to_thread(executor.shutdown)
        for connection in self._connections:
            sqlite_file.close(connection)

    async def user(self, user_id: str) -> User | None:
        """See `Store.user`."""
        return (await self._user(user_id))[0]

    async def member(self, user_id: str) -> Member | None:
        """See `Store.member`; reads the settings and numbers when they are asked for."""
        user, state = await self._user(user_id)
        return Member(user, partial(self._voice_ai, user.organization_id, state)) if user else None

    async def voice_ai(self, organization_id: str) -> VoiceAi:
        """See `Store.voice_ai`; one statement reads both."""
        return await self._voice_ai(organization_id, None)

    async def _user(self, user_id: str) -> tuple[User | None, int | None]:
        """Return a user, and the state of the file that it is of, if that is known."""
        if not rules.ID.fullmatch(user_id):
            return None, None
        work = partial(sqlite_rows.read_user, user_id=user_id)
        return await self._remembered(("user", user_id), work, rules.USER_SECONDS)

    async def _voice_ai(self, organization_id: str, known: int | None) -> VoiceAi:
        """Return settings and numbers of a state that was the file's when the request's user was read, or of a later one."""
        key = "voice_ai", organization_id
        remembered = self._memory.get(key)
        if remembered is not None and remembered[0] == known:
            return cast("VoiceAi", remembered[1].value)
        work = partial(sqlite_rows.read_voice_ai, organization_id=organization_id)
        return cast("VoiceAi", (await self._remembered(key, work, rules.ANSWER_SECONDS))[0])

    async def load(self, batch: Batch) -> None:
        """See `Store.load`; one transaction, however long it takes."""
        rules.check_records(batch)
        encrypted = sqlite_rows.FORMAT.encrypted(batch, self._keyring)
        await self._write(partial(sqlite_rows.load, batch=encrypted))

    async def ready(self) -> None:
        """See `Store.ready`."""
        await self._read(sqlite_rows.probe)

    async def secrets(self) -> AsyncIterator[StoredSecret]:
        """See `Store.secrets`."""
        after = ""
        while records := await self._read(partial(sqlite_rows.read_secrets, after=after)):
            for organization_id, record in records:
                for secret in sqlite_rows.FORMAT.secrets(organization_id, record):
                    yield secret
                after = organization_id

    async def replace_secrets(self, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
        """See `Store.replace_secrets`; one transaction."""
        return await self._write(partial(sqlite_rows.replace_secrets, changes=changes))

    async def scrub(self) -> bool:
        """See `Store.scrub`; the duration depends on the file's size."""
        with _as_unavailable():
            return await self._run(self._writer, sqlite_rows.scrub)

    async def check(self) -> list[str]:
        """See `Store.check`."""
        report = await encryption.count_secrets(self.secrets(), self._keyring)
        with _as_unavailable():
            return [*sqlite_file.exposures(self._path), *report.problems()]

    async def _remembered(
        self, key: Hashable, work: Callable[[sqlite3.Connection], sqlite_inline.Read], seconds: float
    ) -> tuple[Any, int | None]:
        """Return what is remembered of the file's current state, else read it; and the state, if that is known."""
        with _as_unavailable():
            self._require_file()
        state = self._inline.state() if self._inline else None
        remembered = self._memory.get(key) if state is not None else None
        if remembered and remembered[0] == state:
            return remembered[1].value, state
        # What was read before is in the system's memory, so the disk makes no one wait.
        read = self._inline.read(work) if self._inline and remembered else None
        if read is None:
            read = await self._read(work, seconds)
        if state is not None:  # it was asked before the read, so that is no older
            self._memory.put(key, state, read)
        return read.value, state

    async def _read(
        self, work: Callable[[sqlite3.Connection], T], seconds: float = rules.ANSWER_SECONDS
    ) -> T:
        """Read with one statement, within `seconds`, including the waits for a thread and a lock."""
        with _as_unavailable():
            async with asyncio.timeout(seconds):
                return await self._run(self._readers, work)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write in one transaction, however long it takes."""

        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or rolls back what raised
                return work(connection)

        with _as_unavailable():
            return await self._run(self._writer, transaction)

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[[sqlite3.Connection], T]) -> T:
        # The caller's context has the request id for the log.
        context = copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, context.run, lambda: self._with_connection(work))

    def _with_connection(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result = work(self._connection())
        with self._checking:
            if self._needs_inline:  # now that the file can be read
                self._needs_inline = False
                connection, self._inline = sqlite_inline.open_inline(self._path)
                self._connections.append(connection)
        return result

    def _require_file(self) -> None:
        """Raise StoreUnavailable if the file is not the one that was opened at start.

        If it was replaced, SQLite would replay the old file's log over the new one.
        """
        with self._checking:
            if not self._replaced and sqlite_file.identity(self._path) != self._file:
                self._replaced = True
                _log.error("%s is gone or was replaced; restart the service", self._path)
        if self._replaced:
            raise StoreUnavailable

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection, which is always to the file opened at start."""
        self._require_file()
        if not hasattr(self._thread, "connection"):
            self._thread.connection = sqlite_file.connect(self._path, read_only=self._read_only)
            self._connections.append(self._thread.connection)
        connection: sqlite3.Connection = self._thread.connection
        return connection


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, TimeoutError, StoreMisconfigured) as exc:
        raise StoreUnavailable(reason=sqlite_file.reason(exc)) from exc
