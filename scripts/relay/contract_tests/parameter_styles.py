"""Serialize values of parameters and forms (OpenAPI 3.0.3, "Style Values")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.json_text import json_bytes
from relay.contract.model import Parameter, Schema
from relay.validation.forms import encoded
from relay.validation.styles import SEPARATORS


def pairs(parameter: Parameter, value: Any) -> list[tuple[str, str]]:
    """Return the (name, text) pairs of a serialized value, not yet percent-encoded."""
    name = parameter.name
    if parameter.media_type is not None:
        return [(name, json_bytes(value).decode())]
    if parameter.style == "deepObject" and isinstance(value, dict | list):
        return [*_in_brackets(name, value)]
    is_list = parameter.style in SEPARATORS and isinstance(value, list)
    if parameter.explode and (parameter.style == "form" or is_list):
        return fields(value if isinstance(value, dict) else {name: value})
    return [(name, _joined(parameter, value))]


def fields(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a form, with one field for each element of a list."""
    return [
        (name, word(one))
        for name, item in value.items()
        for one in (item if isinstance(item, list) else [item])
    ]


def form(
    value: dict[str, Any], schemas: Mapping[str, Schema], encoding: Mapping[str, Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Return the fields of an urlencoded form, in the styles of its `encoding`; `schemas` are its properties."""
    found: list[tuple[str, str]] = []
    for name, item in value.items():
        parameter = encoded(name, schemas.get(name, {}), encoding)
        found += fields({name: item}) if parameter is None else pairs(parameter, item)
    return found


def _in_brackets(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield `name[a][0]=1` for each scalar of a value."""
    pending = [(name, value)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict | list):
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            pending += reversed([(f"{name}[{key}]", item) for key, item in inner])
        else:
            yield name, word(value)


def word(value: Any) -> str:
    """Return a value as text: a string unchanged, any other value as JSON."""
    return value if isinstance(value, str) else json_bytes(value).decode()


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
