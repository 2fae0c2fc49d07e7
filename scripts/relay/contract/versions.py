"""The versions of OpenAPI that a contract may have."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

Version = Literal["3.0", "3.1", "3.2"]

VERSIONS: tuple[Version, ...] = get_args(Version)


def version_of(document: Any) -> Version | None:
    """Return the version of a document, without its patch; None for other versions, and for other documents."""
    written = document.get("openapi") if isinstance(document, dict) else None
    found = re.fullmatch(r"(3\.[012])\.\d+(-.+)?", written) if isinstance(written, str) else None
    return next((one for one in VERSIONS if found is not None and one == found[1]), None)
