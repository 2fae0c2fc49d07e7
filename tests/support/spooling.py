"""Spools and uploads that a test fills as a server does."""

from typing import Any

from relay import Upload
from relay.validation.spools import Spool, Spools


def spooled(*pieces: bytes, spools: Spools | None = None) -> Spool:
    """Return a spool that these pieces were written to; the test closes it."""
    spool = Spool(spools or Spools(1))
    try:
        for piece in pieces:
            spool.write(piece)
            if spool.needs_flush(is_last=False):
                spool.flush()
        if spool.needs_flush(is_last=True):
            spool.flush()
    except BaseException:
        spool.close()
        raise
    return spool


def uploaded(content: bytes, *, around: int = 0, **rest: Any) -> Upload:
    """Return an upload that has so many other bytes before and after it in its spool."""
    return Upload(spooled(b"s" * around + content + b"e" * around), around, len(content), **rest)
