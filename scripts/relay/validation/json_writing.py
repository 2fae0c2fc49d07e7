"""Serialises bodies: valid values as JSON, and text or bytes."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson

from .errors import ResponseViolation
from .plain_values import Level, NotPlain, plain
from .shapes import Shape
from .validators import Validator


def write_json(value: Any, validator: Validator | None, shape: Shape) -> bytes:
    """Serialise a valid value; without a validator, any value. Raises ResponseViolation.

    Values of other types than JSON's may be valid only in the form that they have in JSON.
    """
    if validator is None:
        return to_json(to_plain(value, shape))
    try:
        if validator.accepts(value):
            return orjson.dumps(value)
    except (ValueError, TypeError):
        pass
    value = to_plain(value, shape)
    serialised = to_json(value)
    if not validator.accepts(value):
        raise ResponseViolation(validator.violations(json.loads(serialised)))
    return serialised


def to_plain(value: Any, shape: Shape) -> Any:
    """Return a value with the types that JSON has. Raises ResponseViolation that names the type and the field."""
    try:
        return plain(value, Level(shape))
    except NotPlain as exc:
        raise ResponseViolation.at(exc.path, "type", str(exc)) from None


def to_json(value: Any) -> bytes:
    """Serialise a plain value; a Decimal keeps all its digits. Raises ResponseViolation."""
    try:
        return orjson.dumps(value, default=_number)
    except (TypeError, ValueError, RecursionError) as exc:
        raise ResponseViolation.at("", "type", "the body cannot be serialised as JSON") from exc


def _number(value: Any) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError
    return orjson.Fragment(str(value))


def write_text(value: Any, validator: Validator | None, charset: str) -> bytes:
    """Serialise text or bytes; text, also in bytes of a known charset, is validated. Raises ResponseViolation."""
    serialised = value.encode() if isinstance(value, str) else value
    if not isinstance(serialised, bytes):
        raise ResponseViolation.at("", "type", "a body that is not JSON must be str or bytes")
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
