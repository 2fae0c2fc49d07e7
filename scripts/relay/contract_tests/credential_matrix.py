"""Every way to be, or not to be, somebody who may call an operation, as requests that are made when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from relay.contract.model import Operation, SecurityRequirement
from relay.server.security import JWT_TYPES, scheme_type, token_scopes

from .contract_config import FILE, Identity
from .credential_variants import UNAUTHENTICATED, AuthContext, CredentialVariant, presentations
from .credentials import Credentials, carrying_all
from .exchanges import Request
from .results import NotRun
from .service_under_test import ServiceUnderTest
from .token_factory import NO_KEY, SCOPE_CLAIMS, CannotBuild, TokenFactory, claims_of

FORBIDDEN = (403,)
LET_IN = ()
"""What is expected of a request that has to be let in: anything but 401 and 403."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request of the matrix; `name` is the same in each run, and one of its operation's alone."""

    name: str
    request: Request
    expected: tuple[int, ...] = LET_IN


def cases(
    operation: Operation, model: Request, subject: ServiceUnderTest, credentials: Credentials
) -> Iterator[Case | NotRun]:
    """Return an operation's cases, signed now, and those that lack something to be made from.

    `model` is a request of the operation without credentials.
    """
    names: set[str] = set()
    if any(operation.security):
        for case in _Matrix(operation, model, subject, credentials).cases():
            if isinstance(case, NotRun) or case.name not in names:
                yield case
            if isinstance(case, Case):
                names.add(case.name)


def credentials_by_case(
    operation: Operation, model: Request, subject: ServiceUnderTest, credentials: Credentials
) -> dict[str, Case]:
    """Return an operation's cases by name, signed now."""
    found = cases(operation, model, subject, credentials)
    return {case.name: case for case in found if isinstance(case, Case)}


