"""Reads values of parameters and form fields in their styles (OpenAPI 3.0.3, "Style Values", by RFC 6570)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from relay.contract.model import ABSENT, Contract, Parameter

from .coercion import MAX_NESTING, Coercion, Shape, properties_of, shapes_of
from .json_strict import Malformed, NotJson, parse_json
from .raw_texts import DECODERS, Raw, Texts
from .schemas import SchemaCompiler

SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}
"""The separators that a URL cannot contain: they are percent-encoded (OpenAPI 3.0.4, "Percent-Encoding")."""

_PREFIXES = {"label": ".", "matrix": ";"}

Decode = Callable[[str], str]

Keys = Callable[[Texts], list[str]]
"""Takes the texts of a location, returns the keys that an object takes although no property has their name."""

Read = Callable[[Raw], Any]
"""Returns the value of a parameter, ABSENT for no value. Raises Malformed."""

_Reading = Callable[[Raw], list[Any]]
"""Returns what the texts of a parameter may mean in one shape, the likeliest first; [] for no value."""


def _any_of(readings: Iterable[Callable[[], list[Any]]]) -> list[Any]:
    """Return different values that some readings return. Raises the first Malformed if all do."""
    values: list[Any] = []
    malformed: Malformed | None = None
    for reading in readings:
        try:
            values += [value for value in reading() if value not in values]
        except Malformed as exc:
            malformed = malformed or exc
    if not values and malformed is not None:
        raise malformed
    return values


class Splitter:
    """Splits the texts of one parameter into a text, a list or a mapping of texts."""

    def __init__(self, parameter: Parameter, shape: Shape) -> None:
        self._name, self._style, self._explode = parameter.name, parameter.style, parameter.explode
        self._shape = shape
        self._prefix = _PREFIXES.get(self._style, "")
        self._separator = (self._explode and self._prefix) or SEPARATORS.get(self._style, ",")
        self._strips = parameter.location == "header"  # spaces around an item are no part of it
        self._decode: Decode = str if self._style == "cookie" else DECODERS[parameter.location]

    def readings(self, written: str) -> list[Any]:
        """Return what a text as sent may mean, the likeliest first. Raises Malformed if it is not in the style.

        Where no separator is plain, one that is percent-encoded may be a separator as well, for clients that
        encode a whole value. A URL cannot contain spaces and pipes, so these are always taken for separators first.
        """
        decoded = self._decode(written)
        if decoded == written:
            return self._split(written, str)
        texts: list[tuple[str, Decode]] = [(written, self._decode), (decoded, str)]
        if self._separator in written[len(self._prefix) :]:
            del texts[1]
        elif self._style in SEPARATORS:
            texts.reverse()
        return _any_of(partial(self._split, *one) for one in texts)

    def _split(self, text: str, decode: Decode) -> list[Any]:
        if not text.startswith(self._prefix):
            raise Malformed(f"the value is not in the style {self._style}", "style")
        text = text.removeprefix(self._prefix)
        is_matrix, is_exploded = self._style == "matrix", self._explode and self._shape != "scalar"
        if is_matrix and not is_exploded:
            text = self._value(text, decode)
        if self._shape == "scalar":
            return [decode(text)]
        parts = text.split(self._separator) if text else []
        if self._strips:
            parts = [part.strip() for part in parts]
        if self._shape == "object":
            return [_mapping([tuple(map(decode, pair)) for pair in self._pairs(parts)])]
        if is_matrix and is_exploded:
            parts = [self._value(part, decode) for part in parts]
        return [[decode(part) for part in parts]]

    def _value(self, text: str, decode: Decode) -> str:
        """Return the value of `name=value`, which is `name` if the value is empty (RFC 6570 section 3.2.7)."""
        name, _, value = text.partition("=")
        if decode(name) != self._name:
            raise Malformed("each element must start with the parameter's name and '='", "style")
        return value

    def _pairs(self, parts: list[str]) -> list[tuple[str, ...]]:
        if not self._explode:
            return [tuple(parts[index : index + 2]) for index in range(0, len(parts), 2)]
        if self._style == "matrix":
            parts = [part if "=" in part else f"{part}=" for part in parts]
        return [tuple(part.split("=", 1)) for part in parts]


def _mapping(pairs: list[tuple[str, ...]]) -> dict[str, str]:
    if any(len(pair) != 2 for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
        raise Malformed("an object must be written as unique names, each with a value", "style")
    return {pair[0]: pair[1] for pair in pairs}


def reader(parameter: Parameter, compiler: SchemaCompiler, keys: Keys | None = None) -> Read:
    """Return the reader of a parameter's value.

    A schema may allow several of array, object and scalar: the value is the first reading, in this order, that
    the schema accepts, else the first one. `keys` finds more properties of an object that is sent as parameters.
    """
    name, schema = parameter.name, parameter.schema
    shapes = shapes_of(schema, compiler.contract)
    is_json = parameter.media_type is not None
    if is_json or (shapes == ["scalar"] and parameter.style in ("form", "simple", "cookie")):
        of_json = partial(json_of, refuses_nul=compiler.strictness.nul)
        convert = of_json if is_json else Coercion(compiler).of(schema)

        def read_one(raw: Raw) -> Any:
            text = _one(raw.texts, name)
            return ABSENT if text is ABSENT else convert(text)

        return read_one
    readings = [_reading(parameter, shape, compiler, keys) for shape in shapes]
    accepts = compiler.verdict(schema, "request")

    def read(raw: Raw) -> Any:
        found = readings[0](raw) if len(readings) == 1 else _any_of(partial(one, raw) for one in readings)
        return next(filter(accepts, found), found[0]) if len(found) > 1 else found[0] if found else ABSENT

    return read


def is_spread(parameter: Parameter, contract: Contract) -> bool:
    """Return True for an object each of whose properties is sent like a parameter."""
    is_exploded = parameter.style in ("form", "cookie") and parameter.explode and parameter.media_type is None
    return is_exploded and "object" in shapes_of(parameter.schema, contract)


def _reading(parameter: Parameter, shape: Shape, compiler: SchemaCompiler, keys: Keys | None) -> _Reading:
    name, schema, contract = parameter.name, parameter.schema, compiler.contract
    coercion = Coercion(compiler)
    scalar = coercion.scalar_of(schema) if shape == "scalar" else None
    coerce = scalar or coercion.of(schema)
    find: Callable[[Texts], Any] | None = None
    if parameter.style == "deepObject":
        find = partial(_without_brackets if scalar else _deep, name=name)
    elif shape == "object" and is_spread(parameter, contract):
        names = [*properties_of(schema, contract)]
        other = None if shapes_of(schema, contract) == ["object"] else name
        find = partial(_spread, names=names, keys=keys, other=other)
    elif shape == "array" and parameter.explode and parameter.location in ("query", "cookie"):
        find = lambda texts: list(texts[name]) if name in texts else ABSENT  # noqa: E731
    elif shape == "scalar" and parameter.style not in _PREFIXES:
        find = partial(_one, name=name)
    if find is not None:
        return lambda raw: [] if (value := find(raw.texts)) is ABSENT else [coerce(value)]
    split = Splitter(parameter, shape).readings
    return lambda raw: [] if (text := _one(raw.written, name)) is ABSENT else [*map(coerce, split(text))]


def _one(texts: Texts, name: str) -> Any:
    values = texts.get(name)
    if not values:
        return ABSENT
    if len(values) > 1:
        raise Malformed("the parameter takes one value, but several were sent", "style")
    return values[0]


def _without_brackets(texts: Texts, name: str) -> Any:
    """Return the one text of a parameter that may also be a deepObject, but not both at once."""
    if any(key.startswith(f"{name}[") for key in texts):
        raise Malformed("the parameter is both a value and an object", "style")
    return _one(texts, name)


def one_or_list(values: Sequence[str]) -> str | list[str]:
    """Return the value of a key that was sent once or more."""
    return values[0] if len(values) == 1 else list(values)


def _spread(texts: Texts, names: list[str], keys: Keys | None, other: str | None) -> Any:
    """Collect the properties of an exploded object; if `other`, the key of another shape, was sent, there is none."""
    if other in texts:
        return ABSENT
    found = {name: one_or_list(texts[name]) for name in names if name in texts}
    if keys is not None:
        found |= {key: one_or_list(texts[key]) for key in keys(texts) if key not in found}
    return found or ABSENT


def _deep(texts: Texts, name: str) -> Any:
    """Collect `name[a][b]=1` into `{"a": {"b": "1"}}`, and `name[]=1` into `{"": "1"}`.

    The keys of an array's elements are indexes or empty; its coercion makes a list of them.
    """
    found: dict[str, Any] = {}
    for key, values in texts.items():
        if key != name and not key.startswith(f"{name}["):
            continue
        path = re.findall(r"\[([^\[\]]*)\]", key[len(name) :])
        if not path or "".join(f"[{part}]" for part in path) != key[len(name) :] or len(path) > MAX_NESTING:
            raise Malformed("the brackets of a deepObject key do not match, or nest too deeply", "style")
        is_list = len(path) > 1 and path[-1] == ""
        target = found
        *parents, last = path[:-1] if is_list else path
        for part in parents:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise Malformed("a deepObject key is both a value and an object", "style")
        if last in target:
            raise Malformed("a deepObject key is repeated", "style")
        target[last] = list(values) if is_list else one_or_list(values)
    return found or ABSENT


def json_of(text: str, *, refuses_nul: bool) -> Any:
    """Return the value of a parameter that is JSON. Raises Malformed."""
    try:
        return parse_json(text.encode(errors="surrogateescape"), refuses_nul=refuses_nul)
    except NotJson as exc:
        raise Malformed(str(exc), "json") from exc
