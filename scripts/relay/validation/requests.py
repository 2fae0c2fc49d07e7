"""Decodes a request into validated handler arguments, using decoders compiled at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Location, Operation, RequestBody, Schema

from . import media_types as media
from .binary_schemas import bytes_reader, describes_text, is_binary, is_validated, warn_unvalidated
from .coercion import types_of
from .completion import dropping, filling, reading
from .encoding_objects import has_parts, warn_ignored
from .errors import InvalidRequest, UnsupportedMediaType
from .forms import FormDecoder, MalformedField, decoded
from .http import HeaderList, Request, cookies, header
from .item_compiling import item_decoders
from .item_reading import MalformedItem
from .json_strict import NotJson, parse_json
from .multipart import Form, MalformedForm
from .parameters import ParameterDecoder
from .part_decoders import MultipartDecoder, Nesting, PartsDecoder
from .query_strings import QueryKeys
from .raw_texts import NO_TEXTS, PathTexts, Raw, urlencoded
from .schemas import SchemaCompiler
from .violations import Violation

Arguments = dict[str, Any]


class RequestDecoder:
    """Decodes requests to one operation into validated handler arguments."""

    def __init__(self, operation: Operation, names: Mapping[Pointer, str], compiler: SchemaCompiler) -> None:
        self._keys = QueryKeys(operation.parameters, compiler)
        self._decoders = [
            (
                ParameterDecoder(parameter, compiler, self._keys.taken_by(parameter)),
                names[parameter.pointer],
            )
            for parameter in operation.parameters
        ]
        self._path = PathTexts(operation.path)
        self._locations: set[Location] = {parameter.location for parameter in operation.parameters}
        self._headers = [
            parameter.name for parameter in operation.parameters if parameter.location == "header"
        ]
        self._refuses_nul = compiler.strictness.nul
        self._whole_query = [one.name for one in operation.parameters if one.location == "querystring"]
        self._refuses_unknown = compiler.strictness.unknown_query and not self._whole_query
        if self._refuses_unknown:
            self._locations.add("query")
        self._body = BodyDecoder(operation, operation.body, compiler) if operation.body else None
        self.has_body = self._body is not None
        self.forms = self._body.forms if self._body else {}
        self.items = self._body.items if self._body else {}
        self.has_no_input = not self._locations and self._body is None

    def decode(self, request: Request) -> Arguments:
        """Return the arguments by name.

        Raises InvalidRequest with every violation, or UnsupportedMediaType.
        """
        arguments: Arguments = {}
        failures: list[Violation] = []
        if self._locations:
            raw = self._raw(request)
            for decoder, name in self._decoders:
                decoder.decode(raw[decoder.parameter.location], arguments, name, failures)
            if self._refuses_unknown:
                failures += self._keys.unknown(raw["query"].texts)
        if self._body:
            self._body.decode(request, arguments, failures)
        if failures:
            raise InvalidRequest(failures=failures)
        return arguments

    def _raw(self, request: Request) -> dict[str, Raw]:
        raw: dict[str, Raw] = {}
        if "path" in self._locations:
            raw["path"] = self._path.of(request.path_params, request.raw_path)
        if "query" in self._locations:
            raw["query"] = _query(request.query_string, refuses_nul=self._refuses_nul)
        if "header" in self._locations:
            found = {name: header(request.headers, name.lower().encode()) for name in self._headers}
            values = {name: [value.strip()] for name, value in found.items() if value is not None}
            raw["header"] = Raw(values)
        if "cookie" in self._locations:
            raw["cookie"] = Raw(cookies(request.headers))
        if self._whole_query:
            query = request.query_string.decode("latin-1")
            raw["querystring"] = Raw({name: [query] for name in self._whole_query})
        return raw


class BodyDecoder:
    """Decodes the request bodies of one operation into validated values."""

    def __init__(self, operation: Operation, body: RequestBody, compiler: SchemaCompiler) -> None:
        self._required = body.required
        self._accepted = _accept_query(body) if operation.method == "query" else {}
        at = (*body.pointer, "content")
        self.forms = media.by_name(
            {
                media_type: form
                for media_type, schema in body.content.items()
                if (form := _form(schema, compiler, (*at, media_type))) is not None
            }
        )
        self.items = item_decoders(body, compiler)
        self._readers = media.by_name(
            {
                media_type: _documented_reader(
                    media_type, self._form_of(media_type), schema, compiler, (*at, media_type)
                )
                for media_type, schema in body.content.items()
                if media.key_of(media_type) not in self.items
            }
        )
        self._readers |= {name: decoder.read for name, decoder in self.items.items()}
        self._usual = {
            spelling: reader
            for name, reader in self._readers.items()
            for spelling in (name, f"{name}; charset=utf-8")
        }

    def _form_of(self, documented: str) -> MultipartDecoder | PartsDecoder | None:
        """Return the decoder of the multipart that a documented media type covers."""
        return self.forms.get(media.key_of(documented))

    def decode(self, request: Request, arguments: Arguments, failures: list[Violation]) -> None:
        """Store the body's value in `arguments["body"]`, and append its violations to `failures`.

        Raises UnsupportedMediaType.
        """
        content_type = header(request.headers, b"content-type")
        if not request.body and not self._may_be_empty(content_type):
            if self._required:
                failures.append(Violation("", "required", "the body is missing"))
            return
        if content_type is None or _is_encoded(request.headers):
            raise UnsupportedMediaType(self._accepted)
        reader = self._usual.get(content_type) or self._reader_of(content_type)
        try:
            value, violations = reader(request.body, content_type)
        except ValueError as exc:
            violations, value = [_malformed(exc)], None
        failures += violations
        arguments["body"] = value

    def _may_be_empty(self, content_type: str | None) -> bool:
        """Return True for a stream of items, which may have none."""
        return bool(self.items and content_type and media.find(content_type, self.items) is not None)

    def _reader_of(self, content_type: str) -> BodyReader:
        """Return the reader of the most specific documented media type. Raises UnsupportedMediaType."""
        reader = media.find(content_type, self._readers)
        if reader is None or media.parse_media_type(content_type).charset not in (
            "utf-8",
            "utf8",
            "us-ascii",
        ):
            raise UnsupportedMediaType(self._accepted)
        return reader


def _accept_query(body: RequestBody) -> dict[str, str]:
    """Return the header that names the media types of a QUERY (RFC 10008)."""
    return {"accept-query": ", ".join(dict.fromkeys(map(media.essence, body.content)))}


def _is_encoded(headers: HeaderList) -> bool:
    """Return True for a body that is compressed, or that is transferred in another way than in chunks."""
    names = dict(headers)
    if b"content-encoding" not in names and b"transfer-encoding" not in names:
        return False
    encoding = header(headers, b"content-encoding") or "identity"
    transfer = header(headers, b"transfer-encoding") or "chunked"
    return (encoding.strip().lower(), transfer.lower()) != ("identity", "chunked")


BodyReader = Callable[[Any, str], tuple[Any, list[Violation]]]
"""Takes body and Content-Type, returns value and violations. Raises ValueError for a malformed body."""


def _malformed(exc: ValueError) -> Violation:
    """Return the violation of a body that cannot be read, of a form at its field."""
    if isinstance(exc, MalformedField):
        return exc.violation
    is_public = isinstance(exc, NotJson | MalformedForm | MalformedItem)
    return Violation("", "format", str(exc) if is_public else "the body is not valid for its media type")


def _form(
    schema: Schema, compiler: SchemaCompiler, pointer: Pointer
) -> MultipartDecoder | PartsDecoder | None:
    """Return the decoder of multipart that a documented media type covers, of forms or of parts by position."""
    name, nested = pointer[-1], Nesting(compiler, "request")
    if has_parts(name, compiler.contract.follow(pointer)[0], compiler.contract):
        return PartsDecoder(schema, compiler, pointer, nested)
    if media.covers(name, media.MULTIPART) and not (
        media.is_range(name) and is_binary(schema, compiler.contract)
    ):
        return MultipartDecoder(schema, compiler, pointer, nested)
    return None


def _documented_reader(
    documented: str,
    form: MultipartDecoder | PartsDecoder | None,
    schema: Schema,
    compiler: SchemaCompiler,
    pointer: Pointer,
) -> BodyReader:
    """Return the reader of a documented media type; for a range, a message's own media type chooses how it is read."""
    name = media.essence(documented)
    read_as = media.MULTIPART if isinstance(form, MultipartDecoder) else name
    is_read = form is not None or media.is_form(name)
    warn_ignored(compiler.contract.follow(pointer)[0], read_as if is_read else "", pointer, compiler)
    if isinstance(form, PartsDecoder):
        return _multipart_reader(form, schema, compiler, pointer)
    if not is_validated(name, schema, compiler.contract):
        warn_unvalidated(name, compiler, pointer)
    if is_binary(schema, compiler.contract) and media.is_range(name):
        return bytes_reader(schema, compiler.contract)
    readers = {
        kind: _reader(kind, schema, compiler, pointer)
        for kind in (media.KINDS if media.is_range(name) else [name])
        if kind != media.MULTIPART
    }
    if form is not None:
        readers[media.MULTIPART] = _multipart_reader(form, schema, compiler, pointer)
    readers = {kind: reading(schema, compiler, read) for kind, read in readers.items()}
    if not media.is_range(name):
        return readers[name]
    return lambda body, content_type: readers[media.kind_of(content_type)](body, content_type)


