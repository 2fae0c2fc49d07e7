"""Keys that verify tokens: one, or a JSON Web Key Set.

Which algorithm a key is used with follows from the key, never from the token (RFC 8725 section 3.1).
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
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import HMACAlgorithm

from relay.validation.errors import ApiError
from relay.validation.json_strict import NotJson, parse_json

from .fetching import fetch

MIN_SECRET = 32  # bytes: RFC 7518 section 3.2 asks HS256 for a key as long as its hash
MIN_RSA = 2048  # bits: RFC 7518 section 3.3
JWKS_LIFE = 300.0  # seconds until a key set is read again
JWKS_COOLDOWN = 10.0  # seconds between two readings, whatever tokens come in
JWKS_WAIT = 3.0  # seconds that a request waits for a reading
JWKS_WAITING = 64
"""Requests that may wait for a reading at a time: tokens with made-up keys must not take every place there is."""

JWKS_STALE = 86400.0
"""Seconds that a key set stays good while it cannot be read again.

Long enough for an outage over night; a key that was withdrawn because it leaked must not live on for ever.
"""

_log = logging.getLogger("relay.tokens")


class KeyProblem(ValueError):
    """A key that cannot be used; the message says why, never what the key is."""


class KeysUnavailable(ApiError):
    """The key set's address does not answer: nobody can be let in, and it is not the caller's fault."""

    status, code, message = 500, "KEYS_UNAVAILABLE", "The keys that verify tokens are not available"


class Key(NamedTuple):
    """A key and the one algorithm it is used with; equal to another that verifies the same tokens."""

    key: Any
    algorithm: str


class Keys(Protocol):
    """Finds the key for a token."""

    async def key_for(self, kid: str | None) -> Key | None:
        """Return the key that a token's `kid` names; None for one that nobody knows."""
        ...

    async def check(self) -> list[str]:
        """Return the algorithm of each key, read anew; KeyProblem when none can be used now."""
        ...


class SingleKey:
    """One key: a shared secret or a public key."""

    def __init__(self, key: Any, algorithm: str) -> None:
        self._key = Key(key, algorithm)

    async def key_for(self, kid: str | None) -> Key | None:  # noqa: ARG002 -- as Keys has it
        """Return the key, whatever `kid` the token names."""
        return self._key

    async def check(self) -> list[str]:
        """Return the key's algorithm."""
        return [self._key.algorithm]


def secret_key(secret: str) -> SingleKey:
    """Return the key for HS256; raise KeyProblem for a secret that is short, or no secret at all."""
    raw = secret.encode()
    if secret.lstrip().startswith("-----BEGIN"):
        raise KeyProblem("it is a PEM key; a public key goes into RELAY_JWT_PUBLIC_KEY")
    if len(raw) < MIN_SECRET:
        raise KeyProblem(f"it has {len(raw)} bytes; HS256 needs {MIN_SECRET} or more")
    try:
        prepared = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(raw)
    except jwt.InvalidKeyError as exc:
        raise KeyProblem("it is a key of another kind; a public key goes into RELAY_JWT_PUBLIC_KEY") from exc
    return SingleKey(prepared, "HS256")


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

    It is read in a thread, one reading at a time and at most one in JWKS_COOLDOWN seconds: when it is
    old, or a token names a key it does not have. Known keys go on being used meanwhile, and for
    JWKS_STALE seconds while it cannot be read. An address is first read for the first token.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._is_url = _is_address(source)
        self._keys: dict[str | None, Key] = {}
        self._read_at = self._tried_at = float("-inf")
        self._reading: Future[None] = Future()
        self._reading.set_result(None)
        self._waiting = 0
        if not self._is_url:
            self._keys = parse_key_set(_read_file(Path(source)))
            self._read_at = time.monotonic()

    async def key_for(self, kid: str | None) -> Key | None:
        """Return the key that `kid` names; without `kid`, the only key there is.

        Raises KeysUnavailable while there are no keys, or none but too old ones.
        """
        age = time.monotonic() - self._read_at
        if age <= JWKS_LIFE and (found := self._find(kid)):
            return found
        reading = self._read_again()
        if reading and self._waiting < JWKS_WAITING and (age > JWKS_STALE or not self._find(kid)):
            await self._wait_for(reading)
        if time.monotonic() - self._read_at > JWKS_STALE:
            raise KeysUnavailable
        return self._find(kid)

    async def _wait_for(self, reading: Future[None]) -> None:
        self._waiting += 1
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.wrap_future(reading), JWKS_WAIT)
        finally:
            self._waiting -= 1

    async def check(self) -> list[str]:
        """See `Keys.check`; whatever was read before does not count."""
        try:
            keys = await asyncio.to_thread(self._fetched)
        except (OSError, http.client.HTTPException) as exc:
            raise KeyProblem(f"its address does not answer with a key set ({type(exc).__name__})") from exc
        return [key.algorithm for key in keys.values()]

    def _find(self, kid: str | None) -> Key | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def _read_again(self) -> Future[None] | None:
        """Return the reading that is under way, begun now unless the last one began a moment ago.

        It has a thread of its own: one of the loop's pool would keep the process from ending.
        """
        now = time.monotonic()
        if self._reading.done() and now - self._tried_at >= JWKS_COOLDOWN:
            self._tried_at = now
            reading: Future[None] = Future()
            reading.set_running_or_notify_cancel()  # a request that gives up cannot cancel it for others now
            threading.Thread(target=self._read, args=[reading], name="key set", daemon=True).start()
            self._reading = reading
        return None if self._reading.done() else self._reading

    def _read(self, reading: Future[None]) -> None:
        try:
            self._keys = self._fetched()
            self._read_at = time.monotonic()
        except Exception as exc:  # noqa: BLE001 -- whatever an address answers, the last keys go on being used
            is_lost = time.monotonic() - self._read_at > JWKS_STALE
            told = "there are no keys to verify tokens with" if is_lost else "the last keys are used"
            _log.warning("the key set cannot be read; %s", told, extra={"cause": type(exc).__name__})
        finally:
            reading.set_result(None)

    def _fetched(self) -> dict[str | None, Key]:
        return parse_key_set(fetch(self._source) if self._is_url else _read_file(Path(self._source)))


