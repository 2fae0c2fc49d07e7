"""Compares security: which credentials were sufficient and still are. One requirement of a list is sufficient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.model import Contract, Operation, SecurityRequirement

from .changes import Difference
from .pointer_names import canonical


def compare_security(
    old: Operation, new: Operation, before: Contract, after: Contract
) -> Iterator[Difference]:
    """Report credentials that are no longer sufficient; schemes are matched by their content, not only by name."""
    old_at, new_at = _pointer(old, before), _pointer(new, after)
    names = _names(before, after)
    required = [_with_old_names(requirement, names) for requirement in new.security]
    if _is_public(new):
        if not _is_public(old):
            yield Difference("security-removed", "a credential is no longer required", old_at, new_at)
        return
    if _is_public(old):
        yield Difference("security-added", f"now requires {_any_of(new.security)}", old_at, new_at)
        return
    for held in old.security:
        if any(_is_sufficient(held, requirement) for requirement in required):
            continue
        scopes = [scope for one in required if one.keys() <= held.keys() for scope in _missing(held, one)]
        if scopes:
            what = f"{_all_of(held)} now requires {', '.join(sorted(set(scopes)))}"
            yield Difference("security-scope-added", what, old_at, new_at)
        else:
            yield Difference(
                "security-requirement-removed", f"{_all_of(held)} is no longer sufficient", old_at, new_at
            )
    for requirement, one in zip(new.security, required, strict=True):
        if not any(_is_sufficient(one, held) for held in old.security):
            if any(held.keys() == one.keys() and list(_missing(one, held)) for held in old.security):
                yield Difference(
                    "security-scope-removed", f"{_all_of(requirement)} requires fewer scopes", old_at, new_at
                )
            else:
                yield Difference(
                    "security-requirement-added", f"{_all_of(requirement)} is now sufficient", old_at, new_at
                )


def compare_schemes(before: Contract, after: Contract) -> Iterator[tuple[str, Difference]]:
    """Yield schemes that keep their name but are sent, or obtained, in another way, with their name."""
    for name, scheme in after.security_schemes.items():
        old = before.security_schemes.get(name)
        if old is None:
            continue
        at = ("components", "securitySchemes", name)
        places = canonical(before, at), canonical(after, at)
        if _wire_format(old) != _wire_format(scheme):
            what = f"changed from {_description(old)} to {_description(scheme)}"
            yield name, Difference("security-scheme-changed", what, *places)
        elif changed := sorted(_addresses(old) ^ _addresses(scheme)):
            keys = dict.fromkeys(key for key, _ in changed)
            yield name, Difference("security-url-changed", f"{' and '.join(keys)} changed", *places)


def _wire_format(scheme: Mapping[str, Any]) -> list[str]:
    """Return the facts that a client needs to send a credential."""
    name = scheme.get("name", "")
    return [
        scheme["type"],
        scheme.get("in", ""),
        name.lower() if scheme.get("in") == "header" else name,
        scheme.get("scheme", "").lower(),
        *sorted(scheme.get("flows", {})),
    ]


_ADDRESSES = (
    "authorizationUrl",
    "deviceAuthorizationUrl",
    "tokenUrl",
    "refreshUrl",
    "openIdConnectUrl",
    "oauth2MetadataUrl",
)


def _addresses(scheme: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return where a client obtains a credential: `authorizationCode.tokenUrl`, and the address."""
    owners = {"": scheme, **{f"{flow}.": value for flow, value in scheme.get("flows", {}).items()}}
    return {
        (f"{prefix}{key}", owner[key])
        for prefix, owner in owners.items()
        if isinstance(owner, dict)
        for key in _ADDRESSES
        if key in owner
    }


def _description(scheme: Mapping[str, Any]) -> str:
    return " ".join(filter(None, _wire_format(scheme)))


def _names(before: Contract, after: Contract) -> dict[str, str]:
    """Map the name of each new scheme to the equal old one; a scheme with the same name has priority."""
    names: dict[str, str] = {}
    for name, scheme in after.security_schemes.items():
        alike = [
            old
            for old, known in before.security_schemes.items()
            if old not in after.security_schemes and _wire_format(known) == _wire_format(scheme)
        ]
        names[name] = name if name in before.security_schemes or not alike else alike[0]
    return names


def _with_old_names(requirement: SecurityRequirement, names: Mapping[str, str]) -> SecurityRequirement:
    return {names[name]: scopes for name, scopes in requirement.items()}


def _is_public(operation: Operation) -> bool:
    return not all(operation.security) or not operation.security


def _is_sufficient(held: SecurityRequirement, required: SecurityRequirement) -> bool:
    """Return True if a client that satisfies `held` also satisfies `required`."""
    return required.keys() <= held.keys() and not list(_missing(held, required))


def _missing(held: SecurityRequirement, required: SecurityRequirement) -> Iterator[str]:
    for name, scopes in required.items():
        yield from (scope for scope in scopes if scope not in held.get(name, []))


def _all_of(requirement: SecurityRequirement) -> str:
    return " with ".join(requirement)


def _any_of(requirements: tuple[SecurityRequirement, ...]) -> str:
    return " or ".join(map(_all_of, requirements))


def _pointer(operation: Operation, contract: Contract) -> tuple[str, ...]:
    """Return the pointer of an operation's security."""
    own = canonical(contract, operation.pointer)
    return (*own, "security")
