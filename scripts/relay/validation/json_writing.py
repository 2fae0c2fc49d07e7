"""Values of Python as JSON, text or bytes: converted to the plain ones that JSON has, as a schema says, and serialised.

Where a type has several forms in JSON, the schema decides: a Decimal is a number, or a string where only that is
documented; bytes are base64 where the format says so; a timedelta is a duration, or a number of seconds.
It is one module because each type of value may contain any other.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import pydantic

from relay.contract.json_text import is_64_bit
from relay.contract.pointers import escape

from .errors import ResponseViolation
from .shapes import Shape
from .validators import Validator

MAX_DEPTH = 200
"""Levels of a value; the serialiser has a limit of 254."""

_LONG = 18  # digits of an integer that certainly has 64 bits
_MAX_EXPONENT = 1000  # a Decimal beyond it is written with an exponent, as text would take too much memory


class NotPlain(Exception):
    """A value that JSON cannot represent; `path` is the JSON pointer to it, the message names its type only.

    Of a value that `is_too_deep` there is no path, since it would be as long.
    """

    def __init__(self, message: str, *, is_too_deep: bool = False) -> None:
        super().__init__(message)
        self.path = ""
        self._is_too_deep = is_too_deep

    def within(self, key: str | int) -> NotPlain:
        """Return the error as one of the value that contains it."""
        self.path = "" if self._is_too_deep else f"/{escape(str(key))}{self.path}"
        return self


class Level(NamedTuple):
    """Where a value is: its shape, its depth, and whether it is a part of a model or dataclass."""

    shape: Shape
    depth: int = 0
    is_model: bool = False


def plain(value: Any, level: Level) -> Any:
    """Return a value as str, int, float, bool, None, Decimal, list and dict. Raises NotPlain.

    A Decimal also stands for an integer of more than 64 bits. A field of a model or dataclass that is None is
    left out where the schema has it optional and not nullable.
    """
    if level.depth > MAX_DEPTH:
        raise NotPlain("the body is nested too deeply", is_too_deep=True)
    return _converted(value, level)


@singledispatch
def _converted(value: Any, level: Level) -> Any:
    """Return a value of a type that has no function below."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        raise NotPlain(f"a value of the type {_name(value)} cannot be written as JSON")
    names = [field.name for field in dataclasses.fields(value)]
    public = {name: getattr(value, name) for name in names if not name.startswith("_")}
    return _object(public, level._replace(is_model=True))


@_converted.register
def _enum(value: Enum, level: Level) -> Any:
    return plain(value.value, level._replace(depth=level.depth + 1))


@_converted.register
def _model(value: pydantic.BaseModel, level: Level) -> Any:
    return plain(value.model_dump(by_alias=True), level._replace(depth=level.depth + 1, is_model=True))


@_converted.register
def _object(value: Mapping, level: Level) -> dict[str, Any]:  # type: ignore[type-arg]  # it is a class for `register`
    found: dict[str, Any] = {}
    for key, one in value.items():
        name = _key(key)
        if one is None and level.is_model and level.shape.may_omit(name):
            continue
        try:
            found[name] = plain(one, Level(level.shape.property(name), level.depth + 1, level.is_model))
        except NotPlain as exc:
            raise exc.within(name) from None
    return found


@_converted.register(list)
@_converted.register(tuple)
@_converted.register(set)
@_converted.register(frozenset)
def _array(value: Any, level: Level) -> list[Any]:
    found: list[Any] = []
    inner = Level(level.shape.item, level.depth + 1, level.is_model)
    for at, one in enumerate(value):
        try:
            found.append(plain(one, inner))
        except NotPlain as exc:
            raise exc.within(at) from None
    return found


_SIMPLE: dict[tuple[type, ...], Callable[[Any, Level], Any]] = {
    (bool, NoneType): lambda value, _: value,
    (str,): lambda value, _: _text(str.__str__(value)),
    (int,): lambda value, _: int(value) if is_64_bit(value) else Decimal(value),
    (float,): lambda value, _: float(value),
    (date, time): lambda value, _: value.isoformat(),
    (UUID, ipaddress.IPv4Address, ipaddress.IPv6Address, pydantic.AnyUrl): lambda value, _: str(value),
}
for _types, _convert in _SIMPLE.items():
    for _type in _types:
        _converted.register(_type, _convert)


@_converted.register(bytes)
@_converted.register(bytearray)
def _bytes(value: bytes, level: Level) -> str:
    if level.shape.encode is None:
        raise NotPlain(
            "bytes can be written as JSON only where the format is byte, or with a contentEncoding"
        )
    return level.shape.encode(value).decode()


@_converted.register
def _decimal(value: Decimal, level: Level) -> Decimal | int | str:
    types = level.shape.types
    if not value.is_finite():
        raise NotPlain("the Decimal is not a finite number")
    if types and types <= {"string", "null"}:
        return f"{value:f}" if abs(value.adjusted()) < _MAX_EXPONENT else str(value)
    is_whole = value.adjusted() < _LONG and value == value.to_integral_value()
    return int(value) if is_whole and "integer" in types and "number" not in types else value


@_converted.register
def _duration(value: timedelta, level: Level) -> str | float | int:
    """Return a timedelta as ISO 8601 writes durations, or in seconds where a number is documented."""
    if "string" not in level.shape.types and not level.shape.types.isdisjoint(("number", "integer")):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}T{value.seconds}{fraction}S"


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, UUID):
        return str(key)
    if isinstance(key, str):
        return _text(str.__str__(key))
    raise NotPlain(f"an object cannot have a key of the type {_name(key)}")


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotPlain("the text has an unpaired surrogate") from None
    return value


def _name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


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
