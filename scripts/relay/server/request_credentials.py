"""Read the credentials of a request: the Authorization header, API keys, and the certificate that a proxy passes on."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from relay.validation.http import HeaderList, cookies
from relay.validation.raw_texts import urlencoded

from .errors import Unauthenticated

Extract = Callable[[HeaderList, bytes], str | None]
"""Returns the credential that a request's headers and query contain; None if there is none."""

T = TypeVar("T", str, bytes)

CLIENT_CERTIFICATE = "Client-Cert"
"""The header with the certificate of a client, from the proxy that ends TLS (RFC 9440)."""

MAX_CREDENTIAL = 8192  # bytes; decoding a token of several megabytes takes a second

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)  # RFC 6750 section 2.1, b64token


def extractor(kind: str, scheme: Mapping[str, Any]) -> Extract:
    """Return what reads the credential of a security scheme, whose kind is as `security.scheme_type` names it."""
    match kind:
        case "apiKey":
            return _api_key(scheme["in"], scheme["name"])
        case "mutualTLS":
            return _api_key("header", CLIENT_CERTIFICATE)
        case "http basic":
            return lambda headers, _query: _basic(_authorization(headers, "basic"))
        case _ if kind.startswith("http ") and kind != "http bearer":
            return lambda headers, _query: _authorization(headers, kind.removeprefix("http "))
        case _:
            return lambda headers, _query: _bearer(headers)


def _authorization(headers: HeaderList, scheme: str) -> str | None:
    """Return the credential of the Authorization header; None for another scheme."""
    value = _only([value for name, value in headers if name == b"authorization"]) or b""
    name, _, credential = value.decode("latin-1").strip().partition(" ")
    return credential.strip() if name.lower() == scheme else None


def _bearer(headers: HeaderList) -> str | None:
    token = _authorization(headers, "bearer")
    if token is not None and not _TOKEN.fullmatch(token):
        raise Unauthenticated
    return token


def _basic(encoded: str | None) -> str | None:
    """Return `user:password` (RFC 7617 section 2)."""
    try:
        return None if encoded is None else base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise Unauthenticated from exc


def _api_key(location: str, name: str) -> Extract:
    key = name.lower().encode()

    def in_header(headers: HeaderList, _query: bytes) -> str | None:
        value = _only([value for header, value in headers if header == key])
        return None if value is None else value.decode("latin-1")

    def in_query(_headers: HeaderList, query: bytes) -> str | None:
        try:
            return _only(urlencoded(query, refuses_nul=True).texts.get(name, []))
        except ValueError as exc:
            raise Unauthenticated from exc

    def in_cookie(headers: HeaderList, _query: bytes) -> str | None:
        return _only(cookies(headers).get(name, []))

    return {"header": in_header, "query": in_query, "cookie": in_cookie}[location]


def _only(values: list[T]) -> T | None:
    """Return the only credential, or None; raise Unauthenticated for several, or if it is too long."""
    if len(values) > 1:
        raise Unauthenticated(reason="ambiguous")
    if values and len(values[0]) > MAX_CREDENTIAL:
        raise Unauthenticated(reason="too-long")
    return values[0] if values else None
