"""Verifies JSON Web Tokens (RFC 7519) with PyJWT, as RFC 8725 recommends, and what PyJWT does not check.

It is one module because the checks of a token are one list, in the order in which they may be trusted.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jwt
import orjson
from jwt.algorithms import HMACAlgorithm
from jwt.utils import base64url_decode, force_bytes

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.project.project import variable
from relay.project.settings import Settings, token_keys
from relay.validation.errors import ApiError
from relay.validation.json_strict import NotJson, parse_json

from .errors import Unauthenticated
from .keys import Key, KeyProblem, Keys, KeySet, public_key, secret_key

MAX_CACHED = 2048  # number of tokens; the claims of one take 6 KB at most, rarely more than 500 bytes
MAX_KID = 256  # characters

_TYPES = frozenset(["jwt", "at+jwt"])  # RFC 7519 section 5.1, RFC 9068 section 2.1
_LAST_TIME = 253402300799  # the end of the year 9999, the maximum of most libraries

# RFC 7515 section 2: base64url without padding; the unused bits of the last character must be zero.
_SEGMENT = r"(?:[\w-]{4})*+(?:[\w-]{2}[AEIMQUYcgkosw048]|[\w-][AQgw])?"
_COMPACT = re.compile(rf"({_SEGMENT})\.{_SEGMENT}\.{_SEGMENT}", re.ASCII)

# Unsupported extensions (RFC 7515 section 4.1.11, RFC 7797), and headers of encrypted tokens
# (RFC 7516 section 4.1).
_UNSUPPORTED = frozenset(["crit", "b64", "enc", "zip"])

_REASONS: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "not-yet-valid",
    jwt.InvalidSignatureError: "signature",
    jwt.InvalidAlgorithmError: "algorithm",
    jwt.InvalidIssuerError: "issuer",
    jwt.InvalidAudienceError: "audience",
}
_MISSING = {"iss": "issuer", "aud": "audience"}


class Verified(NamedTuple):
    """A verified token: its claims as JSON, the key that verified it, and its times."""

    claims: bytes
    kid: str | None
    key: Key
    not_before: float  # Unix time
    expires: float
    evict_at: float  # seconds of the monotonic clock


def fingerprint(token: str) -> bytes:
    """Return the cache key of a token; a hash, so that a memory dump of the cache contains no usable tokens."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


@dataclass(eq=False, repr=False)
class TokenCache:
    """Recently verified tokens, for `seconds` and within their times, with clocks `leeway` seconds apart."""

    _seconds: float
    _leeway: float
    _tokens: OrderedDict[bytes, Verified] = field(default_factory=OrderedDict)

    def get(self, mark: bytes) -> Verified | None:
        """Return the entry of a token, or None; the caller must check that its key is still valid."""
        found, now, leeway = self._tokens.get(mark), time.time(), self._leeway
        if found is None or time.monotonic() >= found.evict_at:
            return None
        return found if found.not_before <= now + leeway and now - leeway < found.expires else None

    def put(self, mark: bytes, claims: Mapping[str, Any], kid: str | None, key: Key) -> None:
        """Cache a verified token, unless its claims cannot be serialised exactly."""
        if not self._seconds:
            return
        try:
            written = orjson.dumps(claims)
        except orjson.JSONEncodeError:  # an integer over 64 bits
            return
        not_before = max(claims.get("nbf", 0), claims.get("iat", 0))
        evict_at = time.monotonic() + self._seconds
        self._tokens[mark] = Verified(written, kid, key, not_before, claims["exp"], evict_at)
        if len(self._tokens) > MAX_CACHED:
            self._tokens.popitem(last=False)


