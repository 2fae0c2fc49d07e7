"""Decodes a request into validated handler arguments, using decoders compiled at start.

Parameters and bodies are one module, as the violations of both are one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Location, Operation, RequestBody, Schema

from . import media_types as media
from .binary_schemas import bytes_reader, describes_text, is_binary, is_validated, warn_unvalidated
from .coercion import types_of
from .completion import dropping, filling, reading
from .encoding_objects import has_parts, warn_ignored
from .errors import InvalidRequest, UnsupportedMediaType
from .forms import FormDecoder, decoded
from .http import HeaderList, Request, cookies, header
from .item_content import item_decoders
from .json_strict import parse_json
from .multipart import Form
from .parameters import ParameterDecoder, QueryKeys
from .part_decoders import MultipartDecoder, Nesting, PartsDecoder
from .raw_texts import NO_TEXTS, PathTexts, Raw, urlencoded
from .schemas import SchemaCompiler
from .violations import Violation, malformed

Arguments = dict[str, Any]


class RequestDecoder:
    """Decodes requests to one operation into validated handler arguments."""

    def __init__(self, operation: Operation, names: Mapping[Pointer, str], compiler: SchemaCompiler) -> None:
        self._keys = QueryKeys(operation.parameters, compiler)
        self._decoders = [
            (ParameterDecoder(one, compiler, self._keys.taken_by(one)), names[one.pointer])
            for one in operation.parameters
        ]
        self._path = PathTexts(operation.path)
        self._locations: set[Location] = {parameter.location for parameter in operation.parameters}
        self._headers = [one.name for one in operation.parameters if one.location == "header"]
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
        """Return the arguments by name. Raises InvalidRequest with every violation, or UnsupportedMediaType."""
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


BodyReader = Callable[[Any, str], tuple[Any, list[Violation]]]
"""Takes body and Content-Type, returns value and violations. Raises ValueError for a malformed body."""

_CHARSETS = ("utf-8", "utf8", "us-ascii")


class BodyDecoder:
    """Decodes the request bodies of one operation into validated values."""

    def __init__(self, operation: Operation, body: RequestBody, compiler: SchemaCompiler) -> None:
        self._required = body.required
        accepted = ", ".join(dict.fromkeys(map(media.essence, body.content)))
        self._accepted = {"accept-query": accepted} if operation.method == "query" else {}  # RFC 10008
        documented = {
            name: _Documented(schema, compiler, (*body.pointer, "content", name))
            for name, schema in body.content.items()
        }
        forms = {name: one.form for name, one in documented.items() if one.form is not None}
        self.forms = media.by_name(forms)
        self.items = item_decoders(body, compiler)
        whole = {
            name: one.reader() for name, one in documented.items() if media.key_of(name) not in self.items
        }
        self._readers: dict[str, BodyReader] = media.by_name(whole)
        self._readers |= {name: decoder.read for name, decoder in self.items.items()}
        self._usual = {
            spelling: reader
            for name, reader in self._readers.items()
            for spelling in (name, f"{name}; charset=utf-8")
        }

    def decode(self, request: Request, arguments: Arguments, failures: list[Violation]) -> None:
        """Store the body's value in `arguments["body"]`, and append its violations to `failures`.

        Raises UnsupportedMediaType.
        """
        content_type = header(request.headers, b"content-type")
        # A stream of items may be empty.
        if not (request.body or (self.items and content_type and media.find(content_type, self.items))):
            if self._required:
                failures.append(Violation("", "required", "the body is missing"))
            return
        if content_type is None or _is_encoded(request.headers):
            raise UnsupportedMediaType(self._accepted)
        reader = self._usual.get(content_type) or self._reader_of(content_type)
        try:
            value, violations = reader(request.body, content_type)
        except ValueError as exc:
            violations, value = [malformed(exc, "the body is not valid for its media type")], None
        failures += violations
        arguments["body"] = value

    def _reader_of(self, content_type: str) -> BodyReader:
        reader = media.find(content_type, self._readers)
        if reader is None or media.parse_media_type(content_type).charset not in _CHARSETS:
            raise UnsupportedMediaType(self._accepted)
        return reader


def _is_encoded(headers: HeaderList) -> bool:
    """Return True for a body that is compressed, or that is transferred in another way than in chunks."""
    names = dict(headers)
    if b"content-encoding" not in names and b"transfer-encoding" not in names:
        return False
    encoding = header(headers, b"content-encoding") or "identity"
    transfer = header(headers, b"transfer-encoding") or "chunked"
    return (encoding.strip().lower(), transfer.lower()) != ("identity", "chunked")


class _Documented:
    """Compiles how the bodies of one documented media type are read; `form` decodes the multipart that it covers."""

    def __init__(self, schema: Schema, compiler: SchemaCompiler, pointer: Pointer) -> None:
        self._schema, self._compiler, self._pointer = schema, compiler, pointer
        self._name = name = media.essence(pointer[-1])
        self._media_object = compiler.contract.follow(pointer)[0]
        self._is_binary = is_binary(schema, compiler.contract)
        nested = Nesting(compiler, "request")
        self.form: MultipartDecoder | PartsDecoder | None = None
        if has_parts(pointer[-1], self._media_object, compiler.contract):
            self.form = PartsDecoder(schema, compiler, pointer, nested)
        elif media.covers(pointer[-1], media.MULTIPART) and not (media.is_range(name) and self._is_binary):
            self.form = MultipartDecoder(schema, compiler, pointer, nested)

    def reader(self) -> BodyReader:
        """Return the reader; for a range, a message's own media type chooses how it is read."""
        name, form, compiler, contract = self._name, self.form, self._compiler, self._compiler.contract
        read_as = media.MULTIPART if isinstance(form, MultipartDecoder) else name
        is_read = form is not None or media.is_form(name)
        warn_ignored(self._media_object, read_as if is_read else "", self._pointer, compiler)
        if isinstance(form, PartsDecoder):
            return self._multipart(form)
        if not is_validated(name, self._schema, contract):
            warn_unvalidated(name, compiler, self._pointer)
        if self._is_binary and media.is_range(name):
            return bytes_reader(self._schema, contract)
        kinds = [
            kind for kind in (media.KINDS if media.is_range(name) else [name]) if kind != media.MULTIPART
        ]
        readers = {kind: self._whole(kind) for kind in kinds}
        if form is not None:
            readers[media.MULTIPART] = self._multipart(form)
        readers = {kind: reading(self._schema, compiler, read) for kind, read in readers.items()}
        if not media.is_range(name):
            return readers[name]
        return lambda body, content_type: readers[media.kind_of(content_type)](body, content_type)

    def _whole(self, name: str) -> BodyReader:
        contract, refuses_nul = self._compiler.contract, self._compiler.strictness.nul
        check = self._checker()
        parse: Callable[[bytes], Any]
        if media.is_json(name):
            parse = partial(parse_json, refuses_nul=refuses_nul)
        elif media.is_form(name):
            parse = FormDecoder(
                self._schema, self._compiler, self._media_object.get("encoding", {})
            ).urlencoded
        elif name.startswith("text/"):
            parse = partial(decoded, refuses_nul=refuses_nul)
            if not describes_text(self._schema, contract):
                return lambda body, _: (parse(body), [])
        else:
            return (
                bytes_reader(self._schema, contract) if media.is_binary(name) else lambda body, _: (body, [])
            )

        def read(body: bytes, _content_type: str) -> tuple[Any, list[Violation]]:
            value = parse(body)
            return check(value, value)

        return read

    def _multipart(self, decoder: MultipartDecoder | PartsDecoder) -> BodyReader:
        """Return the reader of multipart: of one that has been parsed while it arrived, or of its bytes."""
        check = self._checker()

        def read(body: bytes | Form, content_type: str) -> tuple[Any, list[Violation]]:
            form = body if isinstance(body, Form) else decoder.parse(body, content_type)
            value, plain, violations = decoder.decode(form)
            return (value, violations) if violations else check(value, plain)

        return read

    def _checker(self) -> Callable[[Any, Any], tuple[Any, list[Violation]]]:
        """Return a function that takes a value, and the same without files, and drops what handlers do not get."""
        schema, compiler = self._schema, self._compiler
        types = types_of(schema, compiler.contract)
        if media.is_form(self._name) and types and "object" not in types:
            listed = ", ".join(sorted(types))
            message = f"a form is an object; its schema takes only {listed}, so it is not checked"
            compiler.warn(self._pointer, message, "unchecked-form")
            schema = {}
        validator = compiler.compile(schema, "request", self._pointer)
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
    try:
        return urlencoded(query, refuses_nul=refuses_nul) if query else NO_TEXTS
    except ValueError as exc:
        message = "not percent-encoded UTF-8, or too many fields"
        raise InvalidRequest([Violation("", "encoding", message, "query")]) from exc