def _is_address(source: str) -> bool:
    """Tell an address from a file; raise KeyProblem for one that nothing is to be fetched from."""
    try:
        url = urlsplit(source)
        host, _port = url.hostname, url.port  # it raises for what is no port
    except ValueError as exc:
        raise KeyProblem("it is not an address") from exc
    is_loopback = url.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    if url.scheme == "http" and not is_loopback:
        raise KeyProblem("a key set's address has to begin with https://")
    is_address = url.scheme == "https" or is_loopback
    if is_address and (not host or url.username is not None):
        raise KeyProblem("a key set's address names a host, and no user or password")
    return is_address


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise KeyProblem("it is neither an https:// address nor a file that can be read") from exc


def parse_key_set(raw: bytes) -> dict[str | None, Key]:
    """Return the usable keys by `kid`; raise KeyProblem when there is none.

    A `kid` that stands for two different keys names none: nobody can say which one is meant.
    """
    try:
        entries = parse_json(raw)["keys"]
    except (NotJson, KeyError, TypeError) as exc:
        raise KeyProblem("it is not a JSON Web Key Set") from exc
    if not isinstance(entries, list):
        raise KeyProblem("it is not a JSON Web Key Set")
    usable: dict[str | None, Key] = {}
    ambiguous = set()
    for entry in entries:
        kid, key = _parse_entry(entry)
        if key is not None and usable.setdefault(kid, key) != key:
            ambiguous.add(kid)
    if ambiguous:
        _log.warning("the key set has several keys of the same kid, which are not used")
    if not usable.keys() - ambiguous:
        raise KeyProblem("it holds no RSA, P-256 or Ed25519 public key with a kid of its own")
    return {kid: key for kid, key in usable.items() if kid not in ambiguous}


def _parse_entry(entry: Any) -> tuple[str | None, Key | None]:
    """Return a JSON Web Key's `kid` and what it verifies with.

    None for another family, a key that is too weak, shared or private, or one for another purpose or
    algorithm: nothing that it signed is accepted.
    """
    try:
        found = jwt.PyJWK(entry)
        key = Key(found.key, _algorithm(found.key))
    except Exception:  # noqa: BLE001 -- PyJWT raises more than its own classes on keys that are wrong
        return None, None
    kid, operations = entry.get("kid"), entry.get("key_ops", ["verify"])
    is_meant = (
        isinstance(kid, str | None)
        and entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and found.algorithm_name == key.algorithm
    )
    return (kid, key) if is_meant else (None, None)
