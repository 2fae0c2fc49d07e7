"""Reads where the request runs, without a thread, as long as nothing can make them wait."""

import fcntl
import os
import sqlite3
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from . import sqlite_file

T = TypeVar("T")

_MOST_STEPS = 30_000  # of SQLite's machine, in one read: some 300 numbers, half a millisecond
_FLOCK = "hhqqi"  # C's `struct flock` of Linux on 64 bits: type, whence, start, length, process
_ARE_READERS_LOCKED_OUT = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 123, 5, 0)
"""The question about the bytes of the shared memory that readers lock (SQLite, "WAL-mode File Format", 2.3.3)."""


class Read(NamedTuple):
    """The rows of a statement, and about how many bytes of memory it takes."""

    value: Any
    size: int


class Memory:
    """Results of reads, each with the state of the file that it is at least as new as; the last used ones stay."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._found: OrderedDict[Hashable, tuple[int, Read]] = OrderedDict()

    def get(self, key: Hashable) -> tuple[int, Read] | None:
        """Return a state of the file and what was read then; None for what is not remembered."""
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
        return found

    def put(self, key: Hashable, state: int, read: Read) -> None:
        """Remember what was read, unless it is larger than all that may be remembered."""
        if key in self._found:
            self._bytes -= self._found.pop(key)[1].size
        if read.size > self._most_bytes:
            return
        self._found[key] = state, read
        self._bytes += read.size
        while self._bytes > self._most_bytes:
            _, (_, oldest) = self._found.popitem(last=False)
            self._bytes -= oldest.size


class InlineReader:
    """A connection that is used where requests run, so nothing that it does may wait."""

    def __init__(self, connection: sqlite3.Connection, shared_memory: int) -> None:
        self._connection = connection
        self._shared_memory = shared_memory
        self._interruptions = 0
        connection.execute("PRAGMA busy_timeout = 0")
        connection.set_progress_handler(self._is_long, _MOST_STEPS)

    def state(self) -> int | None:
        """Return a number that another one's commit changes; None if asking would wait."""
        if _is_locked(self._shared_memory):
            return None
        try:
            [(state,)] = self._connection.execute("PRAGMA data_version").fetchall()
        except sqlite3.Error:
            return None
        return int(state)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Return the result of a short read; None for one that is long or fails."""
        self._interruptions = 0
        try:
            return work(self._connection)
        except sqlite3.Error:
            return None

    def _is_long(self) -> bool:
        self._interruptions += 1  # SQLite counts the steps of all reads together
        return self._interruptions > 1


def open_inline(path: Path) -> tuple[sqlite3.Connection, InlineReader | None]:
    """Open a connection; it is no reader where the system does not say whether locks would make it wait."""
    connection = sqlite_file.connect(path)
    [_] = connection.execute("PRAGMA data_version").fetchall()  # opens the shared memory
    descriptor = shared_memory(path)
    return connection, InlineReader(connection, descriptor) if descriptor is not None else None


def shared_memory(path: Path) -> int | None:
    """Return the descriptor by which SQLite has the shared memory of a file open; None where that cannot be known.

    To close one of our own would release all locks of this process (SQLite, "How To Corrupt", 2.2).
    """
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    try:
        wanted = path.with_name(f"{path.name}-shm").stat()
        open_files = [int(one.name) for one in Path("/proc/self/fd").iterdir()]
        return next(one for one in open_files if _is_open_as(one, wanted))
    except (OSError, StopIteration):
        return None


def _is_open_as(descriptor: int, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), wanted)
    except OSError:  # the one that listed the folder
        return False


def _is_locked(shared_memory: int) -> bool:
    """Return True if another process has locked readers out: SQLite would wait for up to 10 s, whatever its time-out."""
    answer = fcntl.fcntl(shared_memory, fcntl.F_GETLK, _ARE_READERS_LOCKED_OUT)
    return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)
