"""Keeps what the type generator made: to generate takes longer than all the rest of a command.

The files are in `$XDG_CACHE_HOME/relay/types`, by default `~/.cache/relay/types`; they can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import type_generator
from .type_generator import Generated, generate_within_limits

KEPT = 100
"""Files that are kept; a file has the classes of one state of one contract."""


def generated(document: dict[str, Any]) -> Generated:
    """Return the classes of a document's components, kept or generated. Raises CannotGenerate."""
    path = _path(document)
    with suppress(OSError, ValueError, TypeError):
        found = Generated(**json.loads(path.read_bytes()))
        path.touch()
        return found
    made = generate_within_limits(document)
    with suppress(OSError):  # such as a read-only file system
        _keep(path, json.dumps(made._asdict()))
    return made


def _path(document: dict[str, Any]) -> Path:
    generator = f"{version('datamodel-code-generator')} {sys.version}".encode()
    source = Path(type_generator.__file__).read_bytes()  # it has the options
    digest = hashlib.sha256(b"\0".join([generator, source, json.dumps(document).encode()])).hexdigest()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 -- without a home it stays as it is
    return Path(base) / "relay" / "types" / f"{digest}.json"


def _keep(path: Path, text: str) -> None:
    """Write a file at once, for others may read it, and delete the oldest."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
    oldest_first = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
    for old in oldest_first[:-KEPT]:
        old.unlink(missing_ok=True)
