"""Security schemes of type `mutualTLS`: the proxy that ends TLS passes the client's certificate on (RFC 9440)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract

from .errors import Unauthenticated
from .proxies import TrustedProxies
from .security import Claims, ScopedVerifier, Verify, VerifyRequest, scheme_type, schemes_in_use


class FromTrustedProxy:
    """Verifies the certificate of a client, which only a trusted proxy may send: anybody can write a header."""

    def __init__(self, verifier: Verify | ScopedVerifier, proxies: TrustedProxies) -> None:
        self._verifier = verifier
        self._proxies = proxies

    def requiring(self, scopes: Sequence[str]) -> VerifyRequest:
        """Return the verifier for a security requirement."""
        verifier = self._verifier
        of_request = verifier.requiring(scopes) if isinstance(verifier, ScopedVerifier) else None

        async def verify(credential: str, scope: Any) -> Claims:
            if scope is None or not self._proxies.sent(scope) or not _is_binary(credential):
                raise Unauthenticated(reason="refused")
            certificate = credential[1:-1]
            if of_request is not None:
                return await of_request(certificate, scope)
            assert not isinstance(verifier, ScopedVerifier)
            if not (claims := await verifier(certificate)):
                raise Unauthenticated(reason="refused")
            return claims

        return verify


def _is_binary(value: str) -> bool:
    """Return True for a byte sequence of structured fields: base64 between colons (RFC 9651 section 3.3.5)."""
    return len(value) > 2 and value[0] == value[-1] == ":"


def from_proxies(
    verifiers: Mapping[str, Verify | ScopedVerifier], contract: Contract, networks: Sequence[str]
) -> dict[str, FromTrustedProxy]:
    """Return the verifiers of client certificates that take them only from some proxies; none without proxies."""
    proxies = TrustedProxies(networks)
    names = [name for name in verifiers if _is_mutual(contract, name)] if networks else []
    return {name: FromTrustedProxy(verifiers[name], proxies) for name in names}


def certificate_problems(contract: Contract, networks: Sequence[str]) -> list[Diagnostic]:
    """Report that client certificates are needed where no proxy is trusted to send them."""
    names = [name for name in schemes_in_use(contract) if _is_mutual(contract, name)]
    if not names or networks:
        return []
    message = f"missing: the contract's security scheme {', '.join(names)} is mutual TLS; set the addresses of the proxies that end TLS and send Client-Cert (RFC 9440)"
    return [Diagnostic("RELAY_TRUSTED_PROXIES", message)]


def _is_mutual(contract: Contract, name: str) -> bool:
    return name in contract.security_schemes and scheme_type(contract.security_schemes[name]) == "mutualTLS"
