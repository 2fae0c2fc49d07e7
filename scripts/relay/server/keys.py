"""Keys that verify tokens; the key determines the algorithm, never the token (RFC 8725 section 3.1).

It is one module because a key set chooses among the keys that it reads.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import HMACAlgorithm

from relay.validation.errors import ApiError
from relay.validation.json_strict import NotJson, parse_json

from .fetching import fetch

MIN_SECRET = 32  # bytes; RFC 7518 section 3.2: an HS256 key is at least as long as the hash
MIN_RSA = 2048  # bits; RFC 7518 section 3.3
JWKS_LIFE = 300.0  # seconds until a key set is refreshed
JWKS_COOLDOWN = 10.0  # seconds between two refreshes, whatever the tokens
JWKS_WAIT = 3.0  # seconds that a request waits for a refresh
JWKS_WAITING = 64
"""Requests that may wait for a refresh at the same time; tokens with invented key ids must not block all."""

JWKS_STALE = 86400.0
"""Seconds for which a key set is used while it cannot be refreshed.

Long enough for an outage overnight, and finite so that a revoked key expires.
"""

_log = logging.getLogger("relay.tokens")


class KeyProblem(ValueError):
    """A key cannot be used; the message gives the reason, never the key."""


class KeysUnavailable(ApiError):
    """The key set cannot be fetched, so no token can be verified; this is not the caller's error."""

    status, code, message = 500, "KEYS_UNAVAILABLE", "The keys that verify tokens are not available"


class Key(NamedTuple):
    """A key and its algorithm; keys that verify the same tokens are equal."""

    key: Any
    algorithm: str


class SingleKey:
    """One key: a shared secret or a public key."""

    def __init__(self, key: Any, algorithm: str) -> None:
        self._key = Key(key, algorithm)

    async def key_for(self, kid: str | None) -> Key | None:  # noqa: ARG002 -- a key set looks at it
        """Return the key, for any `kid`."""
        return self._key

    async def check(self) -> list[str]:
        """Return the key's algorithm."""
        return [self._key.algorithm]


def secret_key(secret: str) -> SingleKey:
    """Return the key for HS256; raise KeyProblem for a short secret, or a key of another kind."""
    raw = secret.encode()
    if secret.lstrip().startswith("-----BEGIN"):
        raise KeyProblem("it is a PEM key; set a public key in RELAY_JWT_PUBLIC_KEY")
    if len(raw) < MIN_SECRET:
        raise KeyProblem(f"it has {len(raw)} bytes; HS256 needs {MIN_SECRET} or more")
    try:
        prepared = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(raw)
    except jwt.InvalidKeyError as exc:
        raise KeyProblem("it is a key of another kind; set a public key in RELAY_JWT_PUBLIC_KEY") from exc
    return SingleKey(prepared, "HS256")


def public_key(pem: str) -> SingleKey:
    """Return an RSA, P-256 or Ed25519 public key from PEM; raise KeyProblem for anything else."""
    if "PRIVATE KEY-----" in pem:
        raise KeyProblem("it is a private key; set the public one")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise KeyProblem("it is not a public key in PEM format") from exc
    return SingleKey(key, _algorithm(key))


def _algorithm(key: Any) -> str:
    match key:
        case rsa.RSAPublicKey():
            if key.key_size < MIN_RSA:
                raise KeyProblem(f"its RSA key has {key.key_size} bits; it needs {MIN_RSA} or more")
            return "RS256"
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return "ES256"
        case ed25519.Ed25519PublicKey():
            return "EdDSA"
    raise KeyProblem("it is not an RSA, P-256 or Ed25519 key")


