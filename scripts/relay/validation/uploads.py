"""`relay.Upload`: a file of a request, as handlers get it."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from .spools import Spool, Window

CHUNK = 256 * 1024
"""Bytes that iteration returns at once."""

_UNSAFE = re.compile(r"[^\w .()+-]+")
_MAX_NAME = 120  # characters; file systems allow 255 bytes

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Upload:
    """A file that a client sent, in a form or as a whole body. It is deleted when the request ends.

    `name` is the client's name for it, unchanged and not to be trusted: it may be empty, `../../etc/passwd` or
    anything else; `safe_name` may be a name in a folder. `media_type` is what the client says, too. `headers` are those
    of its part, by name in lower case.

    All methods are synchronous and may wait for the disk. A plain `def` handler calls them as they are; an `async def`
    one calls them for a large file as `await asyncio.to_thread(upload.save_to, path)`.
    """

    __slots__ = ("_spool", "_start", "_window", "headers", "media_type", "name", "size")

    def __init__(
        self,
        spool: Spool,
        start: int,
        size: int,
        *,
        name: str = "",
        media_type: str = "application/octet-stream",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self.name = name
        self.media_type = media_type
        self.size = size
        self.headers = headers
        self._spool, self._start = spool, start
        self._window: BinaryIO | None = None

    def __repr__(self) -> str:
        return f"<Upload of {self.size} bytes>"

    @property
    def safe_name(self) -> str:
        """The last component of `name` with letters, digits, spaces and `.()+-_` only; never empty or hidden."""
        last = self.name.replace("\\", "/").rpartition("/")[2]
        clean = _UNSAFE.sub("_", last).strip(" .")
        stem, dot, suffix = clean.rpartition(".")
        if dot and len(suffix) < _MAX_NAME // 2:
            return f"{stem[: _MAX_NAME - len(suffix) - 1]}.{suffix}"
        return clean[:_MAX_NAME] or "upload"

    @property
    def filename(self) -> str:
        """The same as `name`, as Starlette calls it."""
        return self.name

    @property
    def content_type(self) -> str:
        """The same as `media_type`, as Starlette calls it."""
        return self.media_type

    @property
    def file(self) -> BinaryIO:
        """The content as a file that can be read and searched, for libraries that take one."""
        if self._window is None:
            window = Window(self._spool, self._start, self.size)
            self._window = io.BufferedReader(window, CHUNK)
        assert self._window is not None
        return self._window

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, by default all that follow."""
        return self.file.read(size)

    def head(self, count: int) -> bytes:
        """Return the first bytes, whatever has been read before."""
        return self._spool.read(self._start, min(count, self.size))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position for `read`; return it."""
        return self.file.seek(offset, whence)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the whole content in pieces, whatever has been read before."""
        for start in range(0, self.size, CHUNK):
            yield self._spool.read(self._start + start, min(CHUNK, self.size - start))

    def save_to(self, path: str | os.PathLike[str]) -> Path:
        """Write the content to a file, replacing an existing one, and return its path.

        The file appears complete or not at all. On the file system of the temporary files, a large upload is not
        copied, but given its name. Raises OSError.
        """
        target = Path(path)
        with tempfile.TemporaryDirectory(prefix=".upload-", dir=target.parent) as folder:
            written = Path(folder, "content")
            if not self._linked(written):
                with written.open("xb") as file:
                    for piece in self:
                        file.write(piece)
            written.replace(target)
        return target

    def _linked(self, path: Path) -> bool:
        """Give the temporary file a name, if the upload is all of it; return False where this is not possible."""
        descriptor = self._spool.descriptor
        if descriptor is None or self.size != self._spool.size or os.fstat(descriptor).st_nlink:
            return False  # a file with two names would change under both
        try:
            # Only with `src_dir_fd` does Python follow the link; for an absolute path the system ignores it.
            os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
        except (OSError, NotImplementedError):
            return False
        return True

    def close(self) -> None:
        """Delete the content; Relay does this when the request ends."""
        self._spool.close()
