"""JSON Web Tokens (RFC 7519, RFC 8725): one family of keys, verified with PyJWT.

Which algorithms a key may be used with follows from the key, never from the token.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import time
import urllib.request
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.utils import base64url_decode

from .errors import HostError, Unauthenticated
from .json_strict import parse_json

MIN_SECRET = 32  # bytes: RFC 7518 section 3.2 asks HS256 for a key as long as its hash
MIN_RSA = 2048  # bits: RFC 7518 section 3.3
MAX_LEEWAY = 30.0  # seconds
JWKS_LIFE = 300.0  # seconds until a key set is read again
JWKS_COOLDOWN = 10.0  # seconds between two readings, whatever tokens come in
JWKS_TIMEOUT = 3.0  # seconds
_MAX_JWKS = 256 * 1024  # bytes

_log = logging.getLogger("relay.tokens")


class KeyProblem(ValueError):
    """A key that cannot be used; the message says why, never what the key is."""


class KeysUnavailable(HostError):
    """The key set's address does not answer: nobody can be let in, and it is not the caller's fault."""

    status, code, message = 500, "KEYS_UNAVAILABLE", "The keys that verify tokens are not available"


class Keys(Protocol):
    """Finds the key for a token."""

    async def key_for(self, token: str) -> tuple[Any, str] | None:
        """Return the key and the one algorithm it is used with; None for a key nobody knows."""
        ...

    async def check(self) -> list[str]:
        """Return the algorithm of each key, read anew; KeyProblem when none can be used now."""
        ...


class SingleKey:
    """One key: a shared secret or a public key."""

    def __init__(self, key: Any, algorithm: str) -> None:
        self._found = key, algorithm

    async def key_for(self, token: str) -> tuple[Any, str] | None:  # noqa: ARG002 -- as Keys has it
        """Return the key, whatever `kid` the token names."""
        return self._found

    async def check(self) -> list[str]:
        """Return the key's algorithm."""
        return [self._found[1]]


def secret_key(secret: str) -> SingleKey:
    """Return the key for HS256; raise KeyProblem for a secret that is short, or no secret at all."""
    raw = secret.encode()
    if secret.lstrip().startswith("-----BEGIN"):
        raise KeyProblem("it is a PEM key; a public key goes into RELAY_JWT_PUBLIC_KEY")
    if len(raw) < MIN_SECRET:
        raise KeyProblem(f"it has {len(raw)} bytes; HS256 needs {MIN_SECRET} or more")
    return SingleKey(raw, "HS256")


def public_key(pem: str) -> SingleKey:
    """Return an RSA, P-256 or Ed25519 public key in PEM; raise KeyProblem for anything else."""
    if "PRIVATE KEY-----" in pem:
        raise KeyProblem("it is a private key; the service only needs the public one")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise KeyProblem("it is not a public key in PEM") from exc
    return SingleKey(key, _algorithm(key))


def _algorithm(key: Any) -> str:
    match key:
        case rsa.RSAPublicKey():
            if key.key_size < MIN_RSA:
                raise KeyProblem(f"an RSA key of {key.key_size} bits; {MIN_RSA} or more are needed")
            return "RS256"
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return "ES256"
        case ed25519.Ed25519PublicKey():
            return "EdDSA"
    raise KeyProblem("it is neither RSA, nor on the curve P-256, nor Ed25519")


