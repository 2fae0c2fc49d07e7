"""The keys that encrypt secrets at rest: AES-256-GCM, with organization, field and key id as associated data."""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_ID = re.compile("[A-Za-z0-9._-]{1,64}")

VERSION = 1  # the version of the encrypted format
_KEY_BYTES = 32
_NONCE_BYTES = 12  # 96 bits, the recommended size for GCM; random nonces allow 2^32 secrets a key
_BASE64 = re.compile("[A-Za-z0-9+/_-]+={0,2}")
_TO_STANDARD = str.maketrans("-_", "+/")


class KeyringMisconfigured(Exception):
    """The keyring is invalid.

    `problems` are lines with the entry's number and the reason; never its content, not even its id, which
    is the key if an entry is written in the wrong order.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class KeyringMissing(Exception):
    """A secret must be encrypted, but there is no keyring."""


class DecryptionFailed(Exception):
    """A secret cannot be decrypted; the text has the key id."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """An encrypted secret: the id of its key, nonce and ciphertext; the ciphertext ends with the tag."""

    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class Keyring:
    """Encrypts with its first key and decrypts with all keys; does not reveal them, and cannot be pickled."""

    __slots__ = ("_ciphers",)

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of its keys; the first key encrypts."""
        return tuple(self._ciphers)

    def encrypt(self, organization_id: str, field: str, secret: str) -> Encrypted:
        """Encrypt an organization's secret for the field that stores it."""
        key_id, cipher = next(iter(self._ciphers.items()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        data = _associated_data(organization_id, field, key_id)
        return Encrypted(key_id, nonce, cipher.encrypt(nonce, secret.encode(), data))

    def decrypt(self, organization_id: str, field: str, encrypted: Encrypted) -> str:
        """Return the secret.

        Raises DecryptionFailed if its key is missing, or if it was encrypted with another key or for another
        organization or field.
        """
        cipher = self._ciphers.get(encrypted.key_id)
        if cipher is None:
            raise DecryptionFailed(f"RELAY_KEYRING has no key {encrypted.key_id}")
        data = _associated_data(organization_id, field, encrypted.key_id)
        try:
            return cipher.decrypt(encrypted.nonce, encrypted.ciphertext, data).decode()
        except (InvalidTag, ValueError):  # a nonce of the wrong length raises ValueError
            raise DecryptionFailed(f"the key {encrypted.key_id} does not decrypt it") from None


def read_keyring(text: str) -> Keyring:
    """Parse the setting of a keyring: entries `id:base64`, or the path of a file with them.

    Entries are separated by commas, spaces or line ends; a line that begins with # is a comment. Raises
    KeyringMisconfigured with all errors.
    """
    entries = _without_comments(text)
    if (file := keyring_file(text)) is not None:
        try:
            entries = _without_comments(file.expanduser().read_text("utf-8-sig"))
        except (OSError, ValueError, RuntimeError):
            raise KeyringMisconfigured(
                "it is neither a list of keys, `id:base64` each, nor a readable file of such keys"
            ) from None  # the supposed path may be a key without its id
    return _keyring(re.split(r"[,\s]+", entries))


def keyring_file(text: str) -> Path | None:
    """Return the path that the setting of a keyring is; None for entries."""
    entries = _without_comments(text)
    before_colon, colon, _ = entries.partition(":")
    # True of no entry and of most paths.
    return Path(entries) if entries and (not colon or "/" in before_colon) else None


def new_entry(key_id: str) -> str:
    """Return a new key, as an entry for the keyring."""
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip('=')}"


def _without_comments(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(lines).strip(", \t\n")


def _keyring(entries: list[str]) -> Keyring:
    if entries == [""]:
        raise KeyringMisconfigured("it contains no key; create one with `relay keys new`")
    keys: dict[str, bytes] = {}
    problems = []
    for number, entry in enumerate(entries, 1):
        key_id, _, encoded = entry.partition(":")
        key = _key(encoded)
        problems += [f"entry {number}: {problem}" for problem in _problems(key_id, key, keys)]
        keys.setdefault(key_id, key or b"")
    if problems:
        raise KeyringMisconfigured(*problems)
    return Keyring(keys)


def _key(encoded: str) -> bytes | None:
    """Decode base64 of either alphabet, with or without padding; return None for anything else."""
    if not _BASE64.fullmatch(encoded):
        return None
    unpadded = encoded.rstrip("=").translate(_TO_STANDARD)
    try:
        return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4))
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


def _associated_data(organization_id: str, field: str, key_id: str) -> bytes:
    """Return the associated data of an encrypted secret; JSON makes the encoding of the parts unambiguous."""
    return json.dumps([VERSION, organization_id, field, key_id]).encode()
