"""Decodes bodies of application/x-www-form-urlencoded, as HTML forms send them, to values of the types of their schema."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from relay.contract.model import ABSENT, Contract, Parameter, Schema
from relay.contract.pointers import escape

from . import media_types as media
from .coercion import (
    Coerce,
    Coercion,
    additional_properties_of,
    items_of,
    properties_of,
    shapes_of,
    takes_any_key,
    types_of,
)
from .json_strict import Malformed, NotJson, parse_json
from .raw_texts import Raw, urlencoded
from .schemas import SchemaCompiler
from .styles import Keys, is_spread, one_or_list, reader


class ParameterKeys:
    """The keys of parameters, or fields with a style; `others` are not theirs. Some objects take every key that is left."""

    def __init__(
        self, parameters: Iterable[Parameter], compiler: SchemaCompiler, others: Container[str]
    ) -> None:
        self._others = others
        self._names: set[str] = set()
        self._deep: set[str] = set()
        self._free: dict[str, Callable[[Sequence[str]], bool]] = {}
        for parameter in parameters:
            self._claim(parameter, compiler.contract)
            if is_spread(parameter, compiler.contract) and takes_any_key(parameter.schema, compiler.contract):
                self._free[parameter.name] = _free_form(parameter, compiler)
        self.take_any = bool(self._free)

    def taken_by(self, parameter: Parameter) -> Keys | None:
        """Return what finds the keys that a parameter takes although no property has their name; None for no such.

        Of several objects that take any key, the first whose schema accepts its value takes it.
        """
        own = parameter.name
        if own not in self._free:
            return None
        return lambda texts: [
            key for key in texts if not self.is_known(key) and own == self._owner(texts[key])
        ]

    def is_known(self, key: str) -> bool:
        """Return True for a key that a parameter has by name, or that is not theirs."""
        return key in self._others or self.claim(key)

    def claim(self, key: str) -> bool:
        """Return True for a key that a parameter has by name, such as `at[x]` of deepObject."""
        name, bracket, _ = key.partition("[")
        return key in self._names or (bracket != "" and name in self._deep)

    def _claim(self, parameter: Parameter, contract: Contract) -> None:
        if parameter.style == "deepObject" and parameter.media_type is None:
            self._deep.add(parameter.name)
        if is_spread(parameter, contract):
            self._names |= properties_of(parameter.schema, contract).keys()
            if shapes_of(parameter.schema, contract) == ["object"]:
                return
        self._names.add(parameter.name)

    def _owner(self, texts: Sequence[str]) -> str:
        first, is_alone = next(iter(self._free)), len(self._free) == 1
        return next((name for name, accepts in self._free.items() if is_alone or accepts(texts)), first)


def _free_form(parameter: Parameter, compiler: SchemaCompiler) -> Callable[[Sequence[str]], bool]:
    schema = additional_properties_of(parameter.schema, compiler.contract)
    coerce, accepts = Coercion(compiler).of(schema), compiler.verdict(schema, "request")
    return lambda texts: accepts(coerce(one_or_list(texts)))


class FormDecoder:
    """Decodes the forms of one schema and the `encoding` of its Media Type Object. Raises ValueError."""

    def __init__(
        self, schema: Schema, compiler: SchemaCompiler, encoding: Mapping[str, Mapping[str, Any]]
    ) -> None:
        contract, coercion = compiler.contract, Coercion(compiler)
        self._refuses_nul = compiler.strictness.nul
        self._lists: set[str] = set()
        self._texts: dict[str, Callable[[str], Any]] = {}
        styled: list[Parameter] = []
        for name, field in properties_of(schema, contract).items():
            element = field
            if "array" in types_of(field, contract):
                self._lists.add(name)
                element = items_of(field, contract)
            self._texts[name] = self._text_reader(types_of(element, contract), coercion.of(element))
            if (parameter := encoded(name, field, encoding)) is not None:
                styled.append(parameter)
        self._keys = keys = ParameterKeys(styled, compiler, self._texts)
        self._styled = {one.name: reader(one, compiler, keys.taken_by(one)) for one in styled}
        self._other = coercion.of(additional_properties_of(schema, contract))

    @property
    def has_styles(self) -> bool:
        """True if a property has a style."""
        return bool(self._styled)

    def urlencoded(self, body: bytes) -> dict[str, Any]:
        """Return the fields of a body: a list if the schema has an array or the field is repeated."""
        fields = urlencoded(body, refuses_nul=self._refuses_nul)
        values: dict[str, Any] = {}
        for name, texts in fields.texts.items():
            if not self.is_styled(name):
                read = self._texts.get(name, self._other)
                is_list = name in self._lists or len(texts) > 1
                values[name] = [read(one) for one in texts] if is_list else read(texts[0])
        return values | self.styled(fields)

    def styled(self, fields: Raw) -> dict[str, Any]:
        """Return the values of the properties that have a style. Raises Malformed."""
        found: dict[str, Any] = {}
        for name, read in self._styled.items():
            try:
                value = read(fields)
            except Malformed as exc:
                raise Malformed(str(exc), exc.rule, f"/{escape(name)}") from exc
            if value is not ABSENT:
                found[name] = value
        return found

    def is_styled(self, name: str) -> bool:
        """Return True for a field that a style reads, such as `at[x]` of deepObject."""
        if name in self._texts:
            return name in self._styled or self._keys.claim(name)
        return self._keys.take_any or self._keys.claim(name)

    def _text_reader(self, types: frozenset[str], text: Coerce) -> Callable[[str], Any]:
        """Return the reader of one text; an object without a style is JSON, as in multipart forms."""
        if "object" not in types or "string" in types:
            return text

        def read(value: str) -> Any:
            with suppress(NotJson):
                return parse_json(value.encode(), refuses_nul=self._refuses_nul)
            return text(value)

        return read


def encoded(name: str, schema: Schema, encoding: Mapping[str, Mapping[str, Any]]) -> Parameter | None:
    """Return a form's field as a parameter, if its encoding gives it a style or JSON; else None."""
    chosen = encoding.get(name, {})
    content_type = str(chosen.get("contentType", ""))
    media_type = content_type if media.is_json(content_type) else None
    if media_type is None and not chosen.keys() & {"style", "explode"}:
        return None
    style = chosen.get("style", "form")
    explode = chosen.get("explode", style == "form")
    return Parameter(name, "query", False, schema, style, explode, media_type, ())  # noqa: FBT003 -- not required


def part_styles(
    encoding: Mapping[str, Mapping[str, Any]], contract: Contract
) -> dict[str, Mapping[str, Any]]:
    """Return the styles of a multipart form, which replace media types; in OpenAPI 3.0 styles are for other forms."""
    found = {
        name: {key: one[key] for key in ("style", "explode") if key in one}
        for name, one in encoding.items()
        if contract.version != "3.0"
    }
    return {name: one for name, one in found.items() if one}


def decoded(text: bytes, *, refuses_nul: bool) -> str:
    """Return text in UTF-8. Raises ValueError."""
    found = text.decode()
    if refuses_nul and "\0" in found:
        raise ValueError("the text contains NUL")
    return found
