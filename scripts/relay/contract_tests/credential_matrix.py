"""Generate requests with every valid and invalid credential for an operation; they are built lazily."""

# One module: the cases of one operation exclude each other by the same requirements.

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from relay.contract.model import Operation, SecurityRequirement
from relay.server.security import JWT_TYPES, scheme_type, token_scopes

from .contract_config import FILE, Identity
from .credential_variants import UNAUTHENTICATED, credential_variants
from .credentials import Credentials, carrying_all, claims_of, is_possible
from .exchanges import Request
from .forged_tokens import BY_FUNCTION, NO_KEY, SCOPE_CLAIMS, UNSIGNED, AuthContext, CannotBuild
from .results import NotRun
from .service_under_test import MOCK, ServiceUnderTest

FORBIDDEN = (403,)
LET_IN = ()  # `expected` of a request that must be accepted: any status but 401 and 403
_ANY_CREDENTIAL = "without a package any credential is accepted; write `verifiers`"
_SAME_HEADER = "no request can carry them, as each needs the header Authorization; change the contract"


@dataclass(frozen=True, slots=True)
class Case:
    """One request of the matrix; `name` is the same in each run and unique within its operation."""

    name: str
    request: Request
    expected: tuple[int, ...] = LET_IN


def cases(
    operation: Operation, model: Request, subject: ServiceUnderTest, credentials: Credentials
) -> Iterator[Case | NotRun]:
    """Yield an operation's cases, signed now, and NotRun for those that cannot be built.

    `model` is a request of the operation without credentials.
    """
    names: set[str] = set()
    if any(operation.security):
        for case in _Matrix(operation, model, subject, credentials).cases():
            if isinstance(case, NotRun) or case.name not in names:
                yield case
            if isinstance(case, Case):
                names.add(case.name)


