"""Compares security: which credentials were sufficient and still are. One requirement of a list is sufficient."""

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.model import Contract, Operation, SecurityRequirement

from .changes import Difference, Places
from .pointer_names import canonical
from .schema_diff import SchemaComparison

_ADDRESSES = (
    "authorizationUrl deviceAuthorizationUrl tokenUrl refreshUrl openIdConnectUrl oauth2MetadataUrl".split()
)


def compare_security(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Report credentials that are no longer sufficient; schemes are matched by their content, not only by name."""
    at = schemas.canonical(Places(old.pointer, new.pointer)) / "security"
    if _is_public(old) or _is_public(new):
        if not _is_public(old):
            yield Difference("security-removed", "a credential is no longer required", *at)
        elif not _is_public(new):
            any_of = " or ".join(map(_all_of, new.security))
            yield Difference("security-added", f"now requires {any_of}", *at)
        return
    names = _names(schemas.old, schemas.new)
    known = [({names[name]: scopes for name, scopes in one.items()}, _all_of(one)) for one in new.security]
    for held in old.security:
        if any(_is_sufficient(held, required) for required, _ in known):
            continue
        missing = {scope for one, _ in known if one.keys() <= held.keys() for scope in _missing(held, one)}
        if missing:
            what = f"{_all_of(held)} now requires {', '.join(sorted(missing))}"
            yield Difference("security-scope-added", what, *at)
        else:
            what = f"{_all_of(held)} is no longer sufficient"
            yield Difference("security-requirement-removed", what, *at)
    for required, name in known:
        if any(_is_sufficient(required, held) for held in old.security):
            continue
        if any(held.keys() == required.keys() and _missing(required, held) for held in old.security):
            yield Difference("security-scope-removed", f"{name} requires fewer scopes", *at)
        else:
            yield Difference("security-requirement-added", f"{name} is now sufficient", *at)


def compare_schemes(before: Contract, after: Contract) -> Iterator[tuple[str, Difference]]:
    """Yield schemes that keep their name but are sent, or obtained, in another way, with their name."""
    for name, new in after.security_schemes.items():
        old = before.security_schemes.get(name)
        if old is None:
            continue
        at = ("components", "securitySchemes", name)
        places = canonical(before, at), canonical(after, at)
        was, now = _wire_format(old), _wire_format(new)
        if was != now:
            what = f"changed from {' '.join(filter(None, was))} to {' '.join(filter(None, now))}"
            yield name, Difference("security-scheme-changed", what, *places)
        elif changed := sorted(_addresses(old) ^ _addresses(new)):
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


def _addresses(scheme: Mapping[str, Any]) -> set[tuple[str, str]]:
    owners = {"": scheme, **{f"{flow}.": value for flow, value in scheme.get("flows", {}).items()}}
    return {
        (f"{prefix}{key}", owner[key])
        for prefix, owner in owners.items()
        if isinstance(owner, dict)
        for key in _ADDRESSES
        if key in owner
    }


def _names(before: Contract, after: Contract) -> dict[str, str]:
    """Map the name of each new scheme to the equal old one; a scheme with the same name has priority."""
    names = {name: name for name in after.security_schemes}
    for name in after.security_schemes.keys() - before.security_schemes.keys():
        wire_format = _wire_format(after.security_schemes[name])
        alike = (
            old
            for old, known in before.security_schemes.items()
            if old not in after.security_schemes and _wire_format(known) == wire_format
        )
        names[name] = next(alike, name)
    return names


def _is_public(operation: Operation) -> bool:
    return not all(operation.security) or not operation.security


def _is_sufficient(held: SecurityRequirement, required: SecurityRequirement) -> bool:
    """Return True if a client that satisfies `held` also satisfies `required`."""
    return required.keys() <= held.keys() and not _missing(held, required)


def _missing(held: SecurityRequirement, required: SecurityRequirement) -> list[str]:
    return [scope for name, scopes in required.items() for scope in scopes if scope not in held.get(name, [])]


def _all_of(requirement: SecurityRequirement) -> str:
    return " with ".join(requirement)
