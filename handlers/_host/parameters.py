"""Query, path, header and cookie parameters: text → values of the types the contract gives them.

Styles are those of OpenAPI 3.0.3, "Style Values". Text becomes a number or boolean only in the one
spelling JSON has for it; what does not fit stays text, and the schema then says what is wrong.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .bundling import escape
from .contract import Contract, Location, Parameter, Schema
from .json_strict import NotJson, parse_json
from .schemas import SchemaCompiler, Validator, Violation

Raw = Mapping[str, Sequence[str]]
"""What a request carries at one location: name → its values, percent-decoded, in order."""

_ABSENT: Any = object()
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,3})?", re.ASCII)
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}
_MAX_DEPTH = 8  # brackets of one deepObject key


@dataclass(frozen=True, slots=True)
class Located:
    """A violation and where in the request it is."""

    location: Location | Literal["body"]
    violation: Violation


class ParameterDecoder:
    """One parameter, compiled: finds its text in a request, converts and validates it."""

    def __init__(self, parameter: Parameter, contract: Contract, compiler: SchemaCompiler) -> None:
        self.parameter = parameter
        self.default = contract.resolve(parameter.schema).get("default", _ABSENT)
        self._validator = compiler.compile(parameter.schema, "request", parameter.pointer)
        self._coerce = Coercion(contract, compiler).of(parameter.schema)
        self._shape = _shape(parameter.schema, contract)
        self._read = self._reader(contract)

    @property
    def always_sent(self) -> bool:
        """Whether the handler gets a value on every request."""
        return self.parameter.required or self.default is not _ABSENT

    def decode(self, raw: Raw, arguments: dict[str, Any], name: str, failures: list[Located]) -> None:
        """Put the parameter's value into `arguments[name]`, or what is wrong with it into `failures`.

        An absent optional parameter without a default leaves both alone.
        """
        try:
            value = self._read(raw)
        except _Unreadable as exc:
            self._fail(failures, Violation("", exc.rule, str(exc)))
            return
        if value is _ABSENT:
            if self.parameter.required:
                self._fail(failures, Violation("", "required", "the value is missing"))
            elif self.default is not _ABSENT:
                arguments[name] = copy.deepcopy(self.default)
            return
        assert self._validator is not None  # a contract with a schema that cannot be compiled is not served
        if self._validator.accepts(value):
            arguments[name] = value
        else:
            for violation in self._validator.violations(value):
                self._fail(failures, violation)

    def _fail(self, failures: list[Located], violation: Violation) -> None:
        path = f"/{escape(self.parameter.name)}{violation.path}"
        failures.append(Located(self.parameter.location, Violation(path, violation.rule, violation.message)))

    def _reader(self, contract: Contract) -> Callable[[Raw], Any]:
        """Choose how the parameter is written, from its content, shape, style and explode."""
        parameter, coerce, name = self.parameter, self._coerce, self.parameter.name
        if parameter.media_type is not None:
            return lambda raw: _absent_or(_one(raw, name), _json)
        if parameter.style == "deepObject":
            return lambda raw: _absent_or(_deep(raw, name), coerce)
        if parameter.style == "form" and parameter.explode and self._shape == "object":
            properties = _properties(parameter.schema, contract)
            return lambda raw: _absent_or(
                {key: raw[key][-1] for key in properties if key in raw} or _ABSENT, coerce
            )
        if self._shape == "array" and parameter.explode and parameter.location in ("query", "cookie"):
            return lambda raw: _absent_or(list(raw[name]) if name in raw else _ABSENT, coerce)
        split = self._splitter()
        return lambda raw: _absent_or(_one(raw, name), lambda text: coerce(split(text)))

    def _splitter(self) -> Callable[[str], Any]:
        """Return what takes one text apart into the text, list or mapping that the shape asks for."""
        parameter, shape = self.parameter, self._shape
        separator = _SEPARATORS.get(parameter.style, ",")
        prefix = {"label": ".", "matrix": f";{parameter.name}="}.get(parameter.style, "")
        if parameter.explode and parameter.style == "label":
            separator = "."
        if parameter.explode and parameter.style == "matrix" and shape != "scalar":
            separator, prefix = ";", ";"

        def split(text: str) -> Any:
            if not text.startswith(prefix):
                raise _Unreadable("style", f"the value is not written in the style {parameter.style}")
            text = text[len(prefix) :]
            if shape == "scalar":
                return text
            parts = [
                part.strip() if parameter.location == "header" else part for part in text.split(separator)
            ]
            if shape == "array":
                if separator == ";":
                    return [part.partition("=")[2] for part in parts]
                return parts
            if parameter.explode:
                pairs = [part.partition("=")[::2] for part in parts]
            else:
                pairs = list(zip(parts[::2], parts[1::2], strict=False))
            return dict(pairs)

        return split


class Coercion:
    """Schemas → functions that turn text into what the schema's types allow."""

    def __init__(self, contract: Contract, compiler: SchemaCompiler) -> None:
        self._contract = contract
        self._compiler = compiler

    def of(self, schema: Schema, within: tuple[str, ...] = ()) -> Callable[[Any], Any]:
        """Return the function for one schema; it takes text, lists and mappings of text."""
        if (ref := schema.get("$ref")) is not None:
            if ref in within:  # a schema that contains itself: text cannot nest any further
                return lambda value: value
            within = (*within, ref)
        types = _types(schema, self._contract)
        resolved = self._contract.resolve(schema)
        item = self.of(resolved.get("items", {}), within) if "array" in types else None
        properties = {
            name: self.of(part, within) for name, part in _properties(schema, self._contract).items()
        }
        scalar = self._scalar(schema, types)

        def coerce(value: Any) -> Any:
            if isinstance(value, list):
                return [item(part) for part in value] if item else value
            if isinstance(value, dict):
                return {
                    key: properties[key](part) if key in properties else part for key, part in value.items()
                }
            if item and isinstance(value, str) and "string" not in types:
                return [item(value)]  # one element, where the writing cannot tell it from a scalar
            return scalar(value)

        return coerce

    def _scalar(self, schema: Schema, types: frozenset[str]) -> Callable[[str], Any]:
        converters = [_CONVERTERS[name] for name in _CONVERTERS if name in types]
        if len(converters) <= 1:
            return converters[0] if converters else str
        validator = self._compiler.compile(schema, "request", ())

        def first_accepted(text: str) -> Any:
            candidates = [convert(text) for convert in converters]
            return next((one for one in candidates if _accepted(validator, one)), text)

        return first_accepted


