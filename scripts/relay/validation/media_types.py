"""The structure of header fields, media types, and the documented ones that cover them (RFC 9110 sections 8.3 and 12.5.1), sequential ones included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

T = TypeVar("T")

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
TEXT = "text/plain"
OCTETS = "application/octet-stream"
KINDS = (JSON, URLENCODED, MULTIPART, TEXT, OCTETS)
"""The media types that stand for all that are read and written like them."""

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 -- a token of RFC 9110 section 5.6.2

# A quoted string without its end takes the rest; the possessive quantifiers try nothing twice: the cost is linear in the
# length of a field, whatever it contains, since it is paid before a request is authenticated.
_QUOTED = r'"(?:[^"\\]|\\.)*+"?'
_PARTS = {
    separator: re.compile(rf'((?:[^{separator}"]++|{_QUOTED})*+)(?:{separator}|\Z)', re.DOTALL)
    for separator in (",", ";")
}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

_APART = ("charset", "boundary")
"""Parameters that say how a body is encoded; they do not distinguish documented media types."""

_SHORT = 200
"""The longest media type that is remembered, because entries may come from a header such as Accept."""


class MediaType(NamedTuple):
    """A media type in lower case, its charset in lower case, and its other parameters by name in lower case."""

    name: str
    charset: str
    parameters: frozenset[tuple[str, str]]

    @property
    def key(self) -> str:
        """The one spelling of the media type, without charset."""
        written = [f"; {name}={quoted(value)}" for name, value in sorted(self.parameters)]
        return "".join([self.name, *written])


def parse_media_type(header: str) -> MediaType:
    """Parse a Content-Type value. A repeated charset, or one in RFC 2231 encoding, gives an empty charset."""
    _, found = parameters(header)
    charsets = [(name, value) for name, value in found if name.partition("*")[0] == "charset"]
    charset = "utf-8" if not charsets else ""
    if [name for name, _ in charsets] == ["charset"]:
        charset = charsets[0][1].strip().lower()
    others = {name: value for name, value in found if name.partition("*")[0] not in _APART}
    return MediaType(essence(header), charset, frozenset(others.items()))


def is_json(name: str) -> bool:
    """Return True for application/json, `+json` (RFC 6839 section 3.1) and text/json (WHATWG MIME Sniffing)."""
    name = essence(name)
    return name in (JSON, "text/json") or name.endswith("+json")


def is_form(name: str) -> bool:
    """Return True for the media types of HTML forms."""
    return essence(name) in (URLENCODED, MULTIPART)


def is_range(name: str) -> bool:
    """Return True for `*/*`, `text/*` and the like, which no message can have."""
    return "*" in essence(name)


def kind_of(name: str) -> str:
    """Return the one of KINDS that a media type is read and written like."""
    name = essence(name)
    if is_json(name):
        return JSON
    if name in (URLENCODED, MULTIPART):
        return name
    return TEXT if name.startswith("text/") else OCTETS


def is_binary(name: str) -> bool:
    """Return True for a media type that is neither JSON, a form, XML nor another text."""
    name = essence(name)
    is_xml = name == "application/xml" or name.endswith("+xml")
    return not (is_json(name) or is_form(name) or is_xml or name.startswith("text/"))


def by_name(content: Mapping[str, T]) -> dict[str, T]:
    """Return `content` keyed by one spelling of each media type, as `find` expects it."""
    return {key_of(name): value for name, value in content.items()}


def key_of(media_type: str, *, without: str = "") -> str:
    """Return the spelling by which `by_name` knows a media type, without one parameter; `*` is read as `*/*`."""
    parsed = parse_media_type(media_type)
    others = frozenset(one for one in parsed.parameters if one[0] != without)
    return parsed._replace(name="*/*" if parsed.name == "*" else parsed.name, parameters=others).key


def find(media_type: str, content: Mapping[str, T]) -> T | None:
    """Return the value of the most specific entry of `content` that covers a media type; None if there is none.

    An entry with parameters covers only media types that have the same ones, apart from the charset.
    """
    given = parse_media_type(media_type)
    if (key := given.key) in content:
        return content[key]
    parsed = ((key, _remembered(key) if len(key) <= _SHORT else parse_media_type(key)) for key in content)
    ranked = [(rank, key) for key, one in parsed if (rank := _rank(one, given)) is not None]
    return content[max(ranked, key=lambda one: one[0])[1]] if ranked else None


def covers(documented: str, media_type: str) -> bool:
    """Return True if a documented media type, or range, covers a media type."""
    return find(media_type, by_name({documented: True})) is not None


def essence(media_type: str) -> str:
    """Return a media type in lower case, without parameters."""
    return media_type.partition(";")[0].strip().lower()


def _rank(documented: MediaType, given: MediaType) -> tuple[int, int] | None:
    """Return how specific a documented media type is for a given one; None if it does not cover it."""
    type_, slash, subtype = given.name.partition("/")
    if not slash or not documented.parameters <= given.parameters:
        return None
    _, plus, suffix = subtype.rpartition("+")
    names = ("*/*", f"{type_}/*", f"{type_}/*+{suffix}" if plus else given.name, given.name)
    return (names.index(documented.name), len(documented.parameters)) if documented.name in names else None


_remembered = lru_cache(maxsize=1024)(parse_media_type)


def quoted(value: str) -> str:
    """Return a token as it is, and any other text as a quoted string (RFC 9110 section 5.6.4)."""
    if re.fullmatch(TOKEN, value):
        return value
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'


_WEIGHT = re.compile(r"(0?\.\d{1,3}|0\.?|1(\.0{0,3})?)", re.ASCII)  # `.5` is sent, too


def read_accept(header: str) -> dict[str, float]:
    """Return media range → weight; the range as `find` expects it. Malformed weights are ignored."""
    weights: dict[str, float] = {}
    for element in elements(header):
        _, found = parameters(element)
        weight = dict(found).get("q", "1").strip()
        weights[key_of(element, without="q")] = float(weight) if _WEIGHT.fullmatch(weight) else 1.0
    return weights


def weight_of(media_type: str, weights: Mapping[str, float]) -> float:
    """Return the weight of a media type, with or without parameters, by the most specific range; 0 for none."""
    found = find(media_type, weights)
    if found is None:
        key = key_of(media_type)
        found = max((weight for name, weight in weights.items() if essence(name) == key), default=0.0)
    return found


def by_weight(media_types: Iterable[str], header: str | None) -> list[str]:
    """Return the acceptable media types, the most wanted first, equal ones in their order; all without a header."""
    if header is None:
        return [*media_types]
    weights = read_accept(header)
    weighted = [(weight_of(name, weights), name) for name in media_types]
    return [name for weight, name in sorted(weighted, key=lambda one: -one[0]) if weight > 0]


Kind = Literal["events", "lines", "texts", "parts"]
"""Server-sent events (WHATWG HTML), lines of JSON, JSON texts (RFC 7464), parts of multipart (RFC 2046)."""

EVENTS = "text/event-stream"

_LINES = frozenset(
    "application/jsonl application/x-jsonl application/jsonlines application/x-jsonlines"
    " application/ndjson application/x-ndjson".split()
)


FRAMES: dict[Kind, tuple[bytes, bytes]] = {"lines": (b"", b"\n"), "texts": (b"\x1e", b"\n")}
"""The bytes before and after an item of JSON."""


def kind_of_items(media_type: str) -> Kind | None:
    """Return how the items of a media type are written; None for one that is no known sequence."""
    name = essence(media_type)
    if name == EVENTS:
        return "events"
    if name in _LINES or name.endswith(("+jsonl", "+x-ndjson")):
        return "lines"
    if name == "application/json-seq" or name.endswith("+json-seq"):
        return "texts"
    return "parts" if name.startswith("multipart/") and name != MULTIPART and "*" not in name else None


def elements(field: str) -> list[str]:
    """Return the elements of a list, without empty ones (RFC 9110 section 5.6.1)."""
    return [part for part in _split(field, ",") if part]


def parameters(field: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what stands before the parameters, and each parameter with its name in lower case (section 5.6.6).

    A parameter without `=` has the value "". A list, because names can be repeated.
    """
    value, *parts = _split(field, ";")
    found: list[tuple[str, str]] = []
    for part in filter(None, parts):
        name, _, raw = part.partition("=")
        found.append((name.strip().lower(), unquoted(raw.strip())))
    return value, found


def unquoted(word: str) -> str:
    """Return the text of a quoted string (section 5.6.4); another word is returned as it is."""
    if len(word) > 1 and word[0] == word[-1] == '"':
        return _ESCAPED.sub(r"\1", word[1:-1])
    return word


def _split(field: str, separator: str) -> list[str]:
    return [part.strip() for part in _PARTS[separator].findall(field)]
