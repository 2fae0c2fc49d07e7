"""Encrypted secrets, for both stores: their stored format, encrypting a batch, and counting them."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from . import Batch, StoredSecret
from .keyring import KEY_ID, VERSION, DecryptionFailed, Encrypted, Keyring, KeyringMissing
from .rules import SECRETS, is_storable, is_text


class Format(NamedTuple):
    """How a store has encrypted secrets: what `encode` makes of bytes, of which `decode` makes the bytes again."""

    encode: Callable[[bytes], Any]
    decode: Callable[[Any], bytes]

    def document(self, encrypted: Encrypted) -> dict[str, Any]:
        """Return the stored document of an encrypted secret."""
        nonce, ciphertext = map(self.encode, (encrypted.nonce, encrypted.ciphertext))
        return {"v": VERSION, "kid": encrypted.key_id, "n": nonce, "ct": ciphertext}

    def encrypted(self, batch: Batch, keyring: Keyring | None) -> Batch:
        """Return a batch with its secrets encrypted. Raises KeyringMissing without a keyring.

        Blank values count as absent and are not encrypted.
        """

        def encrypted(record: dict[str, Any]) -> dict[str, Any]:
            organization_id = record["organizationId"]
            secrets = {name: record[name] for name in SECRETS if is_text(record.get(name))}
            if not secrets:
                return record
            if keyring is None:
                raise KeyringMissing
            return record | {
                name: self.document(keyring.encrypt(organization_id, name, secret))
                for name, secret in secrets.items()
            }

        return replace(batch, credentials=[encrypted(record) for record in batch.credentials])

    def secrets(self, organization_id: str, record: Mapping[str, Any]) -> Iterator[StoredSecret]:
        """Yield the secrets of an organization's record; absent and blank values are skipped."""
        for name in SECRETS:
            value = record.get(name)
            if isinstance(value, str):
                if is_text(value):
                    yield StoredSecret(organization_id, name, value if is_storable(value) else None)
            elif value is not None:
                yield StoredSecret(organization_id, name, self._parsed(value))

    def _parsed(self, value: Any) -> Encrypted | None:
        try:
            if value["v"] != VERSION or not KEY_ID.fullmatch(value["kid"]):
                return None
            return Encrypted(value["kid"], self.decode(value["n"]), self.decode(value["ct"]))
        except (TypeError, LookupError, ValueError):
            return None


@dataclass
class EncryptionReport:
    """The numbers of secrets in a store: by key id, in plain text, and unreadable.

    With a keyring, each secret is decrypted, because another key may have had the same id.
    """

    keyring: Keyring | None = None
    by_key: Counter[str] = field(default_factory=Counter)
    plain: int = 0
    unreadable: int = 0
    _undecryptable: Counter[str] = field(default_factory=Counter)
    _examples: dict[str | None, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The number of secrets."""
        return self.by_key.total() + self.plain + self.unreadable

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys of the keyring."""
        return self.keyring.key_ids if self.keyring else ()

    def add(self, secret: StoredSecret) -> None:
        """Count a secret."""
        place = f"{secret.name} of {secret.organization_id.encode('unicode_escape').decode()}"  # it may be any text
        match secret.value:
            case Encrypted(key_id) as encrypted:
                self.by_key[key_id] += 1
                if not self._can_decrypt(secret, encrypted):
                    self._undecryptable[key_id] += 1
                    self._examples.setdefault(key_id, place)
            case str():
                self.plain += 1
            case _:
                self.unreadable += 1
                self._examples.setdefault(None, place)

    def problems(self) -> Iterator[str]:
        """Yield the problems that an operator should fix; without a keyring, none about keys."""
        if self.plain:
            yield f"{counted(self.plain)} in plain text; run `relay keys encrypt`"
        yield from self.undecryptable()

    def undecryptable(self) -> Iterator[str]:
        """Yield the problems that `relay keys` cannot solve."""
        if self.unreadable:
            yield (
                f"{counted(self.unreadable)} unreadable, such as {self._examples[None]}: not text, without an "
                "organization, or encrypted in an unknown format; load again, or remove"
            )
        for key_id, count in sorted(self._undecryptable.items()):
            if key_id not in self.key_ids:
                yield f"{counted(count)} under the key {key_id}, which is not in RELAY_KEYRING; add it"
            else:
                yield (
                    f"{counted(count)} not decrypted by the key {key_id}, such as {self._examples[key_id]}: moved "
                    "there, or encrypted by another key of this id; rotate with that key instead, or load again"
                )

    def _can_decrypt(self, secret: StoredSecret, encrypted: Encrypted) -> bool:
        if self.keyring is None:
            return True
        try:
            self.keyring.decrypt(secret.organization_id, secret.name, encrypted)
        except DecryptionFailed:
            return False
        return True


async def count_secrets(secrets: AsyncIterator[StoredSecret], keyring: Keyring | None) -> EncryptionReport:
    """Count a store's secrets, and check that the keyring decrypts them."""
    report = EncryptionReport(keyring)
    async for secret in secrets:
        report.add(secret)
    return report


def counted(count: int) -> str:
    """Return a number of secrets in words."""
    return f"{count} secret" if count == 1 else f"{count} secrets"