class KeySet:
    """A JSON Web Key Set (RFC 7517 section 5) in a file or at an https address.

    Read off the event loop, at most every JWKS_COOLDOWN seconds, when it is old or a token names a
    key it does not have; while it cannot be read again, the last one stays good.
    """

    def __init__(self, source: str) -> None:
        try:
            url = urlsplit(source)
        except ValueError as exc:
            raise KeyProblem("it is not an address") from exc
        is_loopback = url.scheme == "http" and url.hostname in ("localhost", "127.0.0.1", "::1")
        self._is_url = url.scheme == "https" or is_loopback
        if url.scheme == "http" and not is_loopback:
            raise KeyProblem("a key set's address has to begin with https://")
        self._source = source
        self._keys: dict[str | None, tuple[Any, str]] = {}
        self._read_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        if not self._is_url:
            self._keys = _parse_key_set(_read_file(Path(source)))
            self._read_at = time.monotonic()

    async def key_for(self, token: str) -> tuple[Any, str] | None:
        """Return the key that `kid` names; without `kid`, the only key there is."""
        kid = jwt.get_unverified_header(token).get("kid")
        if time.monotonic() - self._read_at > JWKS_LIFE or self._find(kid) is None:
            await self._refresh()
        if not self._keys:
            raise KeysUnavailable
        return self._find(kid)

    async def check(self) -> list[str]:
        """See `Keys.check`; whatever was read before does not count."""
        try:
            raw = await asyncio.to_thread(self._read)
        except (OSError, http.client.HTTPException) as exc:
            raise KeyProblem(f"its address does not answer with a key set ({type(exc).__name__})") from exc
        return [algorithm for _, algorithm in _parse_key_set(raw).values()]

    def _find(self, kid: Any) -> tuple[Any, str] | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() - self._tried_at < JWKS_COOLDOWN:
                return
            self._tried_at = time.monotonic()
            try:
                self._keys = _parse_key_set(await asyncio.to_thread(self._read))
                self._read_at = time.monotonic()
            except (OSError, http.client.HTTPException, KeyProblem) as exc:
                _log.warning("the key set cannot be read: %s", type(exc).__name__)

    def _read(self) -> bytes:
        if not self._is_url:
            return _read_file(Path(self._source))
        with _opener.open(self._source, timeout=JWKS_TIMEOUT) as response:
            return bytes(response.read(_MAX_JWKS))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Stays at the address that was configured: another might be plain HTTP, or anybody's."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """Follow nothing; the redirect itself then counts as a failure."""


_opener = urllib.request.build_opener(_NoRedirect)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise KeyProblem("it is neither an https:// address nor a file that can be read") from exc


def _parse_key_set(raw: bytes) -> dict[str | None, tuple[Any, str]]:
    """Return the usable keys by `kid`; raise KeyProblem when there is none."""
    try:
        keys = jwt.PyJWKSet.from_json(raw.decode()).keys
    except (jwt.PyJWTError, ValueError, AttributeError, TypeError) as exc:
        raise KeyProblem("it is not a JSON Web Key Set") from exc
    usable: dict[str | None, tuple[Any, str]] = {}
    for key in keys:
        if key.public_key_use not in (None, "sig"):
            continue
        try:
            usable[key.key_id] = key.key, _algorithm(key.key)
        except KeyProblem:
            continue  # another family, or too weak: nothing that it signed is accepted
    if not usable:
        raise KeyProblem("it holds no RSA, P-256 or Ed25519 public key")
    return usable


class TokenVerifier:
    """Verifies JWTs against one family of keys."""

    def __init__(self, keys: Keys, *, issuer: str | None, audience: str | None, leeway: float) -> None:
        self._keys = keys
        self._issuer, self._audience, self._leeway = issuer, audience, leeway
        required = ["exp", *(["iss"] if issuer else []), *(["aud"] if audience else [])]
        # Without a configured audience, a token meant for one is a token meant for somebody else.
        self._options: Any = {"require": required, "enforce_minimum_key_length": True}
        self._jwt = jwt.PyJWT()

    async def check(self) -> list[str]:
        """Return the algorithm of each key that tokens are verified with; see `Keys.check`."""
        return await self._keys.check()

    async def __call__(self, token: str) -> dict[str, Any]:
        """Return the token's claims.

        Raises Unauthenticated for whatever is wrong with it; the log gets the kind of fault only.
        """
        try:
            found = await self._keys.key_for(token)
            if found is None:
                raise Unauthenticated  # noqa: TRY301 -- one way out for every refusal
            key, algorithm = found
            self._jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options=self._options,
            )
            return _strict_claims(token)
        except HostError:
            raise
        except Exception as exc:  # PyJWT raises more than its own classes on hostile input
            _log.info("token refused: %s", type(exc).__name__)
            raise Unauthenticated from exc


def _strict_claims(token: str) -> dict[str, Any]:
    """Return a verified token's claims, read as strictly as a body.

    Raises ValueError for what PyJWT lets pass: a claim that stands there twice, times that are not
    numbers (RFC 7519 section 2, "NumericDate").
    """
    claims: dict[str, Any] = parse_json(base64url_decode(token.split(".")[1]))
    for name in ("exp", "nbf", "iat"):
        if name in claims and type(claims[name]) not in (int, float):
            raise ValueError(f"{name} is not a number")
    return claims
