"""Reads the texts of examples (`serializedValue`, OpenAPI 3.2) as the server reads what is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from relay.contract.model import Contract, Parameter

from . import media_types as media
from .coercion import Coercion
from .forms import FormDecoder
from .http import cookies
from .json_strict import parse_json
from .query_keys import QueryKeys
from .query_strings import query_string_reader
from .raw_texts import Raw, urlencoded
from .schemas import SchemaCompiler
from .styles import reader

ReadText = Callable[[str], Any]
"""Returns the value of a text, ABSENT for none. Raises ValueError for one that cannot be read."""


def parameter_reader(parameter: Parameter, contract: Contract, compiler: SchemaCompiler) -> ReadText:
    """Return what reads the texts of examples of a parameter or header; of its `content` only in a query that is one value."""
    if parameter.location == "querystring":
        read = query_string_reader(parameter, contract, compiler)
    else:
        keys = QueryKeys((parameter,), contract, compiler).taken_by(parameter)
        read = reader(parameter, contract, Coercion(contract, compiler), refuses_nul=False, keys=keys)
    return lambda text: read(_raw(parameter, text))


def body_reader(
    name: str, media_object: Mapping[str, Any], contract: Contract, compiler: SchemaCompiler
) -> ReadText | None:
    """Return what reads the texts of examples of a media type; None if nothing does.

    That is so for multipart, whose texts lack the boundary.
    """
    match media.kind_of(name):
        case media.JSON:
            return lambda text: parse_json(text.encode())
        case media.TEXT:
            return str
        case media.URLENCODED:
            encoding = media_object.get("encoding", {})
            form = FormDecoder(media_object.get("schema", {}), contract, compiler, encoding)
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
