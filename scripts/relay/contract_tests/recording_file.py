"""The file of a recording: an HTTP Archive that is complete after every entry, written by a thread of its own."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display

from .exchanges import Exchange
from .har_files import FOOT, MAX_BYTES, entry, head

_BEGUN = b'{"log": {"version": "1.2", "creator": {"name": "relay"'  # of any version

_log = logging.getLogger("relay.recording")


class Budget:
    """A budget of bytes in memory; the event loop takes from it, the writing thread gives back."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take some bytes; return False if fewer are left."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give(self, size: int) -> None:
        """Give some bytes back."""
        with self._lock:
            self._left += size


class RecordingFile:
    """An archive to which a thread adds the exchanges of a queue.

    An entry and the end of the file are written in one call, over the previous end. The file is locked
    against other writers, and only its owner can read it, as it contains traffic.
    """

    def __init__(self, path: Path, held: Budget) -> None:
        self.left_out = 0
        self._path, self._where, self._held = path, display(path), held
        self._queue: SimpleQueue[tuple[int, Callable[[], Exchange]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Create the file, or continue an existing recording; raise SetupError if it cannot be written."""
        self._file = -1
        self._end = 0  # of the last entry
        self._is_first = True
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            reason = self._begin()
        except BlockingIOError:
            reason = "is locked by another recording; name another file"
        except OSError as exc:
            reason = f"cannot be written: {exc.strerror}"
        if reason:
            if self._file >= 0:
                os.close(self._file)
            raise SetupError([Diagnostic("--record", f"{self._where} {reason}")])
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def put(self, size: int, exchange: Callable[[], Exchange]) -> None:
        """Let the thread make and write an exchange, which uses `size` bytes of the budget until then."""
        self._queue.put((size, exchange))

    def close(self) -> None:
        """Write what is queued, and close the file; a second call does nothing."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join()
        self._thread = None
        os.close(self._file)
        if self.left_out:
            _log.warning("%s: %d exchanges were left out", self._where, self.left_out)

    def _run(self) -> None:
        has_ended = False
        while (item := self._queue.get()) is not None:
            size, exchange = item
            try:
                if not has_ended and (has_ended := not self.add(exchange())):
                    _log.warning("%s: is full, nothing more is recorded", self._where)
            except OSError as exc:
                has_ended = True
                _log.warning("%s: nothing more is recorded: %s", self._where, exc.strerror)
            except Exception:  # noqa: BLE001 -- recording continues, and the service is not affected
                self.left_out += 1
                _log.exception("an exchange could not be recorded")
            finally:
                self._held.give(size)

    def add(self, exchange: Exchange) -> bool:
        """Append an entry; return False if the file is full. Raises OSError, and the file stays complete."""
        line = (b"" if self._is_first else b",") + entry(exchange)
        if self._end + len(line) + len(FOOT) > MAX_BYTES:
            return False
        self._write(line)
        self._is_first = False
        return True

    def _begin(self) -> str:
        """Write the start of an empty file, or find the end of a recording; return why neither is possible."""
        size = os.fstat(self._file).st_size
        if size == 0:
            self._write(head())
            return ""
        ended = os.pread(self._file, len(FOOT) + 1, max(0, size - len(FOOT) - 1))
        if os.pread(self._file, len(_BEGUN), 0) != _BEGUN or not ended.endswith(FOOT):
            return "exists and is not a complete recording of this command; name another file"
        self._end = size - len(FOOT)
        self._is_first = ended.startswith(b"[")
        return ""

    def _write(self, data: bytes) -> None:
        left, at = memoryview(data + FOOT), self._end
        try:
            while left:
                written = os.pwrite(self._file, left, at)
                left, at = left[written:], at + written
        except OSError:
            os.ftruncate(self._file, self._end)
            if self._end:
                os.pwrite(self._file, FOOT, self._end)
            raise
        self._end += len(data)
