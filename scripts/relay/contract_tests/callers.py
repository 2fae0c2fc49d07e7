"""Choose the identity that calls an operation: the first one that may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from relay.contract.model import Contract, Operation
from relay.server.security import JWT_TYPES, scheme_type, token_scopes

from .contract_config import Identity
from .credentials import Credentials, signed_in
from .exchanges import Request
from .token_factory import claims_of

MAX_SCOPES = 4096
"""The characters of scopes that are added to a token; servers refuse long headers."""


class Caller(NamedTuple):
    """An identity, the operations that it calls, and its credentials for them, by security scheme."""

    identity: Identity | None
    operations: list[Operation]
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the identity; empty without one."""
        return self.identity.name if self.identity else ""


class Callers:
    """The identity for each operation of a contract."""

    def __init__(self, contract: Contract, credentials: Credentials) -> None:
        self._contract = contract
        self._credentials = credentials
        self._default = credentials.default
        people = [identity for identity in credentials.identities if identity.signs_in]
        self._known = [(identity, credentials.of(identity)) for identity in people]

    def of(self, operation: Operation) -> Caller:
        """Return the first identity that may call an operation, and its credentials.

        If each identity with the credentials is refused or lacks a scope, it is the least hindered one; if
        there is none with the credentials, or if none is needed, the default identity.
        """
        return self._caller(self._choice(operation), [operation])

    def by_identity(self) -> list[Caller]:
        """Return the callers of all operations, each once."""
        found: dict[str, tuple[Identity | None, list[Operation]]] = {}
        for operation in self._contract.operations:
            identity = self._choice(operation)
            found.setdefault(identity.name if identity else "", (identity, []))[1].append(operation)
        return [self._caller(*one) for one in found.values()]

    def closed(self) -> list[Operation]:
        """Return the operations that no identity has the credentials for."""
        return [
            operation
            for operation in self._contract.operations
            if signed_in(Request("GET", "/"), operation, self._contract, self.of(operation).values) is None
        ]

    def _choice(self, operation: Operation) -> Identity | None:
        hindered = [
            (self._hindrance(operation, identity, values), number)
            for number, (identity, values) in enumerate(self._known)
            if any(requirement.keys() <= values.keys() for requirement in operation.security)
        ]
        return self._known[min(hindered)[1]][0] if hindered else self._default

    def _hindrance(self, operation: Operation, identity: Identity, values: Mapping[str, str]) -> int:
        has_scopes = any(
            requirement.keys() <= values.keys()
            and all(set(needed) <= self._scopes(name, values[name]) for name, needed in requirement.items())
            for requirement in map(self._contract.with_checked_scopes, operation.security)
        )
        return 2 * (operation.id in identity.refused) + (not has_scopes)

    def _scopes(self, scheme: str, value: str) -> set[str]:
        """Return the scopes of a credential; one that is no readable token has none."""
        is_token = scheme_type(self._contract.security_schemes[scheme]) in JWT_TYPES
        claims = claims_of(value) if is_token else None
        return token_scopes(claims) if claims else set()

    def _caller(self, identity: Identity | None, operations: list[Operation]) -> Caller:
        if identity is None:
            return Caller(None, operations, {})
        has_own = bool(token_scopes(identity.claims or {}))
        scopes = () if has_own else _scopes_of(operations)
        return Caller(identity, operations, self._credentials.of(identity, scopes))


def _scopes_of(operations: Iterable[Operation]) -> list[str]:
    """Return the scopes that operations require first, as far as a token can carry them."""
    wanted = {
        scope
        for operation in operations
        for requirement in operation.security[:1]
        for scopes in requirement.values()
        for scope in scopes
    }
    found, size = [], 0
    for scope in sorted(wanted):
        size += len(scope) + 1
        if size <= MAX_SCOPES:
            found.append(scope)
    return found
