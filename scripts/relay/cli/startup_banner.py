"""The text that `relay serve` prints at its start: the address, what is mocked, a `curl` to try."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from relay.contract.diagnostics import Severity
from relay.contract.path_templates import encoded

from .output import say, warn_of_faults

if TYPE_CHECKING:
    from relay.contract.diagnostics import Diagnostic
    from relay.contract.model import Contract, Operation
    from relay.server.app import Application

TOKEN_LIFE = 30 * 86400  # seconds
MAX_SHOWN = 5  # operations that are named


def print_banner(
    application: Application,
    port: int,
    *,
    claims: Mapping[str, Any] | None = None,
    record: Path | None = None,
) -> None:
    """Print where the service is, and a `curl` to try; `claims` are for its token, None prints no token."""
    settings = application.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    base_path = application.contract.base_path
    below = f" below {base_path}" if base_path else ""
    say(f"{application.contract.title}: {operations(application)} at {url}{below}")
    for line in missing(application):
        say(line)
    warn_of_faults(weakened(application))
    if settings.docs and settings.openapi:
        say(f"Docs: {url}/docs")
    if record:
        say(f"Recording: all requests and responses go to {record}")
    if (command := _curl(application, f"{url}{base_path}", claims)) is not None:
        say("Try:", f"  {command}")


def _curl(application: Application, url: str, claims: Mapping[str, Any] | None) -> str | None:
    """Return a command that calls the first operation that needs no more than a path and a token.

    Where the contract is served alone, its token has the scopes of all operations: there is no other.
    """
    from relay.server.security import JWT_TYPES, scheme_type
    from relay.server.token_minting import longest_life, mint, scopes_of, with_scopes

    contract, settings = application.contract, application.settings
    served = {one.binding.operation.pointer for one in application.endpoints.values()}
    for operation in contract.operations:
        schemes = [*operation.security[0]] if operation.security else []
        is_signed = all(
            scheme_type(contract.security_schemes[name]) in JWT_TYPES
            and name not in application.hooks.named_verifiers
            for name in schemes
        )
        is_callable = operation.method == "get" and operation.pointer in served and is_signed
        if not is_callable or (schemes and claims is None) or (path := _path(operation, contract)) is None:
            continue
        if not schemes:
            return f"curl {shlex.quote(url + path)}"
        asking = contract.operations if application.is_alone else [operation]
        scopes = {scope for one in asking for scope in scopes_of(one, contract) or ()}
        granted = with_scopes(claims or {}, scopes)
        token = mint(settings, granted, longest_life(settings, TOKEN_LIFE))
        return f"curl -H 'Authorization: Bearer {token}' {shlex.quote(url + path)}"
    return None


def _path(operation: Operation, contract: Contract) -> str | None:
    from relay.mock.judging import examples
    from relay.mock.samples import Sampler
    from relay.mock.schema_parts import NoSample
    from relay.validation.parameters import parameter_reader
    from relay.validation.schemas import SchemaCompiler

    sampler = Sampler(SchemaCompiler(contract), "request")
    path = encoded(operation.path)
    for parameter in operation.parameters:
        if not parameter.required:
            continue
        if parameter.location != "path" or parameter.media_type is not None or parameter.style != "simple":
            return None
        raw, pointer = contract.follow(parameter.pointer)
        read = parameter_reader(parameter, sampler.compiler)
        given = [value for _, value, _ in examples(contract, raw, pointer, read)]
        try:
            value = given[0] if given else sampler.sample(parameter.schema, (*pointer, "schema"))
        except NoSample:
            return None
        if isinstance(value, list | dict | bool) or value is None:
            return None
        path = path.replace(f"{{{parameter.name}}}", quote(str(value), safe=""))
    return path


def operations(application: Application) -> str:
    """Count the operations: `1 operation`, or `2 of 3 operations` if others are not served."""
    served = len(application.endpoints)
    count = served + len(application.left_out)
    return f"{served} of {counted(count)}" if served < count else counted(count)


def counted(count: int) -> str:
    """Return `1 operation` or `3 operations`."""
    return f"{count} operation{'s' * (count != 1)}"


def weakened(application: Application) -> list[Diagnostic]:
    """Return a warning for each operation that is not served, and for all that is worked around."""
    worked_around = [replace(one, severity=Severity.WARNING) for one in application.warnings]
    return [*(one.reason for one in application.left_out), *worked_around, *application.argument_warnings]


def missing(application: Application) -> Iterator[str]:
    """Yield lines about mocked and stubbed operations, and credentials that are not verified; a long list is cut."""
    if application.is_alone:
        yield "Handlers: none, the contract is served alone"
        if trusted := ", ".join(application.hooks.verifiers):
            yield f"Any credential is accepted for {trusted}: only a handlers package can verify it"
    for policy, word in (("mock", "mocked"), ("stub", "stubbed")):
        names = [str(binding.operation) for binding in application.missing if binding.missing == policy]
        if names:
            more = [f"{len(names) - MAX_SHOWN} more"] if len(names) > MAX_SHOWN else []
            are, shown = "is" if len(names) == 1 else "are", ", ".join([*names[:MAX_SHOWN], *more])
            yield f"{len(names)} of {counted(len(application.endpoints))} {are} {word}: {shown}"
