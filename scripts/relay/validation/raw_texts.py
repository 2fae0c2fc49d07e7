"""The texts of a request by name, before they are converted: percent-decoded, and as they were sent.

A separator that is percent-encoded belongs to the item that contains it (RFC 6570 section 3.2.8), so lists and
objects are split before they are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, quote, unquote, unquote_plus

from relay.contract.model import Location
from relay.contract.path_templates import VARIABLE, literal

from .http import MALFORMED, MALFORMED_OR_NUL

MAX_FIELDS = 1000

Texts = Mapping[str, list[str]]
"""Name → values in order."""

T = TypeVar("T")


class Raw:
    """The texts of one location: percent-decoded, except in headers and cookies, and `written` as they were sent."""

    __slots__ = ("_write", "texts")

    def __init__(self, texts: Texts, write: Callable[[], Texts] | None = None) -> None:
        self.texts = texts
        self._write = write

    @property
    def written(self) -> Texts:
        """The texts as they were sent, which only styles with separators need."""
        return self.texts if self._write is None else self._write()


NO_TEXTS = Raw({})
"""Those of an empty query."""


def urlencoded(text: bytes, *, refuses_nul: bool = False) -> Raw:
    """Return the values of a query, or of an urlencoded form.

    Raises ValueError for text that is not percent-encoded UTF-8, or has more than MAX_FIELDS fields; with
    `refuses_nul` also for NUL.
    """
    sent = text.decode("ascii")
    if (MALFORMED_OR_NUL if refuses_nul else MALFORMED).search(sent):
        raise ValueError("not percent-encoded text")
    pairs = parse_qsl(sent, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    is_plain = "%" not in sent and "+" not in sent
    return Raw(by_name(pairs), None if is_plain else lambda: _written(pairs, sent))


def _written(pairs: list[tuple[str, str]], sent: str) -> Texts:
    values = [pair.partition("=")[2] for pair in sent.split("&") if pair]
    return by_name((name, value) for (name, _), value in zip(pairs, values, strict=True))


def unencoded(texts: Texts) -> Raw:
    """Return texts that were sent without percent-encoding."""
    return Raw(
        texts,
        lambda: {name: [quote(one, safe=_SEPARATORS) for one in several] for name, several in texts.items()},
    )


def by_name(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    """Return the values of each name in order."""
    values: dict[str, list[T]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


class PathTexts:
    """Finds the variables of one path as they were sent."""

    def __init__(self, path: str) -> None:
        segments = path.split("/")
        self._segments = [
            (index - len(segments), VARIABLE.findall(segment), [*map(literal, VARIABLE.split(segment)[::2])])
            for index, segment in enumerate(segments)
            if VARIABLE.search(segment)
        ]

    def of(self, variables: Mapping[str, str], raw_path: bytes | None) -> Raw:
        """Return the variables of a request's path. Without `raw_path`, no separator counts as encoded."""
        texts = {name: [value] for name, value in variables.items()}
        if raw_path is not None and b"%" not in raw_path:
            return Raw(texts)
        return Raw(texts, lambda: self._written(variables, raw_path))

    def _written(self, variables: Mapping[str, str], raw_path: bytes | None) -> Texts:
        sent = self._sent(variables, raw_path.decode("latin-1").split("/")) if raw_path else {}
        return {
            name: [sent[name] if unquote(sent.get(name, "")) == value else quote(value, safe=_SEPARATORS)]
            for name, value in variables.items()
        }

    def _sent(self, variables: Mapping[str, str], sent: list[str]) -> dict[str, str]:
        """Return the variables as sent: each is where its decoded value is in the decoded segment."""
        found: dict[str, str] = {}
        for index, names, (first, *rest) in self._segments:
            characters = _CHARACTER.findall(sent[index]) if len(sent) >= -index else []
            start = len(first)
            for name, piece in zip(names, rest, strict=True):
                end = start + len(variables.get(name, ""))
                found[name] = "".join(characters[start:end])
                start = end + len(piece)
        return found


_CHARACTER = re.compile("%[c-f][0-9a-f](?:%[89ab][0-9a-f])+|%[0-7][0-9a-f]|.", re.IGNORECASE | re.DOTALL)
"""A character of a path, which may be percent-encoded UTF-8."""

_SEPARATORS = ",.;=|"


def _decoded_cookie(value: str) -> str:
    """Return an item of a cookie; cookies have no encoding of their own, so another text stays as it is."""
    if MALFORMED_OR_NUL.search(value):
        return value
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value


DECODERS: dict[Location, Callable[[str], str]] = {
    "path": unquote,
    "query": unquote_plus,
    "header": str,
    "cookie": _decoded_cookie,
    "querystring": unquote,
}
"""How the items of lists and objects are decoded. Texts of paths and queries are known to be decodable."""
