"""Creates the verifier of bearer tokens from the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.project.project import variable
from relay.project.settings import Settings, token_keys

from .keys import KeyProblem, Keys, KeySet, public_key, secret_key
from .tokens import Policy, TokenVerifier


def token_verifier(settings: Settings) -> TokenVerifier | None:
    """Return the verifier of bearer tokens; None if no key is set.

    Raises SetupError for a weak or unreadable key, or if several kinds of keys are set.
    """
    configured = token_keys(settings)
    if len(configured) > 1:
        names = " and ".join(map(variable, configured))
        raise SetupError([Diagnostic(names, "only one kind of key can verify tokens; set only one of them")])
    policy = Policy(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        type=settings.jwt_type,
        leeway=settings.jwt_leeway,
        max_life=settings.jwt_max_life,
        cache_seconds=settings.jwt_cache_seconds,
    )
    for name, value in configured.items():
        try:
            return TokenVerifier(_keys(name, value), policy)
        except KeyProblem as exc:
            raise SetupError([Diagnostic(variable(name), str(exc))]) from exc
    return None


def _keys(name: str, value: Any) -> Keys:
    text: str = value.get_secret_value()
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
