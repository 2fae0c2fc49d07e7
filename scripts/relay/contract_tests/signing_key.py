"""The key with which a run signs tokens for a service that it starts, and the schemes for which it cannot."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from pydantic import SecretStr

from relay.contract.model import Contract
from relay.project.project import Project
from relay.project.settings import token_keys
from relay.server.security import token_schemes
from relay.server.token_minting import with_development_key

from .service_under_test import ContractSettings


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The settings with the key that signs tokens.

    `fresh` is a secret that the service has to get. `by_function` are the schemes whose tokens functions verify, and
    that this key does not sign.
    """

    settings: ContractSettings
    fresh: str | None = None
    by_function: frozenset[str] = frozenset()


def signing_key(
    contract: Contract, settings: ContractSettings, verified: Collection[str], project: Project
) -> SigningKey:
    """Return the key for a service in whose schemes of tokens those in `verified` have a function.

    A key of the settings signs for all schemes. Without one, a service whose tokens no function verifies gets a fresh
    secret. It would replace the functions that the contract names, so a service that has both uses the project's
    development key, as `relay serve` does.
    """
    schemes = token_schemes(contract)
    by_function = schemes & {*verified}
    if token_keys(settings) or not schemes:
        return SigningKey(settings)
    if not by_function:
        fresh = secrets.token_urlsafe(48)
        return SigningKey(settings.model_copy(update={"jwt_secret": SecretStr(fresh)}), fresh)
    if schemes - by_function:
        return SigningKey(with_development_key(project, settings), None, by_function)
    return SigningKey(settings, None, frozenset() if settings.jwt_private_key else by_function)
