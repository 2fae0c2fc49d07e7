"""The ASGI middlewares that a handlers package exports, each with its position among the stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError

from .framework import MiddlewarePosition

_FORM = "each item of `middleware` is (class, position) or (class, position, options)"
_POSITIONS = MiddlewarePosition.__members__


class PackageMiddleware(NamedTuple):
    """An ASGI middleware class, called with the next application and the options."""

    kind: Any
    position: MiddlewarePosition
    options: Mapping[str, Any]


def read_middleware(items: Any) -> list[PackageMiddleware]:
    """Return the middlewares that a package exports, the outermost first.

    A position is one of Connexion's, or its name, such as `BEFORE_ROUTING`. Raises SetupError.
    """
    if not isinstance(items, Iterable):
        raise SetupError([Diagnostic("middleware", f"must be a list; {_FORM}")])
    problems: list[Diagnostic] = []
    found = [one for item in items if (one := _read(item, problems)) is not None]
    if problems:
        raise SetupError(problems)
    return found


def _read(item: Any, problems: list[Diagnostic]) -> PackageMiddleware | None:
    if not (isinstance(item, tuple) and len(item) in (2, 3) and callable(item[0])):
        problems.append(Diagnostic("middleware", _FORM))
        return None
    kind, position, *rest = item
    name = str(getattr(position, "name", position))
    if name not in _POSITIONS:
        message = f"{kind.__name__}: the position must be one of {', '.join(_POSITIONS)}"
        problems.append(Diagnostic("middleware", message))
        return None
    options = rest[0] if rest else {}
    if not isinstance(options, Mapping):
        problems.append(Diagnostic("middleware", f"{kind.__name__}: the options must be a mapping"))
        return None
    return PackageMiddleware(kind, _POSITIONS[name], options)
