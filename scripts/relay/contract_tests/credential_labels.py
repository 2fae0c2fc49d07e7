"""Determine which credential a request of Schemathesis carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from relay.contract.model import Contract

from .credentials import carrying
from .exchanges import Request

WRONG_CREDENTIAL = "a wrong credential"


class Labels:
    """Names the credential of a request: the default identity's, a wrong one, or none."""

    def __init__(self, contract: Contract, name: str, values: Mapping[str, str]) -> None:
        self._name = name
        self._right: dict[tuple[str, str], set[str]] = {}
        for scheme_name, scheme in contract.security_schemes.items():
            right = self._right.setdefault(_spot(scheme), set())
            if scheme_name in values:
                signed = carrying(Request("GET", "/"), scheme, values[scheme_name])
                right.add(_carried(signed, _spot(scheme)) or "")

    def of(self, request: Request) -> str | None:
        """Return the name of the identity, WRONG_CREDENTIAL, or None without a credential."""
        carried = {spot: _carried(request, spot) for spot in self._right}
        found = {spot: value for spot, value in carried.items() if value is not None}
        if not found:
            return None
        return (
            self._name
            if all(value in self._right[spot] for spot, value in found.items())
            else WRONG_CREDENTIAL
        )


def _spot(scheme: Mapping[str, Any]) -> tuple[str, str]:
    """Return where a scheme has its credential: the location, and the name there."""
    if scheme["type"] != "apiKey":
        return "header", "authorization"
    return scheme["in"], scheme["name"].lower() if scheme["in"] == "header" else scheme["name"]


def _carried(request: Request, spot: tuple[str, str]) -> str | None:
    location, name = spot
    if location == "query":
        pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    else:
        pairs = [(header.lower(), value) for header, value in request.headers]
    if location == "cookie":
        text = "; ".join(value for header, value in pairs if header == "cookie")
        pairs = [(key.strip(), value) for key, _, value in (one.partition("=") for one in text.split(";"))]
    return dict(pairs).get(name)
