"""Queries: which keys belong to which parameter, one that is a single value, and the texts of examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Parameter
from relay.contract.pointers import escape

from . import media_types as media
from .coercion import Coercion, additional_properties_of, properties_of, shapes_of, takes_any_key
from .forms import FormDecoder
from .http import MALFORMED, MALFORMED_OR_NUL, cookies
from .json_strict import Malformed, NotJson, parse_json
from .raw_texts import Raw, Texts, urlencoded
from .schemas import SchemaCompiler
from .styles import Keys, is_spread, one_or_list, reader
from .violations import MAX_VIOLATIONS, Violation

ReadText = Callable[[str], Any]
"""Returns the value of a text, ABSENT for none. Raises ValueError for one that cannot be read."""


class QueryKeys:
    """The keys of an operation's query parameters, and API keys; some objects take every key that is left."""

    def __init__(self, parameters: Iterable[Parameter], compiler: SchemaCompiler) -> None:
        self._names = {
            str(scheme["name"])
            for scheme in compiler.contract.security_schemes.values()
            if scheme.get("type") == "apiKey" and scheme.get("in") == "query"
        }
        self._deep: set[str] = set()
        self._free: dict[Pointer, Callable[[Sequence[str]], bool]] = {}
        for parameter in parameters:
            if parameter.location == "query":
                self._claim(parameter, compiler.contract)
                takes_any = takes_any_key(parameter.schema, compiler.contract)
                if takes_any and is_spread(parameter, compiler.contract):
                    self._free[parameter.pointer] = _free_form(parameter, compiler)

    def taken_by(self, parameter: Parameter) -> Keys | None:
        """Return what finds the keys that a parameter takes although no property has their name; None for no such.

        Of several objects that take any key, the first whose schema accepts its value takes it.
        """
        own = parameter.pointer
        if own not in self._free:
            return None
        return lambda texts: [
            key for key in texts if not self._is_claimed(key) and own == self._owner(texts[key])
        ]

    def unknown(self, texts: Texts) -> Iterator[Violation]:
        """Yield a violation for each key that belongs to no parameter."""
        unknown = [] if self._free else [key for key in texts if not self._is_claimed(key)]
        for key in unknown[:MAX_VIOLATIONS]:
            message = "the contract has no such query parameter"
            yield Violation(f"/{escape(key)}", "unknown", message, "query")

    def _claim(self, parameter: Parameter, contract: Contract) -> None:
        if parameter.style == "deepObject" and parameter.media_type is None:
            self._deep.add(parameter.name)
        if is_spread(parameter, contract):
            self._names |= properties_of(parameter.schema, contract).keys()
            if shapes_of(parameter.schema, contract) == ["object"]:
                return
        self._names.add(parameter.name)

    def _is_claimed(self, key: str) -> bool:
        name, bracket, _ = key.partition("[")
        return key in self._names or (bracket != "" and name in self._deep)

    def _owner(self, texts: Sequence[str]) -> Pointer:
        first, is_alone = next(iter(self._free)), len(self._free) == 1
        return next((at for at, accepts in self._free.items() if is_alone or accepts(texts)), first)


def _free_form(parameter: Parameter, compiler: SchemaCompiler) -> Callable[[Sequence[str]], bool]:
    schema = additional_properties_of(parameter.schema, compiler.contract)
    coercion = Coercion(compiler)
    coerce, accepts = coercion.of(schema), coercion.verdict(schema)
    return lambda texts: accepts(coerce(one_or_list(texts)))


def is_form(parameter: Parameter) -> bool:
    """Return True for a query that is a form, which is also the one without a media type."""
    return media.is_form(parameter.media_type or media.URLENCODED)


def query_string_reader(parameter: Parameter, compiler: SchemaCompiler) -> Callable[[Raw], Any]:
    """Return the reader of a query as one value: a form, JSON, or a text; an empty one is no value.

    JSON and text are percent-encoded as a whole (OpenAPI 3.2, "Parameter Object", `in: querystring`).
    """
    parse = (_form_parser if is_form(parameter) else _text_parser)(parameter, compiler)

    def read(raw: Raw) -> Any:
        text = raw.texts[parameter.name][0] if raw.texts else ""
        return parse(text.encode("latin-1")) if text else ABSENT

    return read


def _form_parser(parameter: Parameter, compiler: SchemaCompiler) -> Callable[[bytes], Any]:
    raw, _ = compiler.contract.follow(parameter.pointer)
    described = (raw.get("content") or {}).get(parameter.media_type, {})
    form = FormDecoder(parameter.schema, compiler, described.get("encoding", {}))

    def parse(query: bytes) -> Any:
        try:
            return form.urlencoded(query)
        except Malformed:
            raise
        except ValueError as exc:
            raise Malformed("not percent-encoded UTF-8, or too many fields", "encoding") from exc

    return parse


def _text_parser(parameter: Parameter, compiler: SchemaCompiler) -> Callable[[bytes], Any]:
    refuses_nul = compiler.strictness.nul
    malformed = MALFORMED_OR_NUL if refuses_nul else MALFORMED
    coerce = Coercion(compiler).of(parameter.schema)
    is_json = media.is_json(parameter.media_type or "")

    def parse(query: bytes) -> Any:
        written = query.decode("latin-1")
        try:
            text = unquote(written, errors="strict")
        except UnicodeDecodeError:
            text = None
        if text is None or not written.isascii() or malformed.search(written):
            raise Malformed("not percent-encoded UTF-8", "encoding")
        try:
            return parse_json(text.encode(), refuses_nul=refuses_nul) if is_json else coerce(text)
        except NotJson as exc:
            raise Malformed(str(exc), "json") from exc

    return parse


def parameter_reader(parameter: Parameter, compiler: SchemaCompiler) -> ReadText:
    """Return what reads the texts of examples of a parameter or header (`serializedValue`, OpenAPI 3.2)."""
    if parameter.location == "querystring":
        read = query_string_reader(parameter, compiler)
    else:
        keys = QueryKeys((parameter,), compiler).taken_by(parameter)
        coercion = Coercion(compiler)
        read = reader(parameter, compiler.contract, coercion, refuses_nul=False, keys=keys)
    return lambda text: read(_raw(parameter, text))


def body_reader(name: str, media_object: Mapping[str, Any], compiler: SchemaCompiler) -> ReadText | None:
    """Return what reads the texts of examples of a media type; None for multipart, which lack the boundary."""
    match media.kind_of(name):
        case media.JSON:
            return lambda text: parse_json(text.encode())
        case media.TEXT:
            return str
        case media.URLENCODED:
            form = FormDecoder(media_object.get("schema", {}), compiler, media_object.get("encoding", {}))
            return lambda text: form.urlencoded(text.encode())
    return None


def _raw(parameter: Parameter, text: str) -> Raw:
    """Return the text of an example as that of a request: of a query and a cookie it has the names, too."""
    match parameter.location:
        case "query":
            return urlencoded(text.removeprefix("?").encode())
        case "cookie":
            return Raw(cookies([(b"cookie", text.encode())]))
        case "path":
            return Raw({parameter.name: [unquote(text)]}, lambda: {parameter.name: [text]})
    return Raw({parameter.name: [text]})
