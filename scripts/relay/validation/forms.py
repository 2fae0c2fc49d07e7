"""Decodes bodies of application/x-www-form-urlencoded, as HTML forms send them, to values of the types of their schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from relay.contract.model import ABSENT, Contract, Parameter, Schema

from . import media_types as media
from .coercion import Coerce, Coercion, additional_properties_of, items_of, properties_of, types_of
from .http import MALFORMED, MALFORMED_OR_NUL
from .json_strict import NotJson, parse_json
from .schemas import SchemaCompiler
from .styles import Raw, reader

MAX_FIELDS = 1000

T = TypeVar("T")


class FormDecoder:
    """Decodes the forms of one schema. Raises ValueError for a malformed form.

    `encoding` is that of the Media Type Object; its styles are for urlencoded forms.
    """

    def __init__(
        self,
        schema: Schema,
        contract: Contract,
        compiler: SchemaCompiler,
        encoding: Mapping[str, Mapping[str, Any]],
    ) -> None:
        coercion = Coercion(contract, compiler)
        self._refuses_nul = compiler.strictness.nul
        self._lists: set[str] = set()
        self._texts: dict[str, Callable[[str], Any]] = {}
        self._styled: dict[str, Callable[[Raw], Any]] = {}
        self._styled_names: set[str] = set()
        self._deep_names: set[str] = set()
        for name, field in properties_of(schema, contract).items():
            element = field
            if "array" in types_of(field, contract):
                self._lists.add(name)
                element = items_of(field, contract)
            text = coercion.of(element)
            self._texts[name] = self._text_reader(types_of(element, contract), text)
            if (parameter := encoded(name, field, encoding)) is not None:
                self._style(parameter, contract, coercion)
        self._other = coercion.of(additional_properties_of(schema, contract))

    def urlencoded(self, body: bytes) -> dict[str, Any]:
        """Return the fields of an application/x-www-form-urlencoded body."""
        fields = parse_urlencoded(body, refuses_nul=self._refuses_nul)
        styled = {name: value for name, read in self._styled.items() if (value := read(fields)) is not ABSENT}
        plain = {name: raw for name, raw in fields.items() if not self._is_styled(name)}
        return self._values(plain, self._texts, self._other) | styled

    def _style(self, parameter: Parameter, contract: Contract, coercion: Coercion) -> None:
        self._styled[parameter.name] = reader(parameter, contract, coercion, refuses_nul=self._refuses_nul)
        self._styled_names.add(parameter.name)
        if parameter.style == "deepObject":
            self._deep_names.add(parameter.name)
        if (
            parameter.style == "form"
            and parameter.explode
            and "object" in types_of(parameter.schema, contract)
        ):
            self._styled_names |= properties_of(parameter.schema, contract).keys()

    def _is_styled(self, name: str) -> bool:
        """Return True for a field that a style reads, such as `at[x]` of deepObject."""
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

    def _values(
        self,
        fields: Mapping[str, list[T]],
        readers: Mapping[str, Callable[[T], Any]],
        other: Callable[[T], Any],
    ) -> dict[str, Any]:
        """Return the value of each field: a list if the schema has an array or the field is repeated."""
        values: dict[str, Any] = {}
        for name, raw in fields.items():
            read = readers.get(name, other)
            several = name in self._lists or len(raw) > 1
            values[name] = [read(one) for one in raw] if several else read(raw[0])
        return values


def parse_urlencoded(text: bytes, *, refuses_nul: bool = False) -> dict[str, list[str]]:
    """Return each field's values in order, percent-decoded.

    Raises ValueError for text that is not percent-encoded UTF-8, or has more than MAX_FIELDS fields; with
    `refuses_nul` also for NUL.
    """
    decoded = text.decode("ascii")
    if (MALFORMED_OR_NUL if refuses_nul else MALFORMED).search(decoded):
        raise ValueError("not percent-encoded text")
    return _by_name(parse_qsl(decoded, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))


def encoded(name: str, schema: Schema, encoding: Mapping[str, Mapping[str, Any]]) -> Parameter | None:
    """Return a form's field as a parameter, if its encoding gives it a style or JSON; else None."""
    chosen = encoding.get(name, {})
    content_type = str(chosen.get("contentType", ""))
    media_type = content_type if media.is_json(media.essence(content_type)) else None
    if media_type is None and not chosen.keys() & {"style", "explode"}:
        return None
    style = chosen.get("style", "form")
    explode = chosen.get("explode", style == "form")
    return Parameter(name, "query", False, schema, style, explode, media_type, ())  # noqa: FBT003 -- not required


def decoded(text: bytes, *, refuses_nul: bool) -> str:
    """Return text in UTF-8. Raises ValueError."""
    found = text.decode()
    if refuses_nul and "\0" in found:
        raise ValueError("the text contains NUL")
    return found


def _by_name(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    values: dict[str, list[T]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values
