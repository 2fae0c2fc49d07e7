"""Keeps the bytes of a body while they arrive: a few in memory, more in a temporary file without a name.

A file without a name needs no clean-up: the system frees it with its last descriptor, whatever ends the process.
"""

from __future__ import annotations

import io
import os
import resource
import tempfile
import threading
from typing import BinaryIO

IN_MEMORY = 64 * 1024
"""Bytes that are kept in memory, and that are written to a file at once."""

_MOST = 1000  # temporary files of a process without a limit of descriptors


def spools_allowed() -> int:
    """Return how many temporary files this process may have open: an eighth of its limit of descriptors."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else min(soft // 8, _MOST)


class TooManySpools(Exception):
    """As many temporary files are open as the process can afford."""


class Spools:
    """Opens temporary files in the system's folder (`TMPDIR`), at most `limit` at a time."""

    def __init__(self, limit: int) -> None:
        self._free = threading.Semaphore(limit)

    def open(self) -> BinaryIO:
        """Return a new file. Raises TooManySpools, and OSError if the folder cannot be written."""
        if not self._free.acquire(blocking=False):
            raise TooManySpools
        try:
            return _unnamed_file(tempfile.gettempdir())
        except BaseException:
            self._free.release()
            raise

    def close(self, file: BinaryIO) -> None:
        """Close a file that was opened here."""
        file.close()
        self._free.release()


class Spool:
    """The bytes of one body, or of the files in it. `write` never blocks; `flush` and `read` may."""

    def __init__(self, spools: Spools | None = None) -> None:
        self.size = 0
        self._spools = spools  # without, all is kept in memory
        self._pending = bytearray()
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()  # a request may end while a thread writes
        self._is_closed = False

    def needs_flush(self, *, is_last: bool) -> bool:
        """Return True if bytes are waiting that may not stay in memory; after the last one, all of a file's."""
        waiting = len(self._pending)
        return waiting > IN_MEMORY or (is_last and waiting > 0 and self._file is not None)

    @property
    def descriptor(self) -> int | None:
        """The descriptor of the file; None if the bytes are in memory."""
        return None if self._file is None else self._file.fileno()

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._pending += data
        self.size += len(data)

    def flush(self) -> None:
        """Write to the file what is not in it yet. Raises OSError and TooManySpools."""
        with self._lock:
            if self._is_closed or self._spools is None:
                return
            if self._file is None:
                self._file = self._spools.open()
            waiting = memoryview(self._pending)
            while waiting:
                waiting = waiting[self._file.write(waiting) :]
            self._pending = bytearray()

    def read(self, start: int, count: int) -> bytes:
        """Return up to `count` bytes from `start`. Raises ValueError after the end of the request."""
        with self._lock:
            if self._is_closed:
                raise ValueError("the request has ended, and its files are deleted; save them before")
            if self._file is not None:
                return _read(self._file.fileno(), start, count)
            return bytes(self._pending[start : start + count])

    def close(self) -> None:
        """Delete the bytes; a second call does nothing."""
        with self._lock:
            self._is_closed, self._pending = True, bytearray()
            if self._file is not None and self._spools is not None:
                self._spools.close(self._file)
                self._file = None


class Window(io.RawIOBase):
    """A part of a spool as a file that can be read and searched."""

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        super().__init__()
        self._spool, self._start, self._size = spool, start, size
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the library passes nothing else
        """Read into a buffer; return how many bytes."""
        data = self._spool.read(self._start + self._at, max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def readall(self) -> bytes:
        """Read to the end."""
        data = self._spool.read(self._start + self._at, max(0, self._size - self._at))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position and return it."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at


def _read(descriptor: int, start: int, count: int) -> bytes:
    """Return `count` bytes, also if the system returns fewer at once, as it does beyond 2 GiB."""
    data = os.pread(descriptor, count, start)
    while len(data) < count and (more := os.pread(descriptor, count - len(data), start + len(data))):
        data += more
    return data


def _unnamed_file(folder: str) -> BinaryIO:
    """Open a file without a name, which `save_to` can give one; where the system has none, a deleted one."""
    if hasattr(os, "O_TMPFILE"):
        try:
            descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except OSError:
            pass  # the file system has none; if it is full or read-only, the next line says so
        else:
            return os.fdopen(descriptor, "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0, dir=folder)
