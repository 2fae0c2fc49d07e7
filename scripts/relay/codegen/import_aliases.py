"""The names in an import statement: read them, and order and lay them out as formatters do."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import libcst as cst

from relay.project.syntax import dotted


def aliases_of(statement: cst.ImportFrom) -> Sequence[cst.ImportAlias]:
    """Return the names that a statement imports; none for `import *`."""
    return () if isinstance(statement.names, cst.ImportStar) else statement.names


def is_plain(statement: cst.ImportFrom) -> bool:
    """Whether a statement imports names, all without an alias."""
    return bool(aliases_of(statement)) and all(alias.asname is None for alias in aliases_of(statement))


def bound_name(alias: cst.ImportAlias) -> str:
    """Return the name that an import binds."""
    return dotted(alias.asname.name) if alias.asname else dotted(alias.name)


def is_exported(alias: cst.ImportAlias) -> bool:
    """Whether an import re-exports the name (`x as x`)."""
    return alias.asname is not None and dotted(alias.asname.name) == dotted(alias.name)


def ordered(aliases: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    """Sort names as formatters do: constants, classes, then the rest; digits compare as numbers."""
    return sorted(aliases, key=lambda alias: _name_key(dotted(alias.name)))


def listed(aliases: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    """Return the names sorted, on one line."""
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    in_order = ordered(aliases)
    last = len(in_order) - 1
    return [
        alias.with_changes(comma=cst.MaybeSentinel.DEFAULT if index == last else comma)
        for index, alias in enumerate(in_order)
    ]


def joined(aliases: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    """Add missing commas between names; each name keeps its layout."""
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [
        alias.with_changes(comma=comma)
        if isinstance(alias.comma, cst.MaybeSentinel) and index < len(aliases) - 1
        else alias
        for index, alias in enumerate(aliases)
    ]


def _name_key(name: str) -> tuple[int, list[tuple[int, str]], str]:
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    parts = re.findall(r"\d+|\D+", name.lower())
    return kind, [(int(part), "") if part.isdecimal() else (sys.maxsize, part) for part in parts], name
