"""Decodes a request into validated handler arguments, using decoders compiled at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, RequestBody, Schema

from . import media_types as media
from .coercion import types_of
from .errors import InvalidRequest, UnsupportedMediaType
from .form_parts import MultipartDecoder
from .forms import FormDecoder, decoded, parse_urlencoded
from .http import Request, cookies, header
from .json_strict import NotJson, parse_json
from .multipart import Form, MalformedForm
from .parameters import LocatedViolation, ParameterDecoder
from .read_only import ReadOnly
from .schemas import SchemaCompiler
from .violations import Violation

Arguments = dict[str, Any]


class RequestDecoder:
    """Decodes requests to one operation into validated handler arguments."""

    def __init__(
        self, operation: Operation, names: Mapping[Pointer, str], compiler: SchemaCompiler, contract: Contract
    ) -> None:
        self._decoders = [
            (ParameterDecoder(parameter, contract, compiler), names[parameter.pointer])
            for parameter in operation.parameters
        ]
        self._locations = {parameter.location for parameter in operation.parameters}
        self._headers = [
            parameter.name for parameter in operation.parameters if parameter.location == "header"
        ]
        self._refuses_nul = compiler.strictness.nul
        self._body = BodyDecoder(operation.body, contract, compiler) if operation.body else None
        self.has_body = self._body is not None
        self.forms = self._body.forms if self._body else {}
        self.has_no_input = not self._decoders and self._body is None

    def decode(self, request: Request) -> Arguments:
        """Return the arguments by name.

        Raises InvalidRequest with every violation, or UnsupportedMediaType.
        """
        arguments: Arguments = {}
        failures: list[LocatedViolation] = []
        if self._decoders:
            raw = self._raw(request)
            for decoder, name in self._decoders:
                decoder.decode(raw[decoder.parameter.location], arguments, name, failures)
        if self._body:
            self._body.decode(request, arguments, failures)
        if failures:
            raise InvalidRequest(failures=failures)
        return arguments

    def _raw(self, request: Request) -> dict[str, dict[str, list[str]]]:
        raw: dict[str, dict[str, list[str]]] = {}
        if "path" in self._locations:
            raw["path"] = {name: [value] for name, value in request.path_params.items()}
        if "query" in self._locations:
            raw["query"] = _query(request.query_string, refuses_nul=self._refuses_nul)
        if "header" in self._locations:
            found = {name: header(request.headers, name.lower().encode()) for name in self._headers}
            raw["header"] = {name: [value.strip()] for name, value in found.items() if value is not None}
        if "cookie" in self._locations:
            raw["cookie"] = cookies(request.headers)
        return raw


class BodyDecoder:
    """Decodes the request bodies of one operation into validated values."""

    def __init__(self, body: RequestBody, contract: Contract, compiler: SchemaCompiler) -> None:
        self._required = body.required
        at = (*body.pointer, "content")
        self.forms = media.by_name(
            {
                media_type: MultipartDecoder(schema, contract, compiler, (*at, media_type))
                for media_type, schema in body.content.items()
                if media.essence(media_type) == media.MULTIPART
            }
        )
        self._readers = media.by_name(
            {
                media_type: _multipart_reader(form, schema, contract, compiler, (*at, media_type))
                if (form := self.forms.get(media.essence(media_type)))
                else _reader(media.essence(media_type), schema, contract, compiler, (*at, media_type))
                for media_type, schema in body.content.items()
            }
        )

    def decode(self, request: Request, arguments: Arguments, failures: list[LocatedViolation]) -> None:
        """Store the body's value in `arguments["body"]`, and append its violations to `failures`.

        Raises UnsupportedMediaType.
        """
        if not request.body:
            if self._required:
                failures.append(LocatedViolation("body", Violation("", "required", "the body is missing")))
            return
        content_type = header(request.headers, b"content-type")
        encoding = header(request.headers, b"content-encoding") or "identity"
        transfer = header(request.headers, b"transfer-encoding") or "chunked"
        if content_type is None or (encoding.strip().lower(), transfer.lower()) != ("identity", "chunked"):
            raise UnsupportedMediaType
        name, charset = media.parse_media_type(content_type)
        reader = media.find(name, self._readers)
        if reader is None or charset not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType
        try:
            value, violations = reader(request.body, content_type)
        except ValueError as exc:
            reason = (
                str(exc)
                if isinstance(exc, NotJson | MalformedForm)
                else "the body is not valid for its media type"
            )
            violations, value = [Violation("", "format", reason)], None
        failures += [LocatedViolation("body", violation) for violation in violations]
        arguments["body"] = value


BodyReader = Callable[[Any, str], tuple[Any, list[Violation]]]
"""Takes body and Content-Type, returns value and violations. Raises ValueError for a malformed body."""


def _reader(
    name: str, schema: Schema, contract: Contract, compiler: SchemaCompiler, pointer: Pointer
) -> BodyReader:
    """Return the reader of one documented media type."""
    check = _checker(schema, contract, compiler, pointer)
    refuses_nul = compiler.strictness.nul

    def read_json(body: bytes, _content_type: str) -> tuple[Any, list[Violation]]:
        value = parse_json(body, refuses_nul=refuses_nul)
        return check(value, value)

    def read_text(body: bytes, _content_type: str) -> tuple[Any, list[Violation]]:
        text = decoded(body, refuses_nul=refuses_nul)
        return check(text, text)

    def read_form(body: bytes, _content_type: str) -> tuple[Any, list[Violation]]:
        value = form.urlencoded(body)
        return check(value, value)

    if media.is_json(name):
        return read_json
    if media.is_form(name):
        encoding = contract.follow(pointer)[0].get("encoding", {})
        form = FormDecoder(schema, contract, compiler, encoding)
        return read_form
    if name.startswith("text/"):
        return read_text
    return lambda body, _content_type: (body, [])  # OpenAPI 3.0 schemas cannot describe other media types


def _multipart_reader(
    decoder: MultipartDecoder, schema: Schema, contract: Contract, compiler: SchemaCompiler, pointer: Pointer
) -> BodyReader:
    """Return the reader of multipart forms: of one that has been parsed while it arrived, or of its bytes."""
    check = _checker(schema, contract, compiler, pointer)

    def read(body: bytes | Form, content_type: str) -> tuple[Any, list[Violation]]:
        form = body if isinstance(body, Form) else decoder.parse(body, content_type)
        value, plain, violations = decoder.decode(form)
        return (value, violations) if violations else check(value, plain)

    return read


def _checker(
    schema: Schema, contract: Contract, compiler: SchemaCompiler, pointer: Pointer
) -> Callable[[Any, Any], tuple[Any, list[Violation]]]:
    """Return a function that takes a value, and the same without files, and drops what handlers do not get."""
    if media.is_form(pointer[-1]) and (types := types_of(schema, contract)) and "object" not in types:
        message = (
            f"a form is an object; its schema takes only {', '.join(sorted(types))}, so it is not checked"
        )
        compiler.problems.append(contract.warning(pointer, message, "unchecked-form"))
        schema = {}
    validator = compiler.compile(schema, "request", pointer)
    drop = ReadOnly(contract, compiler).of(schema) if validator else None

    def check(value: Any, plain: Any) -> tuple[Any, list[Violation]]:
        assert validator is not None  # the server does not start if a schema cannot be compiled
        if not validator.accepts(plain):
            return value, validator.violations(plain)
        if drop is not None:
            drop(value)
        return value, []

    return check


def _query(query: bytes, *, refuses_nul: bool) -> dict[str, list[str]]:
    try:
        return parse_urlencoded(query, refuses_nul=refuses_nul)
    except ValueError as exc:
        violation = Violation("", "encoding", "not percent-encoded UTF-8, or too many fields")
        raise InvalidRequest(failures=[LocatedViolation("query", violation)]) from exc
