"""Encode results of handlers without an application."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from relay.validation.errors import ResponseViolation
from relay.validation.responses import ResponseEncoder
from relay.validation.results import split
from relay.validation.schemas import SchemaCompiler

from .compiled import read
from .hosting import contract, operation


def documented(schema: Any = None, *, headers: Any = None, **content: Any) -> Any:
    """Return a documented response; `content` maps media types to schemas, `schema` is the one of JSON."""
    by_type = {**({"application/json": schema} if schema is not None else {}), **content}
    return {
        "description": "",
        "content": {name: {"schema": schema} for name, schema in by_type.items()},
        "headers": headers or {},
    }


def response_encoder(schemas: Any = None, **responses: Any) -> SimpleNamespace:
    """Compile an operation with these responses, `s200` for status 200; `schemas` are components.

    Its `encode` needs no event loop, its `start` does.
    """
    documented = {status.removeprefix("s"): response for status, response in responses.items()}
    paths = {"/p": {"get": operation("give", responses=documented)}}
    whole = read(contract(paths, components={"schemas": schemas or {}}))
    compiler = SchemaCompiler(whole)
    encoder = ResponseEncoder(whole.operations[0], compiler)
    assert {one.rule for one in compiler.problems} <= {"unvalidated-body"}

    async def start(result: Any, request: Any = None) -> Any:
        return encoder.encode_usual(result) or await encoder.encode_parts(split(result), request)

    return SimpleNamespace(
        encode=lambda result, request=None: asyncio.run(start(result, request)), start=start
    )


def violations(encoder: Any, result: Any) -> list[tuple[str, str]]:
    """Return the violations of a response: path and rule."""
    with pytest.raises(ResponseViolation) as raised:
        encoder.encode(result)
    return [(one.path, one.rule) for one in raised.value.violations]
