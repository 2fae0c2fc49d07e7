"""Checks operations: the responses that they document, their security, and that the server can compile them."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic, errors
from relay.contract.model import Contract, LeftOut, Operation
from relay.server.security import schemes_in_use
from relay.validation import media_types as media
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler

from .lint_rules import Found


def check_responses(contract: Contract) -> Iterator[Found]:
    """Yield operations that document no success, no body of it, or not the errors that every server can return."""
    for operation in contract.operations:
        pointer = (*operation.pointer, "responses")
        if not any(operation.response(status) for status in range(200, 400)):
            message = f"{operation} documents no success response; add a 2xx response"
            yield "missing-success-response", pointer, message
        for status in ("200", "201", "202", "203") if operation.method != "head" else ():
            response = operation.responses.get(status)
            if response is not None and not response.content:
                message = (
                    f"{status} of {operation} documents no content, so its handler must return no body; "
                    "document the body, or respond with 204"
                )
                yield "missing-content", (*pointer, status), message
        missing = [str(status) for status in _error_statuses(operation) if operation.response(status) is None]
        if missing:
            listed = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
            message = f"{operation} can respond with {listed}; document it, or `default`"
            yield "missing-error-response", pointer, message


def _error_statuses(operation: Operation) -> Iterator[int]:
    if operation.parameters or operation.body:
        yield 400
    if operation.security:
        yield 401
    if operation.body and "*/*" not in map(media.essence, operation.body.content):
        yield 415  # with the range of all media types none is refused
    yield 500


def check_security(contract: Contract) -> Iterator[Found]:
    """Yield operations that are public without an explicit `security: []`, unused schemes and undefined scopes."""
    for operation in contract.operations:
        if not operation.security and "security" not in contract.raw(operation):
            inherits = "inherits `security: []`" if "security" in contract.document else "has no security"
            message = f"{operation} {inherits} and is public; name a scheme, or set `security: []` at the operation if this is intended"
            yield "unsecured-operation", operation.pointer, message
        for name, scopes in ((name, scopes) for each in operation.security for name, scopes in each.items()):
            for scope in _undefined(contract, name, scopes):
                message = f"{operation} requires the scope '{scope}', which no flow of '{name}' defines; define it there"
                yield "undefined-scope", operation.pointer, message
    for name in sorted(contract.security_schemes.keys() - schemes_in_use(contract)):
        message = f"no operation requires the security scheme '{name}'; use it or remove it"
        yield "unused-security-scheme", ("components", "securitySchemes", name), message


def _undefined(contract: Contract, name: str, scopes: list[str]) -> list[str]:
    """Return the scopes that an oauth2 scheme does not define; scopes of other schemes are not checked."""
    scheme = contract.security_schemes.get(name, {})
    if scheme.get("type") != "oauth2":
        return []
    defined = {scope for flow in scheme["flows"].values() for scope in flow.get("scopes", {})}
    return [scope for scope in scopes if scope not in defined]


def check_serving(contract: Contract) -> Iterator[Diagnostic]:
    """Compile every operation as `relay serve` does; `check_examples` reports invalid defaults with their location."""
    compiler = SchemaCompiler(contract)
    for operation in contract.operations:
        found = compiled(operation, compiler)
        yield from (problem for problem in found if problem.rule != "invalid-default")
        if wrong := errors(found):
            place = contract.place(operation.pointer)
            yield LeftOut.of(operation.method, operation.path, place, wrong[0]).reason


def compiled(operation: Operation, compiler: SchemaCompiler) -> list[Diagnostic]:
    """Compile an operation and return its problems; one with an error is not served."""
    RequestDecoder(operation, operation.arguments, compiler)
    ResponseEncoder(operation, compiler)
    return compiler.take_problems()
