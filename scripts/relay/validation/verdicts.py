"""Compiles several schemas as one validator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from relay.contract.model import Schema

if TYPE_CHECKING:
    import jsonschema_rs

Accepts = Callable[[Any], bool]
Compiled = Callable[[Schema], "jsonschema_rs.Draft4Validator"]


def compile_together(
    schemas: Mapping[str, Schema], definitions: Mapping[str, Schema], compiled: Compiled
) -> Accepts:
    """Compile schemas, which may refer to `definitions`, as the properties of one validator.

    Return its verdict: it accepts `{name: value}` if the schema of that name accepts the value.
    """
    document = {"properties": schemas, "additionalProperties": False, "definitions": definitions}
    return compiled(document).is_valid