class TokenVerifier:
    """Verifies JWTs with one family of keys, as the settings ask, and caches their claims."""

    def __init__(self, keys: Keys, settings: Settings) -> None:
        self._keys = keys
        self._settings = settings
        self._types = _TYPES if settings.jwt_type is None else {_media_type(settings.jwt_type)}
        named = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
        required = ["exp", *(name for name, value in named.items() if value)]
        # Without a configured audience, PyJWT rejects a token that has one: it is for another service.
        self._options: Any = {"require": required, "enforce_minimum_key_length": True}
        self._jwt = _Jwt()
        self._cache = TokenCache(settings.jwt_cache_seconds, settings.jwt_leeway)

    async def __call__(self, token: str) -> dict[str, Any]:
        """Return the token's claims. Raises Unauthenticated, with the reason, and KeysUnavailable."""
        mark = fingerprint(token)
        cached = self._cache.get(mark)
        if cached is not None and await self._keys.key_for(cached.kid) == cached.key:
            return orjson.loads(cached.claims)  # type: ignore[no-any-return]  # only objects are cached
        kid = self._check_header(_header(token))
        key = await self._keys.key_for(kid)
        if key is None:
            raise Unauthenticated(reason="unknown-key")
        claims = self._verify(token, key)
        self._cache.put(mark, claims, kid, key)
        return claims

    async def check(self) -> list[str]:
        """Return the algorithm of each verification key; see `Keys.check`."""
        return await self._keys.check()

    def _verify(self, token: str, key: Key) -> dict[str, Any]:
        try:
            claims = self._jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                issuer=self._settings.jwt_issuer,
                audience=self._settings.jwt_audience,
                leeway=self._settings.jwt_leeway,
                options=self._options,
            )
        except ApiError:
            raise
        except Exception as exc:  # PyJWT raises more than its own classes on hostile input
            raise Unauthenticated(reason=_reason(exc)) from exc
        max_life = self._settings.jwt_max_life
        if max_life and claims["exp"] - claims.get("iat", time.time()) > max_life:
            raise Unauthenticated(reason="lifetime")
        return claims

    def _check_header(self, header: Mapping[str, Any]) -> str | None:
        """Return a token's `kid`; keys or key URLs in the header are ignored."""
        kid = header.get("kid")
        is_named = "kid" not in header or (isinstance(kid, str) and len(kid) <= MAX_KID)
        if not is_named or not isinstance(header.get("alg"), str) or _UNSUPPORTED & header.keys():
            raise Unauthenticated
        if _media_type(header.get("cty", "")) == "jwt":  # a nested token: RFC 7519 section 5.2
            raise Unauthenticated(reason="type")
        is_typed = "typ" in header or self._settings.jwt_type is not None
        if is_typed and _media_type(header.get("typ")) not in self._types:
            raise Unauthenticated(reason="type")
        return kid


class _Hs256(HMACAlgorithm):
    """HS256 with a secret that was checked at start, so that it is not checked again for each token."""

    def prepare_key(self, key: str | bytes) -> bytes:
        return force_bytes(key)


class _Jwt(jwt.PyJWT):
    """PyJWT with a strict JSON parser for the payload, as for request bodies."""

    def __init__(self) -> None:
        super().__init__()
        self._jws.unregister_algorithm("HS256")
        self._jws.register_algorithm("HS256", _Hs256(HMACAlgorithm.SHA256))

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        claims = _object(decoded["payload"])
        if not all(_is_well_formed(name, value) for name, value in claims.items()):
            raise Unauthenticated(reason="claims")
        if "nbf" in claims and claims["nbf"] >= claims.get("exp", _LAST_TIME):
            raise Unauthenticated(reason="claims")
        return claims


def token_verifier(settings: Settings) -> TokenVerifier | None:
    """Return the verifier of bearer tokens, None without a key. Raises SetupError for a bad or second one."""
    configured = token_keys(settings)
    if len(configured) > 1:
        names = " and ".join(map(variable, configured))
        raise SetupError([Diagnostic(names, "only one kind of key can verify tokens; set only one of them")])
    for name, value in configured.items():
        try:
            return TokenVerifier(_keys(name, value.get_secret_value()), settings)
        except KeyProblem as exc:
            raise SetupError([Diagnostic(variable(name), str(exc))]) from exc
    return None


def _keys(name: str, text: str) -> Keys:
    if name == "jwt_jwks":
        return KeySet(text)
    if name == "jwt_secret":
        return secret_key(text)
    if "-----BEGIN" not in text:
        try:
            text = Path(text).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise KeyProblem("it is neither a key in PEM format nor a readable file") from exc
    return public_key(text)


def _header(token: str) -> dict[str, Any]:
    compact = _COMPACT.fullmatch(token)
    if compact is None:
        raise Unauthenticated
    return _object(base64url_decode(compact[1]))


def _object(raw: bytes) -> dict[str, Any]:
    """Parse a JSON object without duplicate names (RFC 7515 section 4, RFC 7519 section 4)."""
    try:
        value = parse_json(raw, refuses_nul=True)
    except NotJson as exc:
        raise Unauthenticated from exc
    if not isinstance(value, dict):
        raise Unauthenticated
    return value


def _media_type(value: Any) -> str:
    """Return the normalized form of `typ` or `cty` (RFC 7515 section 4.1.9); '' if it is not a string."""
    return value.lower().removeprefix("application/") if isinstance(value, str) else ""


def _is_well_formed(name: str, value: Any) -> bool:
    match name:
        case "iss" | "sub" | "jti":
            return _is_text(value)
        case "aud":
            return _is_text(value) or (isinstance(value, list) and value != [] and all(map(_is_text, value)))
        case "exp" | "nbf" | "iat":
            return type(value) in (int, float) and 0 <= value <= _LAST_TIME  # a boolean is no time
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _reason(exc: Exception) -> str:
    if isinstance(exc, jwt.MissingRequiredClaimError):
        return _MISSING.get(exc.claim, "claims")
    return _REASONS.get(type(exc), "malformed")
