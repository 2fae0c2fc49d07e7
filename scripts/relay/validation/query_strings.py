"""Queries: which keys belong to which parameter, one that is a single value, and the texts of examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from relay.contract.model import ABSENT, Parameter
from relay.contract.pointers import escape

from . import media_types as media
from .coercion import Coercion
from .forms import FormDecoder, ParameterKeys
from .http import MALFORMED, MALFORMED_OR_NUL, cookies
from .json_strict import Malformed, NotJson, parse_json
from .raw_texts import Raw, Texts, urlencoded
from .schemas import SchemaCompiler
from .styles import reader
from .violations import MAX_VIOLATIONS, Violation

ReadText = Callable[[str], Any]
"""Returns the value of a text, ABSENT for none. Raises ValueError for one that cannot be read."""


class QueryKeys(ParameterKeys):
    """The keys of an operation's query parameters, and API keys."""

    def __init__(self, parameters: Iterable[Parameter], compiler: SchemaCompiler) -> None:
        api_keys = {
            str(scheme["name"])
            for scheme in compiler.contract.security_schemes.values()
            if scheme.get("type") == "apiKey" and scheme.get("in") == "query"
        }
        super().__init__((one for one in parameters if one.location == "query"), compiler, api_keys)

    def unknown(self, texts: Texts) -> Iterator[Violation]:
        """Yield a violation for each key that belongs to no parameter."""
        unknown = [] if self.take_any else [key for key in texts if not self.is_known(key)]
        for key in unknown[:MAX_VIOLATIONS]:
            message = "the contract has no such query parameter"
            yield Violation(f"/{escape(key)}", "unknown", message, "query")


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
        read = reader(parameter, compiler, QueryKeys((parameter,), compiler).taken_by(parameter))
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