def _accepted(validator: Validator | None, value: Any) -> bool:
    return validator is not None and validator.accepts(value)


class _Unreadable(Exception):
    """The text cannot be taken apart; `rule` names what it breaks."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


def _absent_or(value: Any, convert: Callable[[Any], Any]) -> Any:
    return _ABSENT if value is _ABSENT else convert(value)


def _one(raw: Raw, name: str) -> Any:
    values = raw.get(name)
    if not values:
        return _ABSENT
    if len(values) > 1:
        raise _Unreadable("style", "the parameter takes one value and was given several")
    return values[0]


def _deep(raw: Raw, name: str) -> Any:
    """Collect `name[a][b]=1` into `{"a": {"b": "1"}}`."""
    found: dict[str, Any] = {}
    for key, values in raw.items():
        if not key.startswith(f"{name}["):
            continue
        path = re.findall(r"\[([^\[\]]*)\]", key[len(name) :])
        if "".join(f"[{part}]" for part in path) != key[len(name) :] or len(path) > _MAX_DEPTH:
            raise _Unreadable("style", "the brackets of a deepObject key do not match, or nest too deeply")
        is_list = len(path) > 1 and path[-1] == ""
        target = found
        *parents, last = path[:-1] if is_list else path
        for part in parents:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise _Unreadable("style", "a deepObject key is both a value and an object")
        if last in target:
            raise _Unreadable("style", "a deepObject key is given twice")
        target[last] = list(values) if is_list or len(values) > 1 else values[0]
    return found or _ABSENT


def _json(text: str) -> Any:
    try:
        return parse_json(text.encode(errors="surrogateescape"))
    except NotJson as exc:
        raise _Unreadable("json", str(exc)) from exc


def _integer(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else text


def _number(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and (number := float(text)) not in (float("inf"), float("-inf")):
        return number
    return text


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _null(text: str) -> Any:
    return None if text == "null" else text


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
    "string": str,
}


def _parts(schema: Schema, contract: Contract, seen: tuple[str, ...] = ()) -> list[Schema]:
    """Return a schema and all it is combined from, `$ref`s followed."""
    if (ref := schema.get("$ref")) is not None:
        return [] if ref in seen else _parts(contract.resolve(schema), contract, (*seen, ref))
    combined = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, [])]
    return [schema, *(inner for part in combined for inner in _parts(part, contract, seen))]


def _types(schema: Schema, contract: Contract) -> frozenset[str]:
    """Return every type that the schema could let in, as JSON Schema names them."""
    types: set[str] = set()
    for part in _parts(schema, contract):
        if "type" in part:
            types.add(part["type"])
        else:
            types.update(_type_name(value) for value in part.get("enum", []))
        if part.get("nullable"):
            types.add("null")
    return frozenset(types)


def _type_name(value: Any) -> str:
    return {bool: "boolean", int: "integer", float: "number", type(None): "null"}.get(type(value), "string")


def _properties(schema: Schema, contract: Contract) -> dict[str, Schema]:
    return {
        name: part for owner in _parts(schema, contract) for name, part in owner.get("properties", {}).items()
    }


def _shape(schema: Schema, contract: Contract) -> str:
    types = _types(schema, contract)
    return "array" if "array" in types else "object" if "object" in types else "scalar"
