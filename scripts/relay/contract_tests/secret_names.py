"""Names that usually have a secret as their value, for what a contract does not mark."""

from __future__ import annotations

import functools
import re

_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]")  # between the words of `apiKey`, `X-API-Key`, `api.key`
_SECRET = re.compile(
    r"""
    passw(or)?d | passphrase | secret | credential | authorization | signature | assertion
  | (api|access|private|signing|encryption|account|master) _? key
  | (access|auth|refresh|id|session|csrf|xsrf|bearer|api|security) _? token (?![a-z])
  | (?<![a-z]) (token (?! _(count|type|limit|usage|expir)) | jwt | otp | auth | sid | pwd) (?![a-z])
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

    A token that continues a list (`next_page_token`) is none.
    """
    words = _JOINT.sub("_", name).lower()
    return _SECRET.search(words) is not None and _CURSOR.search(words) is None
