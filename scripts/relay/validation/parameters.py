"""Parameters of requests: which keys of a query belong to which, how their values are read, coerced and validated.

A query may be one value; the texts of examples are read like those of requests.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from relay.contract.model import ABSENT, Parameter
from relay.contract.pointers import escape

from . import media_types as media
from .coercion import Coercion
from .completion import converting, dropping, filling
from .forms import FormDecoder, ParameterKeys
from .http import MALFORMED, MALFORMED_OR_NUL, cookies
from .json_strict import Malformed, parse_json
from .raw_texts import Raw, Texts, urlencoded
from .schemas import SchemaCompiler
from .styles import Keys, is_spread, json_of, reader
from .violations import MAX_VIOLATIONS, Violation, malformed

ReadText = Callable[[str], Any]
"""Returns the value of a text, ABSENT for none. Raises ValueError for one that cannot be read."""


class ParameterDecoder:
    """Finds, converts and validates one parameter; `keys` finds the keys that an object takes without a name."""

    def __init__(self, parameter: Parameter, compiler: SchemaCompiler, keys: Keys | None = None) -> None:
        self.parameter = parameter
        self._default = compiler.contract.default(parameter.schema)
        self._validator = compiler.compile(parameter.schema, "request", parameter.pointer)
        # Text that is not JSON is a float only where the schema takes no integer.
        may_be_json = parameter.media_type is not None or parameter.location == "querystring"
        self._drop = dropping(parameter.schema, compiler) if self._validator else None
        self._fill = filling(parameter.schema, compiler) if self._validator else None
        self._integers = converting(parameter.schema, compiler) if may_be_json else None
        self._has_members = is_spread(parameter, compiler.contract) or parameter.style == "deepObject"
        if parameter.location == "querystring":
            self._has_members = is_form(parameter)
            self._read = query_string_reader(parameter, compiler)
        else:
            self._read = reader(parameter, compiler, keys)
        if self._default is not ABSENT and self._validator and not self._validator.accepts(self._default):
            message = f"the default of '{parameter.name}' violates its own schema; handlers get it as it is"
            compiler.warn(parameter.pointer, message, "invalid-default")

    def decode(self, raw: Raw, arguments: dict[str, Any], name: str, failures: list[Violation]) -> None:
        """Store the parameter's value in `arguments[name]` unless it is absent, or append violations to `failures`."""
        if self.parameter.allows_empty and [*raw.texts.get(self.parameter.name, ())] == [""]:
            self._store_empty(arguments, name)
            return
        try:
            value = self._read(raw)
        except Malformed as exc:
            self._fail(failures, malformed(exc, ""))
            return
        if value is ABSENT:
            if self.parameter.required:
                self._fail(failures, Violation("", "required", "the value is missing"))
            else:
                self._store_default(arguments, name)
            return
        assert self._validator is not None  # the server does not start if a schema cannot be compiled
        if self._validator.accepts(value):
            if self._drop is not None:
                self._drop(value)
            if self._fill is not None:
                self._fill(value, self._validator.accepts)
            arguments[name] = value if self._integers is None else self._integers(value)
        else:
            for violation in self._validator.violations(value):
                self._fail(failures, violation)

    def _store_default(self, arguments: dict[str, Any], name: str) -> None:
        """Store the default, if there is one; an object that is sent as parameters may have those of its members."""
        if self._default is not ABSENT:
            arguments[name] = copy.deepcopy(self._default)
        elif self._fill is not None and self._has_members and self._validator is not None:
            members: dict[str, Any] = {}
            if self._fill(members, self._validator.accepts):
                arguments[name] = members

    def _store_empty(self, arguments: dict[str, Any], name: str) -> None:
        """Store the empty value of the schema; without one, the parameter counts as not sent."""
        assert self._validator is not None  # the server does not start if a schema cannot be compiled
        values: tuple[Any, ...] = ("", [], {}, None)
        empty = [value for value in values if self._validator.accepts(value)]
        if empty or self.parameter.required:
            arguments[name] = empty[0] if empty else None
        else:
            self._store_default(arguments, name)

    def _fail(self, failures: list[Violation], violation: Violation) -> None:
        path = f"/{escape(self.parameter.name)}{violation.path}"
        failures.append(replace(violation, path=path, location=self.parameter.location))


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
        return json_of(text, refuses_nul=refuses_nul) if is_json else coerce(text)

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
