"""Names that usually have a secret as their value, for what a contract does not mark."""

from __future__ import annotations

import functools
import re

# Between the words of `apiKey`, `JWTToken` (but not of `JWTs`), `X-API-Key`, `api.key`.
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])|[-. ]")
_SECRET = re.compile(
    r"""
    passw(or)?d | passphrase | secret (?! ar[iy]) | credential | authorization | signature | assertion
  | (api|access|private|signing|encryption|account|master|ssh) _? key
  | (access|auth|refresh|(?<![a-z])id|session|csrf|xsrf|bearer|api|security) _? tokens? (?![a-z])
  | (?<![a-z]) (token (?! _(count|type|limit|usage|expir)) | jwts? | otps? | auth | sids? | pwds?) (?![a-z])
  | session _? id
    """,
    re.VERBOSE,
)
_CURSOR = re.compile("(page|next|continuation|cursor|sync)_?token")

MAY_NAME = re.compile(
    rb"passw|passphrase|secret|credential|authorization|signature|assertion|key|token|jwt|otp|auth|sid|pwd|session",
    re.IGNORECASE,
)
"""Finds every body that may have such a name."""


@functools.lru_cache(maxsize=10_000)
def names_secret(name: str) -> bool:
    """Return True if values with this name are usually secret: a password, a key, a token, a signature.

    A token that continues a list (`next_page_token`) is not secret.
    """
    words = _JOINT.sub("_", name).lower()
    return _SECRET.search(words) is not None and _CURSOR.search(words) is None
