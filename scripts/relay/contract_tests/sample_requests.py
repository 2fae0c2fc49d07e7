"""Find a valid request for each operation: one that succeeded, or else one built from the contract."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, unquote_plus

import httpx

from relay.contract.documents import Pointer
from relay.contract.json_text import json_bytes
from relay.contract.methods import in_request
from relay.contract.model import Contract, Operation, Parameter, RequestBody, Schema
from relay.contract.path_templates import encoded
from relay.mock.bodies import concrete, item_lists, part_sample
from relay.mock.judging import examples
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation import forms
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_file
from relay.validation.coercion import items_of, properties_of, types_of
from relay.validation.encoding_objects import content_types
from relay.validation.errors import ResponseViolation
from relay.validation.item_content import content_at, has_items
from relay.validation.media_types import kind_of_items
from relay.validation.parameters import ReadText, body_reader, parameter_reader
from relay.validation.part_decoders import MultipartDecoder, Nesting
from relay.validation.schemas import SchemaCompiler
from relay.validation.style_writing import encoded_text, fields, form, pairs, word

from .conformance import ConformanceChecker
from .exchanges import Exchange, Request, carrier

Part = tuple[str | None, bytes, str | None, dict[str, str]]
"""File name, content, media type and headers, as httpx takes them."""

_BOUNDARY = "boundary-of-the-parts"  # a fixed one: `relay init` writes the same test each time
_REMOVED = {
    ("header", name)
    for name in "authorization cookie host content-length connection x-schemathesis-testcaseid".split()
}

UNREACHABLE = "no request has this path, as '?' and '#' end a path; document a parameter"
"""Why an operation is not tested whose path has a `?` or `#`."""


def is_unreachable(operation: Operation) -> bool:
    """Return True for an operation whose path cannot be requested as it is written."""
    return "?" in operation.path or "#" in operation.path


def model_requests(
    contract: Contract, url: str, checker: ConformanceChecker, exchanges: Iterable[Exchange]
) -> dict[str, Request]:
    """Return a valid request without credentials for each operation, by id.

    It is the first one that succeeded, or else built from examples and schemas; an operation for which no
    request can be built is omitted.
    """
    found: dict[str, Request] = {}
    for exchange in exchanges:
        operation = checker.operation_of(exchange.request) if 200 <= exchange.status < 300 else None
        if operation and operation.id not in found:
            request = without_credentials(exchange.request, contract)
            if checker.is_valid_request(request, operation):
                found[operation.id] = request
    maker = _Maker(contract, url)
    for operation in contract.operations:
        if operation.id not in found:
            with suppress(NoSample):
                request = maker.make(operation)
                if checker.is_valid_request(request, operation):
                    found[operation.id] = request
    return found


def without_credentials(request: Request, contract: Contract) -> Request:
    """Return a request without its credentials and without headers of the connection."""
    removed = _REMOVED.union(map(carrier, contract.security_schemes.values()))
    url, _, query = request.url.partition("?")
    kept = "&".join(
        pair
        for pair in query.split("&")
        if pair and ("query", unquote_plus(pair.partition("=")[0], errors="replace")) not in removed
    )
    headers = tuple(pair for pair in request.headers if ("header", pair[0].lower()) not in removed)
    return Request(request.method, f"{url}?{kept}" if kept else url, headers, request.body)


class _Maker:
    def __init__(self, contract: Contract, url: str) -> None:
        self._contract = contract
        self._url = url
        self._compiler = SchemaCompiler(contract)
        self._sampler = Sampler(self._compiler, "request")

    def make(self, operation: Operation) -> Request:
        """Build a request with all required parameters and the body; raise NoSample."""
        path = encoded(operation.path)
        written: dict[str, list[tuple[str, str]]] = {"query": [], "header": [], "cookie": []}
        for parameter in operation.parameters:
            if not parameter.required:
                continue
            if parameter.location == "querystring":
                written["query"] += self._query_string(parameter)
            elif parameter.location == "path":
                text = pairs(parameter, self._value(parameter))[0][1]
                path = path.replace(f"{{{parameter.name}}}", text)
            else:
                written[parameter.location] += pairs(parameter, self._value(parameter))
        headers = written["header"]
        if written["cookie"]:
            headers.append(("Cookie", "; ".join(f"{name}={text}" for name, text in written["cookie"])))
        content_type, body = self._body(operation.body) if operation.body else ("", b"")
        if content_type:
            headers.append(("Content-Type", content_type))
        query_string = f"?{_joined(written['query'])}" if written["query"] else ""
        return Request(in_request(operation.method), f"{self._url}{path}{query_string}", tuple(headers), body)

    def _query_string(self, parameter: Parameter) -> list[tuple[str, str]]:
        value, media_type = self._value(parameter), parameter.media_type or media.URLENCODED
        if media.is_form(media_type) and isinstance(value, dict):
            raw = self._contract.follow(parameter.pointer)[0].get("content", {}).get(media_type, {})
            return form(value, properties_of(parameter.schema, self._contract), raw.get("encoding", {}))
        text = json_bytes(value).decode() if media.is_json(media_type) else word(value)
        return [("", encoded_text(text))]

    def _body(self, body: RequestBody) -> tuple[str, bytes]:
        """Return a Content-Type and a body, JSON if the operation accepts it."""
        name = min(body.content, key=lambda name: not media.is_json(name))
        raw, pointer = self._contract.follow((*body.pointer, "content", name))
        if has_items(name, raw, self._contract):
            return self._items(name, raw, pointer)
        schema = body.content[name]
        read = body_reader(name, raw, self._compiler)
        value = self._given_or_sampled(raw, pointer, schema, read)
        name = concrete(name, schema)
        if media.is_json(name):
            return name, json_bytes(value)
        if media.is_form(name) and not isinstance(value, dict):
            value = {"value": value}  # a form whose schema is not that of an object
        match media.essence(name):
            case "application/x-www-form-urlencoded":
                properties = properties_of(body.content[name], self._contract)
                return name, _joined(form(value, properties, raw.get("encoding", {}))).encode()
            case "multipart/form-data":
                parts = [*_parts(value, schema, pointer, sampler=self._sampler, sample=self._value)]
                content_type = f"{name}; boundary={_BOUNDARY}"
                made = httpx.Request("POST", self._url, files=parts, headers={"Content-Type": content_type})
                return content_type, made.read()
        return name, word(value).encode()

    def _items(self, name: str, raw: Any, pointer: Pointer) -> tuple[str, bytes]:
        """Return a Content-Type and a body of items: those of the first valid example, or else a few of the schema."""
        content = content_at(pointer, "request", self._compiler)
        if content is None:
            raise NoSample("the schema of the items cannot be compiled")
        boundary = f"; boundary={_BOUNDARY}" if kind_of_items(name) == "parts" else ""
        content = content.begun(f"{name}{boundary}")
        given = [*examples(self._contract, raw, pointer)]
        for _, items in item_lists(name, raw, pointer, given, self._sampler):
            with suppress(ResponseViolation):
                return content.media_type, content.serialise(items)
        raise NoSample("no items were found; add a valid example")

    def _value(self, parameter: Parameter) -> Any:
        raw, pointer = self._contract.follow(parameter.pointer)
        is_text = parameter.media_type is None or parameter.location == "querystring"
        read = parameter_reader(parameter, self._compiler) if is_text else None
        if parameter.media_type is not None:
            raw, pointer = self._contract.follow((*pointer, "content", parameter.media_type))
        return self._given_or_sampled(raw, pointer, parameter.schema, read)

    def _given_or_sampled(self, owner: Any, pointer: Pointer, schema: Schema, read: ReadText | None) -> Any:
        """Return the first valid example next to a schema, or else a sample of the schema."""
        validator = self._compiler.compile(schema, "request", (*pointer, "schema"))
        for _, value, _ in examples(self._contract, owner, pointer, read):
            if validator is None or validator.accepts(value):
                return value
        return self._sampler.sample(schema, (*pointer, "schema"))


def _joined(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{name}={text}" if name else text for name, text in pairs)


def _parts(
    value: Mapping[str, Any],
    schema: Schema,
    pointer: Pointer,
    *,
    sampler: Sampler,
    sample: Callable[[Parameter], Any],
) -> Iterator[tuple[str, Part]]:
    """Yield the parts of a form's value by name; `pointer` is that of its Media Type Object, `sample` makes headers.

    Raises NoSample.
    """
    # One function: a field that has a style or parts of its own leaves the plain ones, which come last.
    contract = sampler.contract
    properties = properties_of(schema, contract)
    media_type, at = contract.follow(pointer)
    encodings = media_type.get("encoding", {})
    styles, plain = forms.part_styles(encodings, contract), dict(value)
    for name in value.keys() & properties.keys():
        if (parameter := forms.encoded(name, properties[name], styles)) is not None:
            for key, text in pairs(parameter, plain.pop(name)):
                yield unquote(key), (None, unquote(text).encode(), None, {})
    for name in [one for one in plain if one in encodings]:
        parts = [*_nested(name, plain[name], schema, pointer, sampler)]
        yield from ((name, part) for part in parts)
        if parts:
            del plain[name]
    for name, text in fields(plain):
        field = properties.get(name, {})
        element = items_of(field, contract) if "array" in types_of(field, contract) else field
        encoding = encodings.get(name, {})
        headers = {
            header.name: pairs(header, sample(header))[0][1]
            for header in contract.headers(encoding, (*at, "encoding", name))
            if header.required
        }
        listed = content_types(encoding)
        has_name = is_file(element, contract, listed)
        yield name, ("file" if has_name else None, text.encode(), _first_sent(listed, element), headers)


def _nested(name: str, value: Any, schema: Schema, pointer: Pointer, sampler: Sampler) -> Iterator[Part]:
    """Yield the parts of a field that are forms, or multipart, themselves. Raises NoSample."""
    compiler = sampler.compiler
    form = MultipartDecoder(schema, compiler, pointer, Nesting(compiler, "request"))
    field = form.field(name)
    if field.nested is None:
        return
    for one in value if field.is_list else [value]:
        part = part_sample(field, one, sampler)
        try:
            written = field.nested.write(part.content, next(iter(field.rules.ranges)), is_validated=True)
        except ResponseViolation as violation:
            raise NoSample(violation.violations[0].message) from None
        yield None, written.content, written.media_type, dict(part.headers)


def _first_sent(listed: list[str], schema: Schema) -> str | None:
    """Return the first of some media types and ranges that can be sent; None if there are none."""
    for name in listed:
        with suppress(NoSample):
            return concrete(name, schema)
    return listed[0] if listed else None
