"""Compile parts of a contract for a test, without an application."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from relay.contract.json_text import json_bytes
from relay.contract.loading import load_contract
from relay.contract.model import Contract, Location, Parameter
from relay.mock.samples import Sampler
from relay.validation.parameters import ParameterDecoder
from relay.validation.raw_texts import Raw
from relay.validation.schemas import Direction, SchemaCompiler
from relay.validation.validators import Validator

from .hosting import contract, ref

POINTER = ("paths",)
"""The pointer of parts that are not in a document."""

_STYLES: dict[Location, str] = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


def read(document: Any) -> Contract:
    """Load a contract from a document."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "contract.json"
        path.write_bytes(json_bytes(document))
        return load_contract(path)


def sampled(whole: Contract, schema: Any) -> tuple[Any, list[str]]:
    """Make a value that a compiled schema of a contract accepts; return it and the problems found."""
    compiler = SchemaCompiler(whole)
    value = Sampler(compiler).sample(schema, POINTER)
    assert compiler.compile(schema, "response", POINTER).accepts(value), value
    return value, [problem.message for problem in compiler.problems]


def around(schemas: dict[str, Any] | None = None, version: str = "3.0.3") -> Contract:
    """Return a contract with only these component schemas."""
    return read(contract({}, openapi=version, components={"schemas": schemas or {}}))


def validator(
    schema: Any,
    direction: Direction = "request",
    schemas: dict[str, Any] | None = None,
    version: str = "3.0.3",
) -> Validator:
    """Compile a schema; `schemas` are the components it may refer to."""
    if version != "3.0.3":  # only what is read with the document has the form that the compiler knows
        schemas, schema = {**(schemas or {}), "Root": schema}, ref("Root")
    compiler = SchemaCompiler(around(schemas, version)) if schemas else _compiler_without_components()
    found = compiler.compile(schema, direction, POINTER)
    assert found is not None, compiler.problems
    return found


@cache
def _compiler_without_components() -> SchemaCompiler:
    return SchemaCompiler(around())


def rules(schema: Any, value: Any, direction: Direction = "request", **rest: Any) -> list[tuple[str, str]]:
    """Return path and rule of each violation of a value, of which an accepted one has none."""
    compiled = validator(schema, direction, **rest)
    found = compiled.violations(value)
    assert compiled.accepts(value) == (found == [])
    return [(one.path, one.rule) for one in found]


def parameter(schema: dict[str, Any], location: Location = "query", **rest: Any) -> Parameter:
    """Return a parameter `p`; `rest` are other fields of Parameter."""
    style = rest.pop("style", _STYLES[location])
    fields = {"name": "p", "required": False, "explode": style == "form", "media_type": None, **rest}
    return Parameter(location=location, schema=schema, style=style, pointer=POINTER, **fields)


def raw_texts(location: Location, texts: Mapping[str, Sequence[str]]) -> Raw:
    """Return the decoded texts of a location, with all separators in them as they are in a URL."""
    decoded = {name: [*values] for name, values in texts.items()}
    if location == "header":
        return Raw(decoded)
    return Raw(
        decoded,
        lambda: {name: [quote(one, safe=" ,.;=|") for one in found] for name, found in decoded.items()},
    )


def parameter_decoder(
    schema: dict[str, Any], location: Location = "query", schemas: dict[str, Any] | None = None, **rest: Any
) -> ParameterDecoder:
    """Compile a parameter; `schemas` are the components it may refer to."""
    whole = around(schemas)
    compiler = SchemaCompiler(whole)
    decoder = ParameterDecoder(parameter(schema, location, **rest), compiler)
    assert compiler.problems == []
    return decoder
