"""Serialize values of parameters and forms (OpenAPI 3.0.3, "Style Values")."""

from __future__ import annotations

from typing import Any

import orjson

from relay.contract.model import Parameter
from relay.validation.parameters import SEPARATORS


def pairs(parameter: Parameter, value: Any) -> list[tuple[str, str]]:
    """Return the (name, text) pairs of a serialized value, not yet percent-encoded."""
    name = parameter.name
    if parameter.media_type is not None:
        return [(name, orjson.dumps(value).decode())]
    if parameter.style == "deepObject" and isinstance(value, dict):
        return [(f"{name}[{key}]", word(item)) for key, item in value.items()]
    if parameter.style == "form" and parameter.explode:
        return fields(value if isinstance(value, dict) else {name: value})
    return [(name, _joined(parameter, value))]


def fields(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a form, with one field for each element of a list."""
    return [
        (name, word(one))
        for name, item in value.items()
        for one in (item if isinstance(item, list) else [item])
    ]


def word(value: Any) -> str:
    """Return a value as text: a string unchanged, any other value as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _joined(parameter: Parameter, value: Any) -> str:
    """Return a value as one text, for the styles that use a single text."""
    style, explode = parameter.style, parameter.explode
    prefix = {"label": ".", "matrix": f";{parameter.name}="}.get(style, "")
    separator = SEPARATORS.get(style, ",")
    if isinstance(value, dict):
        sign = "=" if explode else ","
        words = [f"{key}{sign}{word(item)}" for key, item in value.items()]
        prefix = ";" if explode and style == "matrix" else prefix
    else:
        words = [word(item) for item in value] if isinstance(value, list) else [word(value)]
    if explode and prefix:
        separator = prefix
    return prefix + separator.join(words)
