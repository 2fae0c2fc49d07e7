"""Writes plain data as JSON, including what orjson does not write."""

from __future__ import annotations

import json
from typing import Any

import orjson


def is_64_bit(integer: int) -> bool:
    """Return True for an integer of at most 64 bits, signed or not."""
    return -(2**63) <= integer < 2**64


def json_bytes(value: Any) -> bytes:
    """Return plain data as JSON in UTF-8, also with integers of more than 64 bits and with single surrogates."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
