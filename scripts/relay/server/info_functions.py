"""Verifiers that a contract names at its security schemes, called as Connexion 3 calls them.

`x-bearerInfoFunc` gets the token, `x-basicInfoFunc` the user and the password, `x-apikeyInfoFunc` the key and
`x-tokenInfoFunc` the token of oauth2; each gets `required_scopes` and `request`, too, if it takes them. The function returns
the claims; None is a 401. An environment variable names the function of all schemes of a kind that name none.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract

from .errors import Forbidden, Unauthenticated
from .framework import ConnexionRequest
from .handler_modules import NamedFunctions
from .security import JWT_TYPES, Claims, Requiring, VerifyRequest, scheme_type, schemes_in_use, token_schemes
from .threads import Function, Threads, accepting


class _Kind(NamedTuple):
    """How one type of security scheme names its function, and what of a credential the function gets."""

    key: str
    variable: str
    arguments: Callable[[str], Sequence[str]] = lambda credential: (credential,)
    has_scopes: bool = False


def _after_bearer(credential: str) -> Sequence[str]:
    """Return the token of an API key that is an Authorization header (`x-authentication-scheme: Bearer`)."""
    scheme, _, token = credential.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return (token.strip(),)


_BEARER = _Kind("x-bearerInfoFunc", "BEARERINFO_FUNC")
_KINDS = {
    "http bearer": _BEARER,
    "http basic": _Kind(
        "x-basicInfoFunc", "BASICINFO_FUNC", lambda credential: credential.partition(":")[::2]
    ),
    "apiKey": _Kind("x-apikeyInfoFunc", "APIKEYINFO_FUNC"),
    "oauth2": _Kind("x-tokenInfoFunc", "TOKENINFO_FUNC", has_scopes=True),
}
_SCOPES = _Kind("x-scopeValidateFunc", "SCOPEVALIDATE_FUNC")
_URL = _Kind("x-tokenInfoUrl", "TOKENINFO_URL")


def _kind_of(scheme: Mapping[str, Any]) -> _Kind | None:
    if scheme["type"] == "apiKey" and str(scheme.get("x-authentication-scheme")).lower() == "bearer":
        return _BEARER._replace(arguments=_after_bearer)
    return _KINDS.get(scheme_type(scheme))


def _value(scheme: Mapping[str, Any], kind: _Kind) -> tuple[str, str] | None:
    sources = (scheme, kind.key), (os.environ, kind.variable)
    return next(((str(path), name) for source, name in sources if (path := source.get(name))), None)


@dataclass(frozen=True, slots=True)
class InfoFunction:
    """A function that gets `arguments` of a credential; `validate_scopes` compares scopes, if it is set."""

    function: Function
    arguments: Callable[[str], Sequence[str]]
    validate_scopes: Function | None = None


def info_verifier(info: InfoFunction, threads: Threads) -> Requiring:
    """Return a verifier that calls an info function as Connexion does; plain functions run in `threads`."""
    call = threads.as_async(info.function)
    validate = None if info.validate_scopes is None else threads.as_async(info.validate_scopes)
    accepts = accepting(info.function)

    def verifier_of(scopes: Sequence[str], _checked: frozenset[str]) -> VerifyRequest:
        given: dict[str, Any] = {"required_scopes": list(scopes)} if accepts("required_scopes") else {}

        async def verify(credential: str, scope: Any) -> Claims:
            options = {**given, "request": ConnexionRequest(scope)} if accepts("request") else given  # type: ignore[no-untyped-call]  # Connexion ships no types
            claims = await _refusing(call, *info.arguments(credential), **options)
            if claims is None:
                raise Unauthenticated(reason="refused")
            if validate is not None:
                granted = claims.get("scope", claims.get("scopes", ""))
                if not await _refusing(validate, list(scopes), granted):
                    raise Forbidden
            return dict(claims)

        return verify

    return verifier_of


async def _refusing(call: Callable[..., Awaitable[Any]], *positional: Any, **named: Any) -> Any:
    """Call a function; an exception with the status 401 or 403 refuses the credential, as Connexion's OAuthProblem."""
    try:
        return await call(*positional, **named)
    except Exception as exc:
        status = getattr(exc, "status_code", getattr(exc, "code", None))
        if status == Unauthenticated.status:
            raise Unauthenticated(reason="refused") from exc
        if status == Forbidden.status:
            raise Forbidden from exc
        raise


def has_scopes(required: Sequence[str], granted: str | Sequence[str]) -> bool:
    """Return True if all required scopes are granted, in a list or separated by blanks."""
    return {*required} <= {*(granted.split() if isinstance(granted, str) else granted)}


def info_functions(
    contract: Contract, verified: Collection[str], functions: NamedFunctions, *, has_key: bool
) -> tuple[dict[str, InfoFunction], list[Diagnostic]]:
    """Return the verifiers, by scheme, of what is neither `verified` nor has a key; and their problems."""
    found: dict[str, InfoFunction] = {}
    problems: list[Diagnostic] = []
    for name in schemes_in_use(contract):
        scheme = contract.security_schemes[name]
        if name in verified or (has_key and scheme_type(scheme) in JWT_TYPES):
            continue
        try:
            if (function := _info_function(name, scheme, contract, functions)) is not None:
                found[name] = function
        except SetupError as exc:
            problems += exc.problems
    return found, problems


def replaced_functions(contract: Contract, verified: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the schemes of tokens whose function a key replaces, and where it is named; not those that are `verified`."""
    for name in sorted(token_schemes(contract) - {*verified}):
        scheme = contract.security_schemes[name]
        kind = _kind_of(scheme)
        if kind is not None and (found := _value(scheme, kind)) is not None:
            yield name, found[1]


def _info_function(
    name: str, scheme: Mapping[str, Any], contract: Contract, functions: NamedFunctions
) -> InfoFunction | None:
    """Return the verifier that a security scheme names; None if it names none. Raises SetupError."""
    kind = _kind_of(scheme)
    if kind is None:
        return None
    where = contract.place(("components", "securitySchemes", name))

    def named(kind: _Kind) -> Function | None:
        if (found := _value(scheme, kind)) is None:
            return None
        path, source = found
        if (function := functions.find(path, where)) is None:
            message = f"{source} names '{path}', which is not there; {functions.missing(path)}"
            raise SetupError([Diagnostic(where, message, "unverified-scheme")])
        return function

    if (function := named(kind)) is not None:
        validate = (named(_SCOPES) or has_scopes) if kind.has_scopes else None
        return InfoFunction(function, kind.arguments, validate)
    if scheme["type"] == "oauth2" and (url := _value(scheme, _URL)) is not None:  # Connexion would call it
        message = (
            f"{url[1]} of the security scheme '{name}' is not called: name a function in x-tokenInfoFunc, which may "
            "call it, or set the key of the tokens (RELAY_JWT_JWKS, RELAY_JWT_PUBLIC_KEY or RELAY_JWT_SECRET)"
        )
        raise SetupError([Diagnostic(where, message, "unverified-scheme")])
    return None
