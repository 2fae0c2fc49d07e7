"""Serializes values of parameters and forms in their styles, which `styles` reads (OpenAPI 3.0.3, "Style Values")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from relay.contract.json_text import json_bytes
from relay.contract.model import Parameter, Schema

from .forms import encoded
from .styles import SEPARATORS


def pairs(parameter: Parameter, value: Any) -> list[tuple[str, str]]:
    """Return the (name, text) pairs of a serialized value, percent-encoded where its location has that.

    Separators within items are encoded, so they do not split them (RFC 6570 section 3.2.8).
    """
    name = parameter.name
    encode: Callable[[str], str] = str if parameter.location in ("header", "cookie") else encoded_text
    if parameter.media_type is not None:
        return [(encode(name), encode(json_bytes(value).decode()))]
    if parameter.style == "deepObject" and isinstance(value, dict | list):
        return _encoded(_in_brackets(name, value), encode)
    is_list = parameter.style in SEPARATORS and isinstance(value, list)
    if parameter.explode and (parameter.style in ("form", "cookie") or is_list):
        return _encoded(fields(value if isinstance(value, dict) else {name: value}), encode)
    return [(encode(name), _joined(parameter, value, _item_encoder(parameter, value)))]


def encoded_text(text: str) -> str:
    """Return a text percent-encoded, all separators of styles included but the dot."""
    return quote(text, safe="")


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
    """Return the fields of an urlencoded form, percent-encoded, in the styles of its `encoding`.

    `schemas` are its properties.
    """
    found: list[tuple[str, str]] = []
    for name, item in value.items():
        parameter = encoded(name, schemas.get(name, {}), encoding)
        found += _encoded(fields({name: item}), encoded_text) if parameter is None else pairs(parameter, item)
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


def _joined(parameter: Parameter, value: Any, encode: Callable[[str], str]) -> str:
    """Return a value as one text, for the styles that use a single text."""
    style, explode = parameter.style, parameter.explode
    prefix = {"label": ".", "matrix": f";{encode(parameter.name)}="}.get(style, "")
    separator = SEPARATORS.get(style, ",")
    if isinstance(value, dict):
        sign = "=" if explode else separator
        words = [f"{encode(key)}{sign}{encode(word(item))}" for key, item in value.items()]
        prefix = ";" if explode and style == "matrix" else prefix
    else:
        words = [encode(word(item)) for item in (value if isinstance(value, list) else [value])]
    if explode and prefix:
        separator = prefix
    return prefix + _separator(separator, words).join(words)


def _separator(separator: str, words: list[str]) -> str:
    """Return a separator, percent-encoded if a URL cannot contain it, except for a pipe between words with pipes."""
    encoded_one = encoded_text(separator)
    is_alone = separator == "|" and not any(encoded_one in one for one in words)
    return encoded_one if separator == " " or is_alone else separator


def _encoded(found: Iterable[tuple[str, str]], encode: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(encode(name), encode(text)) for name, text in found]


def _item_encoder(parameter: Parameter, value: Any) -> Callable[[str], str]:
    """Return how the items of a value are encoded; of cookies, only the items of lists and objects are, except in their own style."""
    is_scalar = not isinstance(value, dict | list)
    if (
        parameter.style == "cookie"
        or parameter.location == "header"
        or (parameter.location == "cookie" and is_scalar)
    ):
        return str
    if parameter.style == "label" and parameter.explode:
        return lambda text: encoded_text(text).replace(".", "%2E")
    return encoded_text
