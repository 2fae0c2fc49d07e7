"""Decodes query, path, header and cookie parameters: finds, splits, coerces and validates them.

Styles are those of OpenAPI 3.0.3, "Style Values", and follow RFC 6570 where its table is wrong. A separator may
be percent-encoded or not, since clients send both. An empty value is an empty list.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from relay.contract.bundling import escape
from relay.contract.model import ABSENT, Contract, Location, Parameter, Schema

from .coercion import MAX_NESTING, Coercion, properties_of, types_of
from .json_strict import NotJson, parse_json
from .schemas import SchemaCompiler
from .violations import Violation

Raw = Mapping[str, Sequence[str]]
"""The values of one location of a request: name → percent-decoded values in order."""

SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class LocatedViolation:
    """A violation and its location in the request."""

    location: Location | Literal["body"]
    violation: Violation


class ParameterDecoder:
    """Compiled decoder of one parameter: finds its text in a request, converts and validates it."""

    def __init__(self, parameter: Parameter, contract: Contract, compiler: SchemaCompiler) -> None:
        self.parameter = parameter
        self._default = contract.default(parameter.schema)
        self._validator = compiler.compile(parameter.schema, "request", parameter.pointer)
        self._coerce = Coercion(contract, compiler).of(parameter.schema)
        self._shape = _shape(parameter.schema, contract)
        self._read = self._reader(contract)
        if self._default is not ABSENT and self._validator and not self._validator.accepts(self._default):
            message = f"the default of '{parameter.name}' violates its own schema; handlers get it as it is"
            compiler.problems.append(contract.warning(parameter.pointer, message, "invalid-default"))

    def decode(
        self, raw: Raw, arguments: dict[str, Any], name: str, failures: list[LocatedViolation]
    ) -> None:
        """Store the parameter's value in `arguments[name]`, or append its violations to `failures`.

        An absent optional parameter without a default changes neither.
        """
        try:
            value = self._read(raw)
        except _Malformed as exc:
            self._fail(failures, Violation("", exc.rule, str(exc)))
            return
        if value is ABSENT:
            if self.parameter.required:
                self._fail(failures, Violation("", "required", "the value is missing"))
            elif self._default is not ABSENT:
                arguments[name] = copy.deepcopy(self._default)
            return
        assert self._validator is not None  # the server does not start if a schema cannot be compiled
        if self._validator.accepts(value):
            arguments[name] = value
        else:
            for violation in self._validator.violations(value):
                self._fail(failures, violation)

    def _fail(self, failures: list[LocatedViolation], violation: Violation) -> None:
        path = f"/{escape(self.parameter.name)}{violation.path}"
        failures.append(
            LocatedViolation(self.parameter.location, Violation(path, violation.rule, violation.message))
        )

    def _reader(self, contract: Contract) -> Callable[[Raw], Any]:
        """Return the reader for the parameter's content, shape, style and explode."""
        parameter, coerce, name = self.parameter, self._coerce, self.parameter.name
        if parameter.media_type is not None:
            return lambda raw: _absent_or(_one(raw, name), _json)
        if parameter.style == "deepObject":
            return lambda raw: _absent_or(_deep(raw, name), coerce)
        if parameter.style == "form" and parameter.explode and self._shape == "object":
            properties = properties_of(parameter.schema, contract)
            return lambda raw: _absent_or(_spread(raw, properties), coerce)
        if self._shape == "array" and parameter.explode and parameter.location in ("query", "cookie"):
            return lambda raw: _absent_or(list(raw[name]) if name in raw else ABSENT, coerce)
        split = self._splitter()
        return lambda raw: _absent_or(_one(raw, name), lambda text: coerce(split(text)))

    def _splitter(self) -> Callable[[str], Any]:
        """Return a function that splits one text into the text, list or mapping of the parameter's shape."""
        parameter, shape = self.parameter, self._shape
        separator = SEPARATORS.get(parameter.style, ",")
        prefix = {"label": ".", "matrix": f";{parameter.name}="}.get(parameter.style, "")
        if parameter.explode and parameter.style == "label":
            separator = "."
        if parameter.explode and parameter.style == "matrix" and shape != "scalar":
            separator, prefix = ";", ";"

        def split(text: str) -> Any:
            if not text.startswith(prefix):
                raise _Malformed("style", f"the value is not in the style {parameter.style}")
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


class _Malformed(Exception):
    """The text is not in the parameter's style; `rule` is the rule of the violation."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


def _absent_or(value: Any, convert: Callable[[Any], Any]) -> Any:
    return ABSENT if value is ABSENT else convert(value)


def _one(raw: Raw, name: str) -> Any:
    values = raw.get(name)
    if not values:
        return ABSENT
    if len(values) > 1:
        raise _Malformed("style", "the parameter takes one value, but several were sent")
    return values[0]


def _one_or_list(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _spread(raw: Raw, properties: Mapping[str, Schema]) -> Any:
    """Collect the properties of an exploded object, each of which is sent like a parameter."""
    return {name: _one_or_list(raw[name]) for name in properties if name in raw} or ABSENT


def _deep(raw: Raw, name: str) -> Any:
    """Collect `name[a][b]=1` into `{"a": {"b": "1"}}`."""
    found: dict[str, Any] = {}
    for key, values in raw.items():
        if key != name and not key.startswith(f"{name}["):
            continue
        path = re.findall(r"\[([^\[\]]*)\]", key[len(name) :])
        if not path or "".join(f"[{part}]" for part in path) != key[len(name) :] or len(path) > MAX_NESTING:
            raise _Malformed("style", "the brackets of a deepObject key do not match, or nest too deeply")
        is_list = len(path) > 1 and path[-1] == ""
        target = found
        *parents, last = path[:-1] if is_list else path
        for part in parents:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise _Malformed("style", "a deepObject key is both a value and an object")
        if last in target:
            raise _Malformed("style", "a deepObject key is repeated")
        target[last] = list(values) if is_list else _one_or_list(values)
    return found or ABSENT


def _pairs(parts: list[str]) -> list[tuple[str, ...]]:
    return [tuple(parts[index : index + 2]) for index in range(0, len(parts), 2)]


def _mapping(pairs: list[tuple[str, ...]]) -> dict[str, str]:
    if any(len(pair) != 2 for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
        raise _Malformed("style", "an object must be written as unique names, each with a value")
    return {pair[0]: pair[1] for pair in pairs}


def _matrix_value(name: str, part: str) -> str:
    """Return the value of one `name=value` in style matrix."""
    key, sign, value = part.partition("=")
    if key != name or not sign:
        raise _Malformed("style", "each element must start with the parameter's name and '='")
    return value


def _json(text: str) -> Any:
    try:
        return parse_json(text.encode(errors="surrogateescape"))
    except NotJson as exc:
        raise _Malformed("json", str(exc)) from exc


def _shape(schema: Schema, contract: Contract) -> str:
    types = types_of(schema, contract)
    return "array" if "array" in types else "object" if "object" in types else "scalar"
