"""Security: what credential was enough, and still is; a list of requirements, one of which is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.model import Contract, Operation, SecurityRequirement

from .changes import Difference
from .pointer_names import canonical


def compare_security(
    old: Operation, new: Operation, before: Contract, after: Contract
) -> Iterator[Difference]:
    """Tell whose credential is no longer enough; schemes are known by what they are, not by name."""
    was, at = _pointer(old, before), _pointer(new, after)
    names = _names(before, after)
    asked = [_in_old_names(requirement, names) for requirement in new.security]
    if _is_public(new):
        if not _is_public(old):
            yield Difference("security-removed", "no credential is needed any more", was, at)
        return
    if _is_public(old):
        yield Difference("security-added", f"it needs {_any_of(new.security)} now", was, at)
        return
    for held in old.security:
        if any(_is_enough(held, requirement) for requirement in asked):
            continue
        scopes = [scope for one in asked if one.keys() <= held.keys() for scope in _missing(held, one)]
        if scopes:
            told = f"{_all_of(held)} needs {', '.join(sorted(set(scopes)))} now"
            yield Difference("security-scope-added", told, was, at)
        else:
            yield Difference("security-requirement-removed", f"{_all_of(held)} is not enough now", was, at)
    for requirement, one in zip(new.security, asked, strict=True):
        if not any(_is_enough(one, held) for held in old.security):
            if any(held.keys() == one.keys() and list(_missing(one, held)) for held in old.security):
                yield Difference(
                    "security-scope-removed", f"{_all_of(requirement)} needs fewer scopes", was, at
                )
            else:
                yield Difference(
                    "security-requirement-added", f"{_all_of(requirement)} is enough now", was, at
                )


def compare_schemes(before: Contract, after: Contract) -> Iterator[tuple[str, Difference]]:
    """Tell of schemes that keep their name and are presented in another way; with the scheme's name."""
    for name, scheme in after.security_schemes.items():
        old = before.security_schemes.get(name)
        if old is not None and _presented(old) != _presented(scheme):
            at = ("components", "securitySchemes", name)
            what = f"it was {_told(old)}, and is {_told(scheme)} now"
            yield (
                name,
                Difference("security-scheme-changed", what, canonical(before, at), canonical(after, at)),
            )


def _presented(scheme: Mapping[str, Any]) -> list[str]:
    """Return what a client has to know to present a credential."""
    flows = sorted(
        f"{flow} {value.get('authorizationUrl', '')} {value.get('tokenUrl', '')}"
        for flow, value in scheme.get("flows", {}).items()
    )
    name = scheme.get("name", "")
    return [
        scheme["type"],
        scheme.get("in", ""),
        name.lower() if scheme.get("in") == "header" else name,
        scheme.get("scheme", "").lower(),
        scheme.get("openIdConnectUrl", ""),
        *flows,
    ]


def _told(scheme: Mapping[str, Any]) -> str:
    return " ".join(filter(None, _presented(scheme)))


def _names(before: Contract, after: Contract) -> dict[str, str]:
    """Map each new scheme to the old one that it is; the one of its own name first."""
    names: dict[str, str] = {}
    for name, scheme in after.security_schemes.items():
        alike = [
            old
            for old, known in before.security_schemes.items()
            if old not in after.security_schemes and _presented(known) == _presented(scheme)
        ]
        names[name] = name if name in before.security_schemes or not alike else alike[0]
    return names


def _in_old_names(requirement: SecurityRequirement, names: Mapping[str, str]) -> SecurityRequirement:
    return {names[name]: scopes for name, scopes in requirement.items()}


def _is_public(operation: Operation) -> bool:
    return not all(operation.security) or not operation.security


def _is_enough(held: SecurityRequirement, asked: SecurityRequirement) -> bool:
    """Whether whoever satisfies one requirement satisfies another."""
    return asked.keys() <= held.keys() and not list(_missing(held, asked))


def _missing(held: SecurityRequirement, asked: SecurityRequirement) -> Iterator[str]:
    for name, scopes in asked.items():
        yield from (scope for scope in scopes if scope not in held.get(name, []))


def _all_of(requirement: SecurityRequirement) -> str:
    return " with ".join(requirement)


def _any_of(requirements: tuple[SecurityRequirement, ...]) -> str:
    return " or ".join(map(_all_of, requirements))


def _pointer(operation: Operation, contract: Contract) -> tuple[str, ...]:
    """Return where an operation's security is written: with itself, or for all."""
    own = canonical(contract, operation.pointer)
    return (*own, "security")
