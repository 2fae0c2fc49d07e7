"""The objects that the parts of a run share: the service, its checker, the time limit, and who calls each operation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from relay.contract.model import Operation
from relay.server.security import JWT_TYPES, scheme_type, token_scopes

from .conformance import ConformanceChecker
from .contract_config import Identity
from .credential_matrix import Case, cases
from .credentials import Credentials, claims_of, signed_in
from .exchanges import Request
from .results import UNLIMITED, TimeLimit
from .service_under_test import ServiceUnderTest

MAX_SCOPES = 4096  # the characters of scopes that are added to a token; servers refuse long headers


class Caller(NamedTuple):
    """An identity, the operations that it calls, and its credentials for them, by security scheme."""

    identity: Identity | None
    operations: list[Operation]
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the identity; empty without one."""
        return self.identity.name if self.identity else ""


@dataclass
class Session:
    """A service under test, and what the parts of a run need to test it.

    An operation is called by the first identity that may.
    """

    subject: ServiceUnderTest
    checker: ConformanceChecker
    limit: TimeLimit = UNLIMITED
    credentials: Credentials = field(init=False)

    def __post_init__(self) -> None:
        self.credentials = Credentials(self.subject)
        people = [identity for identity in self.credentials.identities if identity.signs_in]
        self._known = [(identity, self.credentials.of(identity)) for identity in people]

    def caller_of(self, operation: Operation) -> Caller:
        """Return the first identity that may call an operation, and its credentials.

        If each identity with the credentials is refused or lacks a scope, it is the least hindered one; if
        there is none with the credentials, or if none is needed, the default identity.
        """
        return self._caller(self._choice(operation), [operation])

    def by_identity(self) -> list[Caller]:
        """Return the callers of all operations, each once."""
        found: dict[str, tuple[Identity | None, list[Operation]]] = {}
        for operation in self.subject.contract.operations:
            identity = self._choice(operation)
            found.setdefault(identity.name if identity else "", (identity, []))[1].append(operation)
        return [self._caller(*one) for one in found.values()]

    def closed(self) -> list[Operation]:
        """Return the operations that no identity has the credentials for."""
        return [
            one for one in self.subject.contract.operations if self.signed(Request("GET", "/"), one) is None
        ]

    def signed(self, request: Request, operation: Operation) -> Request | None:
        """Return a request with the credentials of the operation's caller; None without the required ones."""
        return signed_in(request, operation, self.subject.contract, self.caller_of(operation).values)

    def _choice(self, operation: Operation) -> Identity | None:
        able = [
            (identity, values)
            for identity, values in self._known
            if any(requirement.keys() <= values.keys() for requirement in operation.security)
        ]
        if not able:
            return self.credentials.default
        return min(able, key=lambda one: self._hindrance(operation, *one))[0]

    def _hindrance(self, operation: Operation, identity: Identity, values: Mapping[str, str]) -> int:
        has_scopes = any(
            requirement.keys() <= values.keys()
            and all(set(needed) <= self._scopes(name, values[name]) for name, needed in requirement.items())
            for requirement in map(self.subject.contract.with_checked_scopes, operation.security)
        )
        return 2 * (operation.id in identity.refused) + (not has_scopes)

    def _scopes(self, scheme: str, value: str) -> set[str]:
        """Return the scopes of a credential; one that is no readable token has none."""
        is_token = scheme_type(self.subject.contract.security_schemes[scheme]) in JWT_TYPES
        claims = claims_of(value) if is_token else None
        return token_scopes(claims) if claims else set()

    def _caller(self, identity: Identity | None, operations: list[Operation]) -> Caller:
        if identity is None:
            return Caller(None, operations, {})
        has_own = bool(token_scopes(identity.claims or {}))
        scopes = () if has_own else _scopes_of(operations)
        return Caller(identity, operations, self.credentials.of(identity, scopes))

    def signed_as(self, operation: Operation, request: Request, name: str | None) -> Request | None:
        """Return a request with the credential of a name, valid or forged; None if there is none."""
        if name is None:
            return request
        caller = self.caller_of(operation)
        known = {one.name: self.credentials.of(one) for one in self.credentials.identities}
        known[caller.name] = dict(caller.values)
        if name in known:
            return signed_in(request, operation, self.subject.contract, known[name])
        made = cases(operation, request, self.subject, self.credentials)
        return next((one.request for one in made if isinstance(one, Case) and one.name == name), None)


def _scopes_of(operations: Iterable[Operation]) -> list[str]:
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
