"""Where a request comes from, also behind proxies: the client's address, and the scheme and host that it used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

from relay.validation.http import HeaderList, header
from relay.validation.media_types import elements, parameters

_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
_HOST = re.compile(r"[A-Za-z0-9._~:\[\]-]+")


class Origin(NamedTuple):
    """The client's address, if it has one, and the scheme and host that it addressed."""

    address: str | None
    scheme: str
    host: str


class TrustedProxies:
    """The proxies whose word is taken for where a request comes from, by their addresses and networks.

    The fields X-Forwarded-For, -Proto and -Host are read, or Forwarded (RFC 7239) if there are none of them. They are
    read from the right, as each proxy adds to the right; the first address that is no trusted proxy's is the client's.
    What stands left of it comes from the client, and may be anything.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = [ip_network(one) for one in networks]

    def origin(self, scope: Mapping[str, Any]) -> Origin:
        """Return where an ASGI request comes from."""
        headers: HeaderList = scope["headers"]
        peer = scope.get("client")
        origin = Origin(
            peer[0] if peer else None, scope.get("scheme", "http"), header(headers, b"host") or ""
        )
        if not self._networks or not self._trusts(origin.address):
            return origin
        fields = [header(headers, b"x-forwarded-" + name) for name in (b"for", b"proto", b"host")]
        if any(one is not None for one in fields):
            addresses, schemes, hosts = (_listed(one or "") for one in fields)
            origin = _with(origin, "".join(schemes[-1:]), "".join(hosts[-1:]))
            hops = [{"for": one} for one in addresses]
        else:
            listed = elements(header(headers, b"forwarded") or "")
            hops = [dict(parameters(f";{one}")[1]) for one in listed]
        return self._before(origin, hops)

    def sent(self, scope: Mapping[str, Any]) -> bool:
        """Return True for an ASGI request whose connection is that of a trusted proxy."""
        peer = scope.get("client")
        return self._trusts(peer[0] if peer else None)

    def _before(self, origin: Origin, hops: Sequence[Mapping[str, str]]) -> Origin:
        """Follow the hops that proxies have added, from the last one to the first that no trusted proxy added."""
        for hop in reversed(hops):
            origin = _with(origin, hop.get("proto", ""), hop.get("host", ""))
            address = _address(hop.get("for", ""))
            if address is None:
                break
            origin = origin._replace(address=address)
            if not self._trusts(address):
                break
        return origin

    def _trusts(self, address: str | None) -> bool:
        found = _parsed(address or "")
        return found is not None and any(found in network for network in self._networks)


def _listed(field: str) -> list[str]:
    """Return the elements of a field that knows no quoted strings, so that a quote cannot hide what follows."""
    return [one for part in field.split(",") if (one := part.strip())]


def _with(origin: Origin, scheme: str, host: str) -> Origin:
    """Return an origin with a scheme and a host, where they are valid."""
    if scheme.lower() in ("http", "https"):
        origin = origin._replace(scheme=scheme.lower())
    return origin._replace(host=host) if _HOST.fullmatch(host) else origin


def _address(text: str) -> str | None:
    """Return an address without port and brackets; None for `unknown`, a hidden name and what is no address."""
    match = _WITH_PORT.fullmatch(text)
    found = _parsed((match[1] or match[2]) if match else text)
    return None if found is None else str(found)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address; one of IPv4 that is written as IPv6 is IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
