"""The keys of `paths`: their variables, their shape, and the part of them that a request can have.

A path of a request ends before `?`, and `#` is never sent (RFC 3986, sections 3.4 and 3.5), so a key that has one is
served at the path before it where no other operation has that path and method, and always with `?` and `#`
percent-encoded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote, unquote

VARIABLE = re.compile(r"\{([^{}]*)\}")
_REQUESTED = re.compile(r"(?:\{[^{}]*\}|[^?#])*")


def requested(path: str) -> str:
    """Return the part of a path's key that can be in a request: what is before a query or a fragment."""
    match = _REQUESTED.match(path)
    return match[0] if match else path


def variables(path: str) -> list[str]:
    """Return the names of the variables in the part that can be in a request."""
    return VARIABLE.findall(requested(path))


def literal(text: str) -> str:
    """Return a part of a key without percent-encoding, as the parts of a request's path are compared."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


def encoded(path: str) -> str:
    """Return a path's key as a request writes it, percent-encoded except for its variables."""
    parts = re.split(r"(\{[^{}]*\})", path)
    return "".join(part if index % 2 else _quoted(part) for index, part in enumerate(parts))


def _quoted(text: str) -> str:
    return "/".join(quote(literal(segment), safe=":;,@!$&'()*+=~") for segment in text.split("/"))


def shape(path: str) -> tuple[str, ...]:
    """Return the segments of a path without the names of its variables.

    Two paths of one shape match the same requests.
    """
    return tuple("{}".join(map(literal, VARIABLE.split(segment)[::2])) for segment in path.split("/"))


def unmatchable(path: str) -> str | None:
    """Return why no request can match a path; None if one can."""
    rest = VARIABLE.sub("", path)
    if "{" in rest or "}" in rest:
        return "a brace has no partner; write a variable as {name}, and other braces as %7B and %7D"
    names = VARIABLE.findall(path)
    if "" in names:
        return "a variable has no name; write it as {name}"
    if any("/" in name for name in names):
        return "a variable has a slash in its name; rename it"
    return None


def requested_alone(routes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the path before `?` or `#` of each method and path that is the only one for those requests."""
    routes = list(routes)
    claims = Counter((method, shape(requested(path))) for method, path in routes)
    return {
        (method, path): requested(path)
        for method, path in routes
        if requested(path) != path and claims[method, shape(requested(path))] == 1
    }
