"""Checks that the server can compile the operations."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic, errors
from relay.contract.model import Contract, LeftOut, Operation
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler


def check_serving(contract: Contract) -> Iterator[Diagnostic]:
    """Compile every operation as `relay serve` does; `check_examples` reports invalid defaults with their location."""
    compiler = SchemaCompiler(contract)
    for operation in contract.operations:
        found = compiled(operation, compiler, contract)
        yield from (problem for problem in found if problem.rule != "invalid-default")
        if wrong := errors(found):
            place = contract.place(operation.pointer)
            yield LeftOut.of(operation.method, operation.path, place, wrong[0]).reason


def compiled(operation: Operation, compiler: SchemaCompiler, contract: Contract) -> list[Diagnostic]:
    """Compile an operation and return its problems; one with an error is not served."""
    RequestDecoder(operation, operation.arguments, compiler, contract)
    ResponseEncoder(operation, contract, compiler)
    return compiler.take_problems()
