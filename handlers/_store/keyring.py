"""The keys that seal secrets at rest: AES-256-GCM, each sealed value bound to its organization, field and key."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY_ID = re.compile("[A-Za-z0-9._-]{1,64}")

VERSION = 1
"""Of the way that secrets are encrypted."""

_KEY_BYTES = 32
_NONCE_BYTES = 12  # the 96 bits that GCM is made for; random, good for 2^32 secrets a key
_BASE64 = re.compile("[A-Za-z0-9+/_-]+={0,2}")
_TO_STANDARD = str.maketrans("-_", "+/")


class KeyringMisconfigured(Exception):
    """The keyring cannot be used until a person changes it.

    `problems` are lines that say which entry and why; never what it holds, not even its id, which in an entry
    written the wrong way round is the key.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class KeyringMissing(Exception):
    """A secret is to be sealed and there is no key to do it."""


class DecryptionFailed(Exception):
    """A sealed secret that stays closed; the text says which key is concerned."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A secret as it is stored: sealed by the key of that id; the ciphertext ends with the tag."""

    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class Keyring:
    """Seals with its first key and opens with all of them; it shows none, and cannot be pickled."""

    __slots__ = ("_ciphers",)

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of its keys; the first one's seals."""
        return tuple(self._ciphers)

    def encrypt(self, organization_id: str, field: str, secret: str) -> Encrypted:
        """Seal an organization's secret for the field it is stored in."""
        key_id, cipher = next(iter(self._ciphers.items()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        bound = _bound_to(organization_id, field, key_id)
        return Encrypted(key_id, nonce, cipher.encrypt(nonce, secret.encode(), bound))

    def decrypt(self, organization_id: str, field: str, encrypted: Encrypted) -> str:
        """Return the secret; DecryptionFailed without its key, or when another sealed it, or for another place."""
        cipher = self._ciphers.get(encrypted.key_id)
        if cipher is None:
            raise DecryptionFailed(f"RELAY_KEYRING has no key {encrypted.key_id}")
        bound = _bound_to(organization_id, field, encrypted.key_id)
        try:
            return cipher.decrypt(encrypted.nonce, encrypted.ciphertext, bound).decode()
        except (InvalidTag, ValueError):  # a nonce of a wrong length is a ValueError
            raise DecryptionFailed(f"the key {encrypted.key_id} does not open it") from None


def read_keyring(text: str) -> Keyring:
    """Read a keyring of a setting: entries `id:base64`, or the path of a file that holds them.

    Entries are separated by commas, blanks or ends of lines; a line that begins with # is a comment. Raises
    KeyringMisconfigured with everything that is wrong.
    """
    entries = _without_comments(text)
    before_colon, colon, _ = entries.partition(":")
    if entries and (not colon or "/" in before_colon):  # no entry is like that, and most paths are
        try:
            entries = _without_comments(Path(entries).expanduser().read_text("utf-8-sig"))
        except (OSError, ValueError, RuntimeError):
            raise KeyringMisconfigured(
                "it is neither keys, `id:base64` each, nor a file of such keys that can be read"
            ) from None  # what was taken for a path may be a key without its id
    return _keyring(re.split(r"[,\s]+", entries))


def new_entry(key_id: str) -> str:
    """Make a key, as an entry for the keyring."""
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip('=')}"


def _without_comments(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(lines).strip(", \t\n")


def _keyring(entries: list[str]) -> Keyring:
    if entries == [""]:
        raise KeyringMisconfigured("it holds no key; `relay keys new` makes one")
    keys: dict[str, bytes] = {}
    problems = []
    for number, entry in enumerate(entries, 1):
        key_id, _, encoded = entry.partition(":")
        key = _key(encoded)
        problems += [f"entry {number}: {told}" for told in _problems(key_id, key, keys)]
        keys.setdefault(key_id, key or b"")
    if problems:
        raise KeyringMisconfigured(*problems)
    return Keyring(keys)


def _key(encoded: str) -> bytes | None:
    """Decode base64, of either alphabet, padded or not; None for anything else."""
    if not _BASE64.fullmatch(encoded):
        return None
    bare = encoded.rstrip("=").translate(_TO_STANDARD)
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None


def _problems(key_id: str, key: bytes | None, earlier: Mapping[str, bytes]) -> Iterator[str]:
    if key is None:
        yield "it is not `id:base64`"
        return
    if not KEY_ID.fullmatch(key_id):
        yield "its id is not 1 to 64 letters, digits, dots, hyphens and underscores"
    if len(key) != _KEY_BYTES:
        yield f"its key has {len(key)} bytes; AES-256 needs {_KEY_BYTES}"
    if key_id in earlier:
        yield "an earlier entry has the same id"
    if key in earlier.values():
        yield "an earlier entry has the same key"


def _bound_to(organization_id: str, field: str, key_id: str) -> bytes:
    """Say what a sealed secret belongs to; JSON keeps the parts apart, whatever they hold."""
    return json.dumps([VERSION, organization_id, field, key_id]).encode()
