"""Decides which faults of a contract are errors in each version of OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .diagnostics import Diagnostic, Severity

_WARNINGS_SINCE_3_1 = frozenset(["remote-ref", "undeclared-path-parameter", "unused-path-parameter"])
_SCHEMES = "undefined-security-scheme"


def judged(faults: Iterable[Diagnostic], version: str, *, has_schemes: bool) -> list[Diagnostic]:
    """Return the faults of a contract of a version with their severities; `has_schemes` if it defines security schemes.

    From 3.1 on a description may be made of several documents, so a valid one may refer to others, which Relay does
    not fetch, or to security schemes that only another one defines. Its paths and their parameters are not compared by
    the specification's own schema.
    """
    if version == "3.0":
        return [*faults]
    lenient = _WARNINGS_SINCE_3_1 if has_schemes else _WARNINGS_SINCE_3_1 | {_SCHEMES}
    return [replace(one, severity=Severity.WARNING) if one.rule in lenient else one for one in faults]
