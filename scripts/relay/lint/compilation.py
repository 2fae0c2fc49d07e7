"""Checks that the server can compile the operations."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic, errors
from relay.contract.model import Contract, LeftOut
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler


def check_serving(contract: Contract) -> Iterator[Diagnostic]:
    """Compile every operation as `relay serve` does; `check_examples` reports invalid defaults with their location."""
    compiler = SchemaCompiler(contract)
    for operation in contract.operations:
        RequestDecoder(operation, operation.arguments, compiler, contract)
        ResponseEncoder(operation, contract, compiler)
        found = compiler.take_problems()
        yield from (problem for problem in found if problem.rule != "invalid-default")
        if wrong := errors(found):
            place = contract.place(operation.pointer)
            yield LeftOut.of(operation.method, operation.path, place, wrong[0]).reason