class _Matrix:
    """The cases of one operation."""

    def __init__(
        self, operation: Operation, model: Request, subject: ServiceUnderTest, credentials: Credentials
    ) -> None:
        self._operation, self._model, self._credentials = operation, model, credentials
        self._contract = subject.contract
        self._schemes = subject.contract.security_schemes
        self._requirements = [requirement for requirement in operation.security if requirement]
        self._optional = len(self._requirements) < len(operation.security)
        self._names = {name for requirement in self._requirements for name in requirement}

    def cases(self) -> Iterator[Case | NotRun]:
        yield Case("no credential", self._model, LET_IN if self._optional else UNAUTHENTICATED)
        for requirement in self._requirements:
            for name, scopes in requirement.items():
                yield from self._bad(requirement, name)
                yield from self._alone(requirement, name)
                if scopes and self._is_jwt(name):
                    yield from self._scoped(requirement, name)
        for identity in self._credentials.identities:
            yield from self._whole(identity)

    def _is_jwt(self, name: str) -> bool:
        return scheme_type(self._schemes[name]) in JWT_TYPES

    def _is_enough(self, shown: Iterable[str], scopes: Iterable[str] | None = None) -> bool:
        """Whether some requirement is met by these schemes, and by these scopes if any are given.

        A token meets every scheme that takes one.
        """
        met = set(shown)
        if any(map(self._is_jwt, met)):
            met |= {name for name in self._names if self._is_jwt(name)}
        return any(
            requirement.keys() <= met
            and (scopes is None or all(set(needed) <= set(scopes) for needed in requirement.values()))
            for requirement in self._requirements
        )

    def _somebody(self, requirement: SecurityRequirement, name: str) -> Identity | None:
        """Return who signs in with a scheme, best somebody who has the others of its requirement, too."""
        able = [
            identity
            for identity in self._credentials.identities
            if identity.signs_in
            and (name in identity.variables or (identity.claims is not None and self._is_jwt(name)))
        ]
        return min(
            able,
            key=lambda one: (
                not requirement.keys() <= self._credentials.of(one).keys(),
                self._operation.id in one.refused,
            ),
            default=None,
        )

    def _told(self, requirement: SecurityRequirement, name: str) -> str:
        """Return what a case's name has to say of schemes, where the operation has several."""
        beside = " and ".join(other for other in requirement if other != name)
        scheme = f" for {name}" if len(self._names) > 1 else ""
        return f"{scheme} beside {beside}" if beside else scheme

    def _bad(self, requirement: SecurityRequirement, name: str) -> Iterator[Case | NotRun]:
        """Show a bad credential of one scheme, and good ones of the others that are needed with it."""
        others = requirement.keys() - {name}
        if self._is_enough(others):
            return
        who = self._somebody(requirement, name)
        values = self._credentials.of(who, _scopes(requirement)) if who else {}
        beside = {other: values[other] for other in others & values.keys()}
        stage = AuthContext(
            carrying_all(self._model, self._contract, beside),
            self._schemes[name],
            name,
            self._mint(who, requirement, values.get(name)),
            values.get(name),
        )
        for presentation in presentations(stage):
            if presentation.is_silent and self._optional:
                continue  # showing nothing is allowed
            told = presentation.name.replace("{who}", who.name if who else "somebody")
            if others - beside.keys():
                missing = " and ".join(sorted(others - beside.keys()))
                yield NotRun(f"{told} ({name})", f"set a credential for {missing} of the same identity")
            else:
                yield from self._shown(
                    presentation, stage, f"{told}{self._told(requirement, name)}", f"{told} ({name})"
                )

    def _shown(
        self, presentation: CredentialVariant, stage: AuthContext, case: str, told: str
    ) -> Iterator[Case | NotRun]:
        try:
            request = presentation.show(stage)
        except CannotBuild as exc:
            yield NotRun(told, str(exc))
        else:
            if request is not None:
                yield Case(case, request, presentation.expected)

    def _mint(
        self, who: Identity | None, requirement: SecurityRequirement, token: str | None
    ) -> TokenFactory:
        signer, public_pem = self._credentials.signer, self._credentials.public_pem
        if who is None or who.claims is None:
            return TokenFactory(signer, public_pem, None, token)
        claims = self._credentials.claims(who, _scopes(requirement))
        own = who.claims if len(requirement) == 1 else {}  # another scheme may say who it is, too
        people = (one.claims for one in self._credentials.identities if one.signs_in)
        other = next((one for one in people if one and one != who.claims), {})
        return TokenFactory(signer, public_pem, claims, token, own, other)

    def _alone(self, requirement: SecurityRequirement, name: str) -> Iterator[Case | NotRun]:
        """Leave out one scheme of several that are needed together."""
        others = requirement.keys() - {name}
        if not others or self._optional or self._is_enough(others):
            return
        who = self._somebody(requirement, name)
        values = self._credentials.of(who, _scopes(requirement)) if who else {}
        case = f"no {name} beside {' and '.join(other for other in requirement if other != name)}"
        if others <= values.keys():
            shown = {other: values[other] for other in others}
            yield Case(case, carrying_all(self._model, self._contract, shown), UNAUTHENTICATED)
        else:
            yield NotRun(case, f"set a credential for {' and '.join(sorted(others))}")

    def _scoped(self, requirement: SecurityRequirement, name: str) -> Iterator[Case | NotRun]:
        """Show tokens that lack some scope, and one that has them all."""
        needed = sorted(_scopes(requirement))
        who = self._somebody(requirement, name)
        if who is None or who.claims is None or self._credentials.signer is None:
            yield NotRun(
                f"token without a scope ({name})", f"{NO_KEY}, and give an identity `claims` in {FILE}"
            )
            return
        values = self._credentials.of(who)
        for told, scopes in _scope_cases(needed):
            claims = {
                key: value for key, value in self._credentials.claims(who).items() if key not in SCOPE_CLAIMS
            }
            shown = {**values, name: self._credentials.signer.sign({**claims, "scope": " ".join(scopes)})}
            enough = self._is_enough(requirement, scopes)
            if requirement.keys() <= shown.keys() and not (enough and self._operation.id in who.refused):
                request = carrying_all(self._model, self._contract, {key: shown[key] for key in requirement})
                case = f"token of {who.name} {told}{self._told(requirement, name)}"
                yield Case(case, request, LET_IN if enough else FORBIDDEN)

    def _whole(self, identity: Identity) -> Iterator[Case | NotRun]:
        """Show all that an identity has for a requirement, each requirement for itself."""
        for requirement in self._requirements:
            scopes = () if identity.signs_in else _scopes(requirement)
            values = self._credentials.of(identity, scopes)
            beside = f" with {' and '.join(requirement)}" if len(self._requirements) > 1 else ""
            if requirement.keys() <= values.keys():
                shown = {name: values[name] for name in requirement}
                request = carrying_all(self._model, self._contract, shown)
                yield Case(f"{identity.name}{beside}", request, self._expected(identity, shown))
            elif reasons := [
                reason
                for name in requirement.keys() - values.keys()
                if (reason := self._missing(identity, name))
            ]:
                yield NotRun(f"{identity.name}{beside}", "; ".join(reasons))

    def _expected(self, identity: Identity, shown: Mapping[str, str]) -> tuple[int, ...]:
        if not identity.signs_in:
            return UNAUTHENTICATED
        claims = [claims_of(value) for name, value in shown.items() if self._is_jwt(name)]
        scopes = {scope for one in claims if one for scope in token_scopes(one)}
        is_lacking = bool(claims) and all(claims) and not self._is_enough(shown, scopes)
        return FORBIDDEN if is_lacking or self._operation.id in identity.refused else LET_IN

    def _missing(self, identity: Identity, name: str) -> str | None:
        """Say what would give an identity a credential; None for one that is not meant to have it."""
        if name in identity.variables:
            return f"set {identity.variables[name]}"
        return NO_KEY if identity.claims is not None and self._is_jwt(name) else None


def _scopes(requirement: SecurityRequirement) -> set[str]:
    return {scope for scopes in requirement.values() for scope in scopes}


def _scope_cases(needed: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield "without a scope", []
    yield "with another scope", ["scope-of-nothing"]
    if len(needed) > 1:
        for one in needed:
            yield f"without the scope {one}", [scope for scope in needed if scope != one]
    yield f"with the scope {' '.join(needed)}", needed
