"""Checks for operations without security, unused security schemes and undefined scopes."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract
from relay.server.security import schemes_in_use

from .lint_rules import finding


def check_security(contract: Contract) -> Iterator[Diagnostic]:
    """Yield operations that are public without an explicit `security: []`, unused schemes and undefined scopes."""
    for operation in contract.operations:
        if not operation.security and "security" not in contract.raw(operation):
            inherits = "inherits `security: []`" if "security" in contract.document else "has no security"
            message = f"{operation} {inherits} and is public; name a scheme, or set `security: []` at the operation if this is intended"
            yield finding(contract, "unsecured-operation", operation.pointer, message)
        for name, scopes in ((name, scopes) for each in operation.security for name, scopes in each.items()):
            for scope in _unknown(contract, name, scopes):
                message = f"{operation} requires the scope '{scope}', which no flow of '{name}' defines; define it there"
                yield finding(contract, "undefined-scope", operation.pointer, message)
    used = schemes_in_use(contract)
    for name in contract.security_schemes:
        if name not in used:
            message = f"no operation requires the security scheme '{name}'; use it or remove it"
            pointer = ("components", "securitySchemes", name)
            yield finding(contract, "unused-security-scheme", pointer, message)


def _unknown(contract: Contract, name: str, scopes: list[str]) -> list[str]:
    """Return the scopes that an oauth2 scheme does not define; scopes of other schemes are not checked."""
    scheme = contract.security_schemes.get(name, {})
    if scheme.get("type") != "oauth2":
        return []
    defined = {scope for flow in scheme["flows"].values() for scope in flow.get("scopes", {})}
    return [scope for scope in scopes if scope not in defined]
