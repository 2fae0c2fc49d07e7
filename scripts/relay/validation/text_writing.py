"""Writes bodies that are text or bytes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .errors import ResponseViolation
from .validators import Validator
from .violations import Violation


def write_text(value: Any, validator: Validator | None, charset: str) -> bytes:
    """Serialise text or bytes; text is validated, also that in bytes of a charset that is known."""
    serialised = to_bytes(value)
    if validator is not None and charset and isinstance(value, bytes):
        with suppress(UnicodeDecodeError, LookupError):
            value = value.decode(charset)
    if validator is not None and isinstance(value, str) and not validator.accepts(value):
        raise ResponseViolation(validator.violations(value))
    return serialised


def bytes_of(value: Any) -> bytes | None:
    """Return text, or bytes of any kind, as bytes; None for anything else."""
    if isinstance(value, str):
        return value.encode()
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else None


def to_bytes(value: Any) -> bytes:
    """Return a body that is not JSON as bytes. Raises ResponseViolation for one that is neither text nor bytes."""
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        raise ResponseViolation([Violation("", "type", "a body that is not JSON must be str or bytes")])
    return value
