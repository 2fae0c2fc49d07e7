"""A request for each operation that is worth sending: one that succeeded, else one made from the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from handlers._host import media
from handlers._host.contract import Contract, Operation, Parameter
from handlers._host.mocking.parts import NoSample
from handlers._host.mocking.samples import Sampler
from handlers._host.schemas import SchemaCompiler

from .exchanges import Exchange, Request
from .judging import Judge


def model_requests(
    contract: Contract, url: str, judge: Judge, exchanges: Iterable[Exchange]
) -> dict[str, Request]:
    """Return a request without credentials for each operation, by id.

    The first that succeeded is taken, else one is made from examples and schemas; an operation whose
    request cannot be made is left out.
    """
    found: dict[str, Request] = {}
    for exchange in exchanges:
        where = judge.where(exchange)
        if where and where.operation and 200 <= exchange.status < 300:
            found.setdefault(where.operation.id, bare(exchange.request, contract))
    maker = _Maker(contract, url)
    for operation in contract.operations:
        if operation.id not in found:
            try:
                found[operation.id] = maker.make(operation)
            except NoSample:
                continue
    return found


def bare(request: Request, contract: Contract) -> Request:
    """Return a request without what it was signed in with, and what the connection added."""
    carried = {"authorization", "cookie", "host", "content-length", "connection", "x-schemathesis-testcaseid"}
    in_query = set()
    for scheme in contract.security_schemes.values():
        if scheme["type"] == "apiKey":
            carried |= {scheme["name"].lower()} if scheme["in"] == "header" else set()
            in_query |= {scheme["name"]} if scheme["in"] == "query" else set()
    url, _, query = request.url.partition("?")
    pairs = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in in_query]
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in carried)
    return Request(
        request.method, "?".join([url, *(["&".join(pairs)] if pairs else [])]), headers, request.body
    )


class _Maker:
    def __init__(self, contract: Contract, url: str) -> None:
        self._contract = contract
        self._url = url
        self._sampler = Sampler(contract, SchemaCompiler(contract))

    def make(self, operation: Operation) -> Request:
        """Make a request from what the contract gives; raise NoSample."""
        path, query, headers = operation.path, [], []
        for parameter in operation.parameters:
            if not parameter.required:
                continue
            text = quote(_text(self._value(parameter)), safe="")
            if parameter.location == "path":
                path = path.replace(f"{{{parameter.name}}}", text)
            elif parameter.location == "query":
                query.append(f"{quote(parameter.name, safe='')}={text}")
            elif parameter.location == "header":
                headers.append((parameter.name, _text(self._value(parameter))))
        body = b""
        if operation.body:
            media_type, schema = min(
                operation.body.content.items(), key=lambda one: not media.is_json(one[0])
            )
            if not media.is_json(media_type):
                raise NoSample("its body is not JSON")
            pointer = (*operation.body.pointer, "content", media_type)
            body = orjson.dumps(self._sampler.sample(schema, pointer))
            headers.append(("Content-Type", media_type))
        sign = "?" if query else ""
        return Request(
            operation.method.upper(), f"{self._url}{path}{sign}{'&'.join(query)}", tuple(headers), body
        )

    def _value(self, parameter: Parameter) -> Any:
        raw: Mapping[str, Any] = self._contract.resolve(self._at(parameter))
        if "example" in raw:
            return raw["example"]
        return self._sampler.sample(parameter.schema, parameter.pointer)

    def _at(self, parameter: Parameter) -> Any:
        value: Any = self._contract.document
        for token in parameter.pointer:
            value = self._contract.resolve(value)
            value = value[int(token)] if isinstance(value, list) else value[token]
        return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return value if isinstance(value, str) else orjson.dumps(value).decode()
