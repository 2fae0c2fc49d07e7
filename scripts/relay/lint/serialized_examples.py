"""Reads the texts of examples (`serializedValue`, OpenAPI 3.2) as the server reads what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from relay.contract.model import Contract, Parameter
from relay.validation import media_types as media
from relay.validation.coercion import Coercion
from relay.validation.forms import FormDecoder
from relay.validation.http import cookies
from relay.validation.json_strict import parse_json
from relay.validation.query_keys import QueryKeys
from relay.validation.query_strings import query_string_reader
from relay.validation.raw_texts import Raw, urlencoded
from relay.validation.schemas import SchemaCompiler
from relay.validation.styles import reader

from .schema_sites import Node

ReadText = Callable[[str], Any]
"""Returns the value of a text, ABSENT for none. Raises ValueError for one that cannot be read."""


def text_reader(node: Node, contract: Contract, compiler: SchemaCompiler) -> ReadText | None:
    """Return what reads the texts of examples of a parameter, a header or a media type; None if nothing does.

    That is so for multipart forms, whose texts lack the boundary, and for the content of a parameter.
    """
    if node.kind == "parameter":
        return _parameter_reader(contract.parameter(node.pointer), contract, compiler)
    kind = media.kind_of(node.media_type or "")
    if node.is_in_parameter:
        return None
    if kind == media.URLENCODED:
        encoding = node.value.get("encoding", {})
        form = FormDecoder(node.value.get("schema", {}), contract, compiler, encoding)
        return lambda text: form.urlencoded(text.encode())
    if kind == media.JSON:
        return lambda text: parse_json(text.encode())
    return str if kind == media.TEXT else None


def _parameter_reader(parameter: Parameter, contract: Contract, compiler: SchemaCompiler) -> ReadText:
    if parameter.location == "querystring":
        read = query_string_reader(parameter, contract, compiler)
    else:
        keys = QueryKeys((parameter,), contract, compiler).taken_by(parameter)
        read = reader(parameter, contract, Coercion(contract, compiler), refuses_nul=False, keys=keys)
    return lambda text: read(_raw(parameter, text))


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