class KeySet:
    """A JSON Web Key Set (RFC 7517 section 5) in a file or at an https URL.

    It is refreshed in a thread, at most once in JWKS_COOLDOWN seconds, if it is older than JWKS_LIFE or a
    token names an unknown key. The known keys are used during a refresh, and for JWKS_STALE seconds while
    refreshes fail. A URL is first fetched for the first token.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._is_url = _is_url(source)
        self._keys: dict[str | None, Key] = {}
        self._read_at = self._tried_at = float("-inf")
        self._reading: Future[None] = Future()
        self._reading.set_result(None)
        self._waiting = 0
        if not self._is_url:
            self._keys = parse_key_set(_read_file(Path(source)))
            self._read_at = time.monotonic()

    async def key_for(self, kid: str | None) -> Key | None:
        """Return the key with this `kid`; without one, that of a set of one. Raises KeysUnavailable."""
        age = time.monotonic() - self._read_at
        if age <= JWKS_LIFE and (found := self._find(kid)):
            return found
        reading = self._refresh()
        if reading and self._waiting < JWKS_WAITING and (age > JWKS_STALE or not self._find(kid)):
            self._waiting += 1
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.wrap_future(reading), JWKS_WAIT)
            finally:
                self._waiting -= 1
        if time.monotonic() - self._read_at > JWKS_STALE:
            raise KeysUnavailable
        return self._find(kid)

    async def check(self) -> list[str]:
        """Return the algorithm of each key, after a refresh; raise KeyProblem if none can be used."""
        try:
            keys = await asyncio.to_thread(self._fetch)
        except (OSError, http.client.HTTPException) as exc:
            raise KeyProblem(f"its URL does not return a key set ({type(exc).__name__})") from exc
        return [key.algorithm for key in keys.values()]

    def _find(self, kid: str | None) -> Key | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return None if kid is None else self._keys.get(kid)

    def _refresh(self) -> Future[None] | None:
        """Return the refresh in progress; start one unless the last one started within JWKS_COOLDOWN."""
        now = time.monotonic()
        if self._reading.done() and now - self._tried_at >= JWKS_COOLDOWN:
            self._tried_at = now
            reading: Future[None] = Future()
            reading.set_running_or_notify_cancel()  # a request that stops waiting cannot cancel it for the others
            threading.Thread(target=self._read, args=[reading], name="key set", daemon=True).start()
            self._reading = reading
        return None if self._reading.done() else self._reading

    def _read(self, reading: Future[None]) -> None:
        try:
            self._keys = self._fetch()
            self._read_at = time.monotonic()
        except Exception as exc:  # noqa: BLE001 -- whatever the response, the last keys stay in use
            is_stale = time.monotonic() - self._read_at > JWKS_STALE
            effect = "there are no keys to verify tokens with" if is_stale else "the last keys are used"
            _log.warning("the key set cannot be read; %s", effect, extra={"cause": type(exc).__name__})
        finally:
            reading.set_result(None)

    def _fetch(self) -> dict[str | None, Key]:
        return parse_key_set(fetch(self._source) if self._is_url else _read_file(Path(self._source)))


Keys = SingleKey | KeySet
"""Finds the key for a token, by its `kid`."""


def _is_url(source: str) -> bool:
    """Return True for a URL, False for a file; raise KeyProblem for a URL that must not be fetched."""
    try:
        url = urlsplit(source)
        host, _port = url.hostname, url.port  # raises for an invalid port
    except ValueError as exc:
        raise KeyProblem("it is not a valid URL") from exc
    if url.scheme not in ("http", "https"):
        return False
    if url.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise KeyProblem("the URL of a key set must begin with https://")
    if not host or url.username is not None:
        raise KeyProblem("the URL of a key set needs a host, and must not have a user or password")
    return True


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise KeyProblem("it is neither an https:// URL nor a readable file") from exc


def parse_key_set(raw: bytes) -> dict[str | None, Key]:
    """Return the usable keys by unambiguous `kid`; raise KeyProblem if there are none."""
    try:
        document = parse_json(raw, refuses_nul=True)
    except NotJson:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise KeyProblem("it is not a JSON Web Key Set")
    found: dict[str | None, Key] = {}
    entries = [one for one in map(_parse_entry, document["keys"]) if one is not None]
    ambiguous = {kid for kid, key in entries if found.setdefault(kid, key) != key}
    if ambiguous:
        _log.warning("the key set has several keys of the same kid, which are not used")
    usable = {kid: key for kid, key in found.items() if kid not in ambiguous}
    if not usable:
        raise KeyProblem("it contains no RSA, P-256 or Ed25519 public key with a unique kid")
    return usable


def _parse_entry(entry: Any) -> tuple[str | None, Key] | None:
    """Return `kid` and key of a JSON Web Key; None if it is weak, private, or for something else."""
    try:
        found = jwt.PyJWK(entry)
        key = Key(found.key, _algorithm(found.key))
    except Exception:  # noqa: BLE001 -- PyJWT raises more than its own classes for invalid keys
        return None
    kid, operations = entry.get("kid"), entry.get("key_ops", ["verify"])
    is_for_verifying = (
        isinstance(kid, str | None)
        and entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and found.algorithm_name == key.algorithm
    )
    return (kid, key) if is_for_verifying else None
