"""Reads a query that is one value (OpenAPI 3.2, "Parameter Object", `in: querystring`), as its media type says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from relay.contract.model import ABSENT, Contract, Parameter

from . import media_types as media
from .coercion import Coercion
from .delimited import Malformed
from .forms import FormDecoder
from .http import MALFORMED, MALFORMED_OR_NUL
from .json_strict import NotJson, parse_json
from .raw_texts import Raw
from .schemas import SchemaCompiler

_Parse = Callable[[bytes], Any]
_NOT_ENCODED = "not percent-encoded UTF-8"


def is_form(parameter: Parameter) -> bool:
    """Return True for a query that is a form, which is also the one without a media type."""
    return media.is_form(parameter.media_type or media.URLENCODED)


def query_string_reader(
    parameter: Parameter, contract: Contract, compiler: SchemaCompiler
) -> Callable[[Raw], Any]:
    """Return the reader of a query as one value: a form, JSON, or a text; an empty one is no value.

    JSON and text are percent-encoded as a whole.
    """
    parse = _form_parser(parameter, contract, compiler) if is_form(parameter) else None
    parse = parse or _text_parser(parameter, contract, compiler)

    def read(raw: Raw) -> Any:
        text = raw.texts[parameter.name][0] if raw.texts else ""
        return parse(text.encode("latin-1")) if text else ABSENT

    return read


def _form_parser(parameter: Parameter, contract: Contract, compiler: SchemaCompiler) -> _Parse:
    raw, _ = contract.follow(parameter.pointer)
    described = (raw.get("content") or {}).get(parameter.media_type, {})
    form = FormDecoder(parameter.schema, contract, compiler, described.get("encoding", {}))

    def parse(query: bytes) -> Any:
        try:
            return form.urlencoded(query)
        except Malformed:
            raise
        except ValueError as exc:
            raise Malformed("encoding", "not percent-encoded UTF-8, or too many fields") from exc

    return parse


def _text_parser(parameter: Parameter, contract: Contract, compiler: SchemaCompiler) -> _Parse:
    refuses_nul = compiler.strictness.nul
    malformed = MALFORMED_OR_NUL if refuses_nul else MALFORMED
    coerce = Coercion(contract, compiler).of(parameter.schema)
    is_json = media.is_json(parameter.media_type or "")

    def parse(query: bytes) -> Any:
        written = query.decode("latin-1")
        if not written.isascii() or malformed.search(written):
            raise Malformed("encoding", _NOT_ENCODED)
        try:
            text = unquote(written, errors="strict")
        except UnicodeDecodeError as exc:
            raise Malformed("encoding", _NOT_ENCODED) from exc
        if not is_json:
            return coerce(text)
        try:
            return parse_json(text.encode(), refuses_nul=refuses_nul)
        except NotJson as exc:
            raise Malformed("json", str(exc)) from exc

    return parse