def _read_bytes(body: Any, _content_type: str) -> tuple[Any, list[Violation]]:
    return body, []


def _reader(name: str, schema: Schema, compiler: SchemaCompiler, pointer: Pointer) -> BodyReader:
    """Return the reader of one documented media type."""
    check = _checker(schema, compiler, pointer)
    refuses_nul = compiler.strictness.nul
    has_text = describes_text(schema, compiler.contract)

    def read_json(body: bytes, _content_type: str) -> tuple[Any, list[Violation]]:
        value = parse_json(body, refuses_nul=refuses_nul)
        return check(value, value)

    def read_text(body: bytes, _content_type: str) -> tuple[Any, list[Violation]]:
        text = decoded(body, refuses_nul=refuses_nul)
        return check(text, text) if has_text else (text, [])

    def read_form(body: bytes, _content_type: str) -> tuple[Any, list[Violation]]:
        value = form.urlencoded(body)
        return check(value, value)

    if media.is_json(name):
        return read_json
    if media.is_form(name):
        encoding = compiler.contract.follow(pointer)[0].get("encoding", {})
        form = FormDecoder(schema, compiler, encoding)
        return read_form
    if name.startswith("text/"):
        return read_text
    return bytes_reader(schema, compiler.contract) if media.is_binary(name) else _read_bytes


