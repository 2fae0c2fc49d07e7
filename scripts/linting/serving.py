"""What the host would refuse when it compiles the operations."""

from __future__ import annotations

from collections.abc import Iterator

from handlers._host.binding import argument_names
from handlers._host.contract import Contract
from handlers._host.requests import RequestDecoder
from handlers._host.responses import ResponseEncoder
from handlers._host.schemas import SchemaCompiler
from scripts.findings import Finding


def check_serving(contract: Contract) -> Iterator[Finding]:
    """Compile every operation as `relay serve` does; defaults are told by `check_examples`, at their place."""
    compiler = SchemaCompiler(contract)
    for operation in contract.operations:
        RequestDecoder(operation, argument_names(operation), compiler, contract)
        ResponseEncoder(operation, contract, compiler)
    for problem in compiler.problems:
        if problem.rule != "invalid-default":
            yield Finding.of(problem)
