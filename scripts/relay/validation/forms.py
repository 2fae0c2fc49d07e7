"""Decodes bodies of application/x-www-form-urlencoded, as HTML forms send them, to values of the types of their schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    takes_any_key,
    types_of,
)
from .json_strict import Malformed, NotJson, parse_json
from .raw_texts import Raw, Texts, urlencoded
from .schemas import SchemaCompiler
from .styles import Read, is_spread, reader


class FormDecoder:
    """Decodes the forms of one schema and the `encoding` of its Media Type Object. Raises ValueError."""

    def __init__(
        self, schema: Schema, compiler: SchemaCompiler, encoding: Mapping[str, Mapping[str, Any]]
    ) -> None:
        contract = compiler.contract
        self._coercion = Coercion(compiler)
        self._contract = contract
        self._refuses_nul = compiler.strictness.nul
        self._lists: set[str] = set()
        self._texts: dict[str, Callable[[str], Any]] = {}
        self._styled: dict[str, Read] = {}
        self._styled_names: set[str] = set()
        self._deep_names: set[str] = set()
        self._takes_any = False
        for name, field in properties_of(schema, contract).items():
            element = field
            if "array" in types_of(field, contract):
                self._lists.add(name)
                element = items_of(field, contract)
            self._texts[name] = self._text_reader(types_of(element, contract), self._coercion.of(element))
            if (parameter := encoded(name, field, encoding)) is not None:
                self._style(parameter)
        self._other = self._coercion.of(additional_properties_of(schema, contract))

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

    def _style(self, parameter: Parameter) -> None:
        contract = self._contract
        has_own_names = is_spread(parameter, contract)
        takes_any = has_own_names and takes_any_key(parameter.schema, contract)
        keys = self._unclaimed if takes_any else None
        self._takes_any = self._takes_any or takes_any
        self._styled[parameter.name] = reader(
            parameter, contract, self._coercion, refuses_nul=self._refuses_nul, keys=keys
        )
        self._styled_names.add(parameter.name)
        if parameter.style == "deepObject":
            self._deep_names.add(parameter.name)
        if has_own_names:
            self._styled_names |= properties_of(parameter.schema, contract).keys()

    def _unclaimed(self, texts: Texts) -> list[str]:
        return [name for name in texts if name not in self._texts and not self._has_style(name)]

    def is_styled(self, name: str) -> bool:
        """Return True for a field that a style reads, such as `at[x]` of deepObject."""
        return self._has_style(name) or (self._takes_any and name not in self._texts)

    def _has_style(self, name: str) -> bool:
        return name in self._styled_names or name.partition("[")[0] in self._deep_names

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


def part_style(
    name: str, schema: Schema, encoding: Mapping[str, Mapping[str, Any]], contract: Contract
) -> Parameter | None:
    """Return a multipart form's field as a parameter, if it has a style; else None."""
    return encoded(name, schema, part_styles(encoding, contract))


def decoded(text: bytes, *, refuses_nul: bool) -> str:
    """Return text in UTF-8. Raises ValueError."""
    found = text.decode()
    if refuses_nul and "\0" in found:
        raise ValueError("the text contains NUL")
    return found
