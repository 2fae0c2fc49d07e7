"""Reads the values of parameters and form fields: finds them in a request, splits and coerces them.

Styles are those of OpenAPI 3.0.3, "Style Values", and follow RFC 6570 where its table is wrong. A separator may
be percent-encoded or not, since clients send both. An empty value is an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relay.contract.model import ABSENT, Contract, Parameter, Schema

from .coercion import MAX_NESTING, Coerce, Coercion, properties_of, types_of
from .json_strict import NotJson, parse_json

Raw = Mapping[str, Sequence[str]]
"""The values of one location of a request: name → percent-decoded values in order."""

SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


class Malformed(ValueError):
    """The text is not in the parameter's style; `rule` is the rule of the violation."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


def reader(
    parameter: Parameter, contract: Contract, coercion: Coercion, *, refuses_nul: bool
) -> Callable[[Raw], Any]:
    """Return the reader of a parameter's value; it returns ABSENT for no value, and raises Malformed.

    If the schema allows a scalar as well as an array or object, a text that is not in the style is a scalar.
    """
    name, schema = parameter.name, parameter.schema
    read = _reader(parameter, contract, coercion.of(schema), refuses_nul=refuses_nul)
    if parameter.media_type is not None or (scalar := coercion.scalar_of(schema)) is None:
        return read
    brackets = f"{name}["

    def read_either(raw: Raw) -> Any:
        try:
            value = read(raw)
        except Malformed:
            if name not in raw or any(key.startswith(brackets) for key in raw):
                raise
            value = ABSENT
        return _absent_or(_one(raw, name), scalar) if value is ABSENT else value

    return read_either


def _reader(
    parameter: Parameter, contract: Contract, coerce: Coerce, *, refuses_nul: bool
) -> Callable[[Raw], Any]:
    """Return the reader for the parameter's content, shape, style and explode."""
    name, shape = parameter.name, _shape(parameter.schema, contract)
    if parameter.media_type is not None:
        return lambda raw: _absent_or(_one(raw, name), lambda text: _json(text, refuses_nul=refuses_nul))
    if parameter.style == "deepObject":
        return lambda raw: _absent_or(_deep(raw, name), coerce)
    if parameter.style == "form" and parameter.explode and shape == "object":
        properties = properties_of(parameter.schema, contract)
        return lambda raw: _absent_or(_spread(raw, properties), coerce)
    if shape == "array" and parameter.explode and parameter.location in ("query", "cookie"):
        return lambda raw: _absent_or(list(raw[name]) if name in raw else ABSENT, coerce)
    split = _splitter(parameter, shape)
    return lambda raw: _absent_or(_one(raw, name), lambda text: coerce(split(text)))


def _splitter(parameter: Parameter, shape: str) -> Callable[[str], Any]:
    """Return a function that splits one text into the text, list or mapping of the parameter's shape."""
    separator = SEPARATORS.get(parameter.style, ",")
    prefix = {"label": ".", "matrix": f";{parameter.name}="}.get(parameter.style, "")
    if parameter.explode and parameter.style == "label":
        separator = "."
    if parameter.explode and parameter.style == "matrix" and shape != "scalar":
        separator, prefix = ";", ";"

    def split(text: str) -> Any:
        if not text.startswith(prefix):
            raise Malformed("style", f"the value is not in the style {parameter.style}")
        text = text[len(prefix) :]
        if shape == "scalar":
            return text
        parts = text.split(separator) if text else []
        if parameter.location == "header":
            parts = [part.strip() for part in parts]
        if shape == "object":
            return _mapping(
                [tuple(part.split("=", 1)) for part in parts] if parameter.explode else _pairs(parts)
            )
        return [_matrix_value(parameter.name, part) for part in parts] if separator == ";" else parts

    return split


def _absent_or(value: Any, convert: Callable[[Any], Any]) -> Any:
    return ABSENT if value is ABSENT else convert(value)


def _one(raw: Raw, name: str) -> Any:
    values = raw.get(name)
    if not values:
        return ABSENT
    if len(values) > 1:
        raise Malformed("style", "the parameter takes one value, but several were sent")
    return values[0]


def _one_or_list(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _spread(raw: Raw, properties: Mapping[str, Schema]) -> Any:
    """Collect the properties of an exploded object, each of which is sent like a parameter."""
    return {name: _one_or_list(raw[name]) for name in properties if name in raw} or ABSENT


def _deep(raw: Raw, name: str) -> Any:
    """Collect `name[a][b]=1` into `{"a": {"b": "1"}}`, and `name[]=1` into `{"": "1"}`.

    The keys of an array's elements are indexes or empty; its coercion makes a list of them.
    """
    found: dict[str, Any] = {}
    for key, values in raw.items():
        if key != name and not key.startswith(f"{name}["):
            continue
        path = re.findall(r"\[([^\[\]]*)\]", key[len(name) :])
        if not path or "".join(f"[{part}]" for part in path) != key[len(name) :] or len(path) > MAX_NESTING:
            raise Malformed("style", "the brackets of a deepObject key do not match, or nest too deeply")
        is_list = len(path) > 1 and path[-1] == ""
        target = found
        *parents, last = path[:-1] if is_list else path
        for part in parents:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise Malformed("style", "a deepObject key is both a value and an object")
        if last in target:
            raise Malformed("style", "a deepObject key is repeated")
        target[last] = list(values) if is_list else _one_or_list(values)
    return found or ABSENT


def _pairs(parts: list[str]) -> list[tuple[str, ...]]:
    return [tuple(parts[index : index + 2]) for index in range(0, len(parts), 2)]


def _mapping(pairs: list[tuple[str, ...]]) -> dict[str, str]:
    if any(len(pair) != 2 for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
        raise Malformed("style", "an object must be written as unique names, each with a value")
    return {pair[0]: pair[1] for pair in pairs}


def _matrix_value(name: str, part: str) -> str:
    """Return the value of one `name=value` in style matrix."""
    key, sign, value = part.partition("=")
    if key != name or not sign:
        raise Malformed("style", "each element must start with the parameter's name and '='")
    return value


def _json(text: str, *, refuses_nul: bool) -> Any:
    try:
        return parse_json(text.encode(errors="surrogateescape"), refuses_nul=refuses_nul)
    except NotJson as exc:
        raise Malformed("json", str(exc)) from exc


def _shape(schema: Schema, contract: Contract) -> str:
    types = types_of(schema, contract)
    return "array" if "array" in types else "object" if "object" in types else "scalar"
