"""What both stores do alike with sealed secrets: the form they are stored in, a batch's, a census of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import StoredSecret
from .keyring import KEY_ID, VERSION, DecryptionFailed, Encrypted, KeyringMissing
from .rules import SECRETS, is_storable, is_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from . import Batch
    from .keyring import Keyring


def encrypted_batch(batch: Batch, keyring: Keyring | None, store_form: Callable[[Encrypted], Any]) -> Batch:
    """Return the batch with its secrets encrypted, in the form a store writes; KeyringMissing without a keyring.

    What is blank is no secret, and stays as it is: blank counts as absent.
    """

    def stored(record: dict[str, Any]) -> dict[str, Any]:
        organization_id = record["organizationId"]
        found = {name: record[name] for name in SECRETS if is_text(record.get(name))}
        if not found:
            return record
        if keyring is None:
            raise KeyringMissing
        return record | {
            name: store_form(keyring.encrypt(organization_id, name, secret)) for name, secret in found.items()
        }

    return replace(batch, credentials=[stored(record) for record in batch.credentials])


def to_document(encrypted: Encrypted, encode: Callable[[bytes], Any]) -> dict[str, Any]:
    """Return a sealed secret as a document is to hold it; `encode` gives bytes the store's form."""
    return {
        "v": VERSION,
        "kid": encrypted.key_id,
        "n": encode(encrypted.nonce),
        "ct": encode(encrypted.ciphertext),
    }


def stored_secrets(
    organization_id: str, record: Mapping[str, Any], decode: Callable[[Any], bytes]
) -> Iterator[StoredSecret]:
    """Find the secrets of an organization's record; what is absent or blank is none."""
    for name in SECRETS:
        value = record.get(name)
        if isinstance(value, str):
            if is_text(value):
                yield StoredSecret(organization_id, name, value if is_storable(value) else None)
        elif value is not None:
            yield StoredSecret(organization_id, name, _sealed(value, decode))


def _sealed(value: Any, decode: Callable[[Any], bytes]) -> Encrypted | None:
    try:
        if value["v"] != VERSION or not KEY_ID.fullmatch(value["kid"]):
            return None
        return Encrypted(value["kid"], decode(value["n"]), decode(value["ct"]))
    except (TypeError, LookupError, ValueError):
        return None


@dataclass
class EncryptionReport:
    """How many secrets a store holds: by the id of their key, in plain text, and those nobody can use.

    With a keyring each is opened: an id may have been another key's before.
    """

    keyring: Keyring | None = None
    by_key: Counter[str] = field(default_factory=Counter)
    plain: int = 0
    unreadable: int = 0
    _closed: Counter[str] = field(default_factory=Counter)
    _examples: dict[str | None, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many secrets there are."""
        return self.by_key.total() + self.plain + self.unreadable

    def add(self, secret: StoredSecret) -> None:
        """Count a secret."""
        place = f"{secret.name} of {secret.organization_id}"
        match secret.value:
            case Encrypted(key_id) as encrypted:
                self.by_key[key_id] += 1
                if not self._opens(secret, encrypted):
                    self._closed[key_id] += 1
                    self._examples.setdefault(key_id, place)
            case str():
                self.plain += 1
            case _:
                self.unreadable += 1
                self._examples.setdefault(None, place)

    def problems(self) -> Iterator[str]:
        """Tell what a person should mend; without a keyring, nothing of keys."""
        if self.plain:
            yield f"{counted(self.plain)} in plain text; run `relay keys seal`"
        yield from self.stuck()

    def stuck(self) -> Iterator[str]:
        """Tell of the secrets that no command around the keyring can do anything about."""
        if self.unreadable:
            yield (
                f"{counted(self.unreadable)} of no use, such as {self._examples[None]}: no text, of no "
                "organization, or encrypted in a way that this version does not know; load anew, or remove"
            )
        for key_id, count in sorted(self._closed.items()):
            if self.keyring is None or key_id not in self.keyring.key_ids:
                yield f"{counted(count)} under the key {key_id}, which RELAY_KEYRING does not have; add it"
            else:
                yield (
                    f"{counted(count)} not opened by the key {key_id}, such as {self._examples[key_id]}: moved "
                    "there, or sealed by another key of this id; rotate with that one in its place, or load anew"
                )

    def _opens(self, secret: StoredSecret, encrypted: Encrypted) -> bool:
        if self.keyring is None:
            return True
        try:
            self.keyring.decrypt(secret.organization_id, secret.name, encrypted)
        except DecryptionFailed:
            return False
        return True


async def count_secrets(secrets: AsyncIterator[StoredSecret], keyring: Keyring | None) -> EncryptionReport:
    """Count a store's secrets, and open them with a keyring if there is one."""
    census = EncryptionReport(keyring)
    async for secret in secrets:
        census.add(secret)
    return census


def counted(count: int) -> str:
    """Say how many secrets."""
    return f"{count} secret" if count == 1 else f"{count} secrets"
