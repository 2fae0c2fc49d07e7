"""Conditional requests (RFC 9110 section 13) and range requests (section 14), for what has a length."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from relay.validation.http import HeaderList, header
from relay.validation.media_types import elements

MAX_RANGES = 32
"""Ranges of one request; with more, the whole is sent (RFC 9110 section 14.2)."""

_RANGE = re.compile(r"(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.ASCII)
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class Validators(NamedTuple):
    """The validators of what is sent (section 8.8); None if there is none."""

    etag: str | None
    modified: datetime | None


class Range(NamedTuple):
    """The bytes from `start` to before `end`."""

    start: int
    end: int


def evaluate(headers: HeaderList, validators: Validators) -> int | None:
    """Return 304 or 412 by the preconditions of a GET or HEAD (section 13.2.2), else None."""
    if_match, if_none_match = header(headers, b"if-match"), header(headers, b"if-none-match")
    if if_match is None:
        is_expected = not _is_newer(validators, _date(headers, b"if-unmodified-since"), default=False)
    else:
        is_expected = _matches(if_match, validators.etag, is_weak=False)
    if not is_expected:
        return 412
    if if_none_match is None:
        is_new = _is_newer(validators, _date(headers, b"if-modified-since"), default=True)
    else:
        is_new = not _matches(if_none_match, validators.etag, is_weak=True)
    return None if is_new else 304


def _is_newer(validators: Validators, date: datetime | None, *, default: bool) -> bool:
    return default if date is None or validators.modified is None else validators.modified > date


def ranges(headers: HeaderList, validators: Validators, size: int) -> list[Range] | None:
    """Return the satisfiable ranges of a GET, overlapping ones joined; [] is a 416, None the whole."""
    wanted = header(headers, b"range")
    if wanted is None or not size or not _is_current(headers, validators):
        return None
    unit, _, listed = wanted.partition("=")
    parts = elements(listed)
    if unit.strip().lower() != "bytes" or not 0 < len(parts) <= MAX_RANGES:
        return None
    found: list[Range] = []
    for part in parts:
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        first, last, suffix = match.groups()
        if first and last and int(last) < int(first):
            return None
        start = int(first) if first else max(size - int(suffix), 0)
        end = min(int(last) + 1, size) if last else size
        if start < end:
            found.append(Range(start, end))
    return _joined(found)


def _joined(found: list[Range]) -> list[Range]:
    """Join ranges that overlap or touch (section 15.3.7.2); others stay in the order of the request."""
    joined: list[Range] = []
    for one in sorted(found):
        if joined and one.start <= joined[-1].end:
            joined[-1] = Range(joined[-1].start, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    return found if len(joined) == len(found) else joined


def _is_current(headers: HeaderList, validators: Validators) -> bool:
    """Return True if If-Range is absent, or names the current version exactly (section 13.1.5)."""
    condition = header(headers, b"if-range")
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return condition == validators.etag and not condition.startswith("W/")
    date = _date(headers, b"if-range")
    return date is not None and date == validators.modified


def _matches(listed: str, etag: str | None, *, is_weak: bool) -> bool:
    """Return True if a list of entity tags has the current one; `*` is any (section 8.8.3.2)."""
    if listed.strip() == "*":
        return True
    if etag is None:
        return False
    current = _TAG.fullmatch(etag)
    assert current is not None
    if not is_weak and current[1]:
        return False
    return any(tag == current[2] and (is_weak or not weak) for weak, tag in _TAG.findall(listed))


def entity_tag(value: str) -> str | None:
    """Return an entity tag; None for what is none (section 8.8.3)."""
    return value if _TAG.fullmatch(value) else None


def http_date(value: str) -> datetime | None:
    """Return a date; None for what is none (section 5.6.7)."""
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _date(headers: HeaderList, name: bytes) -> datetime | None:
    value = header(headers, name)
    return None if value is None else http_date(value)