def _multipart_reader(
    decoder: MultipartDecoder | PartsDecoder, schema: Schema, compiler: SchemaCompiler, pointer: Pointer
) -> BodyReader:
    """Return the reader of multipart: of one that has been parsed while it arrived, or of its bytes."""
    check = _checker(schema, compiler, pointer)

    def read(body: bytes | Form, content_type: str) -> tuple[Any, list[Violation]]:
        form = body if isinstance(body, Form) else decoder.parse(body, content_type)
        value, plain, violations = decoder.decode(form)
        return (value, violations) if violations else check(value, plain)

    return read


def _checker(
    schema: Schema, compiler: SchemaCompiler, pointer: Pointer
) -> Callable[[Any, Any], tuple[Any, list[Violation]]]:
    """Return a function that takes a value, and the same without files, and drops what handlers do not get."""
    if (
        media.is_form(pointer[-1])
        and (types := types_of(schema, compiler.contract))
        and "object" not in types
    ):
        message = (
            f"a form is an object; its schema takes only {', '.join(sorted(types))}, so it is not checked"
        )
        compiler.problems.append(compiler.contract.warning(pointer, message, "unchecked-form"))
        schema = {}
    validator = compiler.compile(schema, "request", pointer)
    drop = dropping(schema, compiler) if validator else None
    fill = filling(schema, compiler) if validator else None

    def check(value: Any, plain: Any) -> tuple[Any, list[Violation]]:
        assert validator is not None  # the server does not start if a schema cannot be compiled
        if not validator.accepts(plain):
            return value, validator.violations(plain)
        if drop is not None:
            drop(value)
        if fill is not None and fill(plain, validator.accepts) and value is not plain:
            fill(value, lambda _: True)
        return value, []

    return check


def _query(query: bytes, *, refuses_nul: bool) -> Raw:
    if not query:
        return NO_TEXTS
    try:
        return urlencoded(query, refuses_nul=refuses_nul)
    except ValueError as exc:
        message = "not percent-encoded UTF-8, or too many fields"
        raise InvalidRequest([Violation("", "encoding", message, "query")]) from exc
