"""Checks that the server can compile the operations."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract
from relay.server.binding import argument_names
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler


def check_serving(contract: Contract) -> Iterator[Diagnostic]:
    """Compile every operation as `relay serve` does; `check_examples` reports invalid defaults with their location."""
    compiler = SchemaCompiler(contract)
    for operation in contract.operations:
        RequestDecoder(operation, argument_names(operation), compiler, contract)
        ResponseEncoder(operation, contract, compiler)
    for problem in compiler.problems:
        if problem.rule != "invalid-default":
            yield problem
