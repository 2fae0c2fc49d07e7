"""What both stores do alike with sealed secrets: the form they are stored in, a batch's, a census of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import StoredSecret
from .keyring import KEY_ID, VERSION, KeyringMissing, NotOpened, Sealed, UnknownKey
from .rules import SECRETS, is_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from . import Batch
    from .keyring import Keyring


def sealed_batch(batch: Batch, keyring: Keyring | None, store_form: Callable[[Sealed], Any]) -> Batch:
    """Return the batch with its secrets sealed, in the form a store writes; KeyringMissing without a keyring.

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
            name: store_form(keyring.seal(organization_id, name, secret)) for name, secret in found.items()
        }

    return replace(batch, credentials=[stored(record) for record in batch.credentials])


def to_document(sealed: Sealed, encode: Callable[[bytes], Any]) -> dict[str, Any]:
    """Return a sealed secret as a document is to hold it; `encode` gives bytes the store's form."""
    return {
        "v": VERSION,
        "kid": sealed.key_id,
        "n": encode(sealed.nonce),
        "ct": encode(sealed.ciphertext),
    }


def stored_secrets(
    organization_id: str, record: Mapping[str, Any], decode: Callable[[Any], bytes]
) -> Iterator[StoredSecret]:
    """Find the secrets of an organization's record; what is absent or blank is none."""
    for name in SECRETS:
        value = record.get(name)
        if isinstance(value, str):
            if is_text(value):
                yield StoredSecret(organization_id, name, value)
        elif value is not None:
            yield StoredSecret(organization_id, name, _sealed(value, decode))


def _sealed(value: Any, decode: Callable[[Any], bytes]) -> Sealed | None:
    try:
        if value["v"] != VERSION or not KEY_ID.fullmatch(value["kid"]):
            return None
        return Sealed(value["kid"], decode(value["n"]), decode(value["ct"]))
    except (TypeError, LookupError, ValueError):
        return None


@dataclass
class Census:
    """How many secrets a store holds: by the id of their key, in plain text, and those nobody can read."""

    by_key: Counter[str] = field(default_factory=Counter)
    plain: int = 0
    unreadable: int = 0
    _samples: dict[str, tuple[str, str, Sealed]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many secrets there are."""
        return self.by_key.total() + self.plain + self.unreadable

    def add(self, secret: StoredSecret) -> None:
        """Count a secret."""
        match secret.value:
            case Sealed() as sealed:
                self.by_key[sealed.key_id] += 1
                self._samples.setdefault(sealed.key_id, (secret.organization_id, secret.name, sealed))
            case str():
                self.plain += 1
            case _:
                self.unreadable += 1

    def problems(self, keyring: Keyring | None) -> Iterator[str]:
        """Tell what a person should mend; without a keyring, nothing of keys.

        That a key is the right one is shown by one secret that it opens.
        """
        if self.plain:
            yield f"{counted(self.plain)} in plain text; run `relay keys seal`"
        if self.unreadable:
            yield f"{counted(self.unreadable)} sealed in a way that this version does not know, to be loaded anew"
        if keyring is None:
            return
        for key_id, count in sorted(self.by_key.items()):
            organization_id, name, sealed = self._samples[key_id]
            try:
                keyring.open(organization_id, name, sealed)
            except UnknownKey:
                yield f"{counted(count)} under the key {key_id}, which RELAY_KEYRING does not have; add it"
            except NotOpened as exc:
                yield f"{name} of {organization_id}: {exc}; it is another key, or the secret was moved there"


async def take_census(secrets: AsyncIterator[StoredSecret]) -> Census:
    """Count a store's secrets."""
    census = Census()
    async for secret in secrets:
        census.add(secret)
    return census


def counted(count: int) -> str:
    """Say how many secrets."""
    return f"{count} secret" if count == 1 else f"{count} secrets"