class _Matrix:
    """The cases of one operation."""

    def __init__(
        self, operation: Operation, model: Request, subject: ServiceUnderTest, credentials: Credentials
    ) -> None:
        self._operation, self._model, self._credentials = operation, model, credentials
        self._contract, self._mocked = subject.contract, subject.mocked
        self._by_function = subject.by_function
        self._schemes = subject.contract.security_schemes
        checked = map(subject.contract.with_checked_scopes, operation.security)
        needed = [requirement for requirement in checked if requirement]
        self._optional = len(needed) < len(operation.security)
        self._requirements = [one for one in needed if is_possible(one, subject.contract)]
        self._impossible = [one for one in needed if one not in self._requirements]
        self._names = {name for requirement in self._requirements for name in requirement}

    def cases(self) -> Iterator[Case | NotRun]:
        for requirement in self._impossible:
            yield NotRun(" and ".join(requirement), _SAME_HEADER)
        yield Case("no credential", self._model, LET_IN if self._optional else UNAUTHENTICATED)
        for requirement in self._requirements:
            for name, scopes in requirement.items():
                if not self._is_enough(requirement.keys() - {name}):
                    yield from self._invalid(requirement, name)
                    yield from self._incomplete(requirement, name)
                if scopes and self._is_jwt(name) and not self._accepts_any(name):
                    yield from self._scoped(requirement, name)
        for identity in self._credentials.identities:
            for requirement in self._requirements:
                yield from self._complete(identity, requirement)

    def _is_jwt(self, name: str) -> bool:
        return scheme_type(self._schemes[name]) in JWT_TYPES

    def _is_enough(self, shown: Iterable[str], scopes: Iterable[str] | None = None) -> bool:
        """Return True if these schemes meet a requirement, and these scopes too, unless they are None.

        One token meets every scheme that takes a token.
        """
        met = set(shown)
        if any(map(self._is_jwt, met)):
            met |= {name for name in self._names if self._is_jwt(name)}
        return any(
            requirement.keys() <= met and (scopes is None or _scopes(requirement) <= set(scopes))
            for requirement in self._requirements
        )

    def _accepts_any(self, name: str) -> bool:
        schemes = self._mocked.schemes
        return name in schemes or any(requirement.keys() <= schemes for requirement in self._requirements)

    def _identity_for(
        self, requirement: SecurityRequirement, name: str
    ) -> tuple[Identity | None, dict[str, str]]:
        """Return an identity with a credential for a scheme, preferably for the whole requirement, and its credentials."""
        candidates = [
            identity
            for identity in self._credentials.identities
            if identity.signs_in
            and (name in identity.variables or (identity.claims is not None and self._is_jwt(name)))
        ]
        who = min(
            candidates,
            key=lambda one: (
                not requirement.keys() <= self._credentials.of(one).keys(),
                self._operation.id in one.refused,
            ),
            default=None,
        )
        return who, self._credentials.of(who, _scopes(requirement)) if who else {}

    def _carrying(self, values: Mapping[str, str]) -> Request:
        return carrying_all(self._model, self._contract, values)

    def _scheme_suffix(self, requirement: SecurityRequirement, name: str) -> str:
        """Return the schemes for a case's name, if the operation has several."""
        others = " and ".join(other for other in requirement if other != name)
        scheme = f" for {name}" if len(self._names) > 1 else ""
        return f"{scheme}, valid {others}" if others else scheme

    def _invalid(self, requirement: SecurityRequirement, name: str) -> Iterator[Case | NotRun]:
        """Yield cases with an invalid credential for one scheme, and valid ones for the others of the requirement."""
        if self._accepts_any(name):
            yield NotRun(f"invalid credentials ({name})", _ANY_CREDENTIAL)
            return
        who, values = self._identity_for(requirement, name)
        others = requirement.keys() - {name}
        missing = " and ".join(sorted(others - values.keys()))
        context = self._context(requirement, name, who, values)
        for variant in credential_variants(context):
            if variant.is_absent and self._optional:
                continue  # no credential is allowed
            case = variant.name.replace("{who}", who.name if who else "somebody")
            if missing:
                yield NotRun(f"{case} ({name})", f"set a credential for {missing} of the same identity")
                continue
            try:
                request = variant.build(context)
            except CannotBuild as exc:
                yield NotRun(f"{case} ({name})", str(exc))
            else:
                if request is not None:
                    yield Case(f"{case}{self._scheme_suffix(requirement, name)}", request, variant.expected)

    def _context(
        self, requirement: SecurityRequirement, name: str, who: Identity | None, values: Mapping[str, str]
    ) -> AuthContext:
        others = {other: values[other] for other in requirement if other != name and other in values}
        is_function = name in self._by_function
        claims = who.claims if who else None
        signed = self._credentials.claims(who, _scopes(requirement)) if who and claims is not None else None
        is_caller = len(requirement) == 1 and not self._mocked.is_alone
        people = (one.claims for one in self._credentials.identities if one.signs_in)
        return AuthContext(
            self._carrying(others),
            self._schemes[name],
            name,
            values.get(name),
            signer=None if is_function else self._credentials.signer,
            public_pem=None if is_function else self._credentials.public_pem,
            known_claims=signed,
            own=claims if claims and is_caller else {},  # another scheme may also identify the caller
            other=next((one for one in people if one and one != claims), {}) if claims is not None else {},
            is_function=is_function,
        )

    def _incomplete(self, requirement: SecurityRequirement, name: str) -> Iterator[Case | NotRun]:
        others = [other for other in requirement if other != name]
        if not others or self._optional:
            return
        _, values = self._identity_for(requirement, name)
        case = f"no {name}, valid {' and '.join(others)}"
        if values.keys() >= set(others):
            request = self._carrying({other: values[other] for other in others})
            yield Case(case, request, UNAUTHENTICATED)
        else:
            yield NotRun(case, f"set a credential for {' and '.join(sorted(others))}")

    def _scoped(self, requirement: SecurityRequirement, name: str) -> Iterator[Case | NotRun]:
        who, _ = self._identity_for(requirement, name)
        signer = self._credentials.signer
        if name in self._by_function:
            yield NotRun(f"token without a scope ({name})", UNSIGNED)
        elif who is None or who.claims is None or signer is None:
            reason = f"{NO_KEY}, and give an identity `claims` in {FILE}"
            yield NotRun(f"token without a scope ({name})", reason)
        elif requirement.keys() <= {name, *(values := self._credentials.of(who))}:
            claims = self._credentials.claims(who)
            plain = {key: value for key, value in claims.items() if key not in SCOPE_CLAIMS}
            for scope_text, scopes in _scope_cases(sorted(_scopes(requirement))):
                shown = {**values, name: signer.sign({**plain, "scope": " ".join(scopes)})}
                enough = self._is_enough(requirement, scopes)
                if not (enough and self._operation.id in who.refused):
                    case = f"token of {who.name} {scope_text}{self._scheme_suffix(requirement, name)}"
                    request = self._carrying({key: shown[key] for key in requirement})
                    yield Case(case, request, LET_IN if enough else FORBIDDEN)

    def _complete(self, identity: Identity, requirement: SecurityRequirement) -> Iterator[Case | NotRun]:
        values = self._credentials.of(identity, () if identity.signs_in else _scopes(requirement))
        suffix = f" with {' and '.join(requirement)}" if len(self._requirements) > 1 else ""
        reasons = [self._missing(identity, name) for name in requirement.keys() - values.keys()]
        if self._is_unknown(identity, requirement):
            yield NotRun(f"{identity.name}{suffix}", MOCK)
        elif not reasons:
            shown = {name: values[name] for name in requirement}
            yield Case(f"{identity.name}{suffix}", self._carrying(shown), self._expected(identity, shown))
        elif any(reasons):
            yield NotRun(f"{identity.name}{suffix}", "; ".join(filter(None, reasons)))

    def _is_unknown(self, identity: Identity, requirement: SecurityRequirement) -> bool:
        is_lax = self._mocked.is_alone or bool(requirement.keys() & self._mocked.schemes)
        is_refused = self._operation.id in identity.refused
        is_mocked = self._operation.id in self._mocked.operations
        return (is_refused and is_mocked) or (not identity.signs_in and is_lax)

    def _expected(self, identity: Identity, shown: Mapping[str, str]) -> tuple[int, ...]:
        if not identity.signs_in:
            return UNAUTHENTICATED
        claims = [claims_of(value) for name, value in shown.items() if self._is_jwt(name)]
        scopes = {scope for one in claims if one for scope in token_scopes(one)}
        is_lacking = bool(claims) and all(claims) and not self._is_enough(shown, scopes)
        return FORBIDDEN if is_lacking or self._operation.id in identity.refused else LET_IN

    def _missing(self, identity: Identity, name: str) -> str | None:
        """Return what to set for an identity's missing credential; None if it is not meant to have one."""
        if name in identity.variables:
            return f"set {identity.variables[name]}"
        if identity.claims is None or not self._is_jwt(name):
            return None
        return BY_FUNCTION if name in self._by_function else NO_KEY


def _scopes(requirement: SecurityRequirement) -> set[str]:
    return {scope for scopes in requirement.values() for scope in scopes}


def _scope_cases(needed: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield "without a scope", []
    yield "with another scope", ["scope-of-nothing"]
    if len(needed) > 1:
        for one in needed:
            yield f"without the scope {one}", [scope for scope in needed if scope != one]
    yield f"with the scope {' '.join(needed)}", needed
