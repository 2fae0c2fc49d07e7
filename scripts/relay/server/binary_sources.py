"""What the bytes of a file are read from: a path, bytes in memory, or an open binary file."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from .conditional import Validators


class Source(Protocol):
    """A sequence of bytes that can be read at any place; its methods may block."""

    size: int
    validators: Validators
    blocks: bool
    """Whether `read` may wait, for a disk."""

    def read(self, start: int, size: int) -> bytes:
        """Return up to so many bytes."""

    def close(self) -> None:
        """Close it; a second call does nothing."""


class PathSource:
    """An open file of the file system; what is sent is the file that was opened, also if it is replaced."""

    blocks = True

    def __init__(self, path: Path) -> None:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would block
            raise OSError(f"{path.name} is not a regular file")
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._file)
        self.size = status.st_size
        modified = datetime.fromtimestamp(int(status.st_mtime), UTC)
        self.validators = Validators(f'"{status.st_mtime_ns:x}-{status.st_size:x}"', modified)

    def read(self, start: int, size: int) -> bytes:
        """Return up to so many bytes."""
        return os.pread(self._file, size, start)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class BytesSource:
    """Bytes in memory; the entity tag is their digest."""

    blocks = False

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self.size = len(content)
        self.validators = Validators(f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"', None)

    def read(self, start: int, size: int) -> bytes:
        """Return up to so many bytes."""
        return bytes(self._content[start : start + size])

    def close(self) -> None:
        """Release nothing: the bytes are the handler's."""


class FileSource:
    """An open binary file, which is closed at the end; it has no validators."""

    blocks = True

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)
        self.validators = Validators(None, None)

    def read(self, start: int, size: int) -> bytes:
        """Return up to so many bytes."""
        self._file.seek(start)
        return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_source(source: Path | bytes | BinaryIO) -> Source:
    """Open what a handler gave. Raises OSError for a path that cannot be read."""
    if isinstance(source, Path):
        return PathSource(source)
    return BytesSource(source) if isinstance(source, bytes) else FileSource(source)
