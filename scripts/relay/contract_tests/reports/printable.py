"""Text from outside, made fit to be shown: nothing in it steers a terminal, a parser or a reader's eye."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from relay.contract_tests.exchanges import Exchange
from relay.validation import media_types as media
from relay.validation.json_strict import NotJson, parse_json

MAX_TEXT = 20_000
"""How many characters of one text are shown; a command that reproduces a failure fits in."""

MAX_BODY = 2048
"""How many characters of an answer's body are shown."""

_MAX_PRETTY = 64 * 1024
_MAX_HEX = 32

# What XML 1.0 has no spelling for, and what turns the order of letters around without being seen.
_UNFIT = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def fit(text: str) -> str:
    r"""Return a text with its unfit characters written out (`\x00`, `\u202e`), cut at MAX_TEXT."""
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}… ({len(text):,} characters in all)"
    return _UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def body_text(exchange: Exchange) -> str:
    """Return an answer's body to be read: JSON laid out, bytes that are no text in hexadecimal, all of it cut."""
    body = exchange.body
    if body is None:
        return "the body was not recorded"
    try:
        text = _pretty(body, exchange) or body.decode()
    except UnicodeDecodeError:
        start = body[:_MAX_HEX].hex(" ")
        return f"{len(body):,} bytes that are not text: {start}{' …' * (len(body) > _MAX_HEX)}"
    if len(text) > MAX_BODY:
        text = f"{text[:MAX_BODY]}… ({len(body):,} bytes in all)"
    return fit(text)


def _pretty(body: bytes, exchange: Exchange) -> str | None:
    if len(body) > _MAX_PRETTY or not media.is_json(exchange.header("content-type") or ""):
        return None
    try:
        return json.dumps(parse_json(body), indent=2, ensure_ascii=False)
    except NotJson:
        return None


def answer_line(exchange: Exchange) -> str:
    """Return an answer's status and media type: `200 application/json`."""
    return f"{exchange.status} {exchange.header('content-type') or 'of no media type'}"


def signed_in_as(exchange: Exchange) -> str:
    """Return who asked: `as admin`."""
    return f"as {exchange.credential}" if exchange.credential else "without a credential"


def shown_by(count: int) -> str:
    """Return how many exchanges showed a failure."""
    return f"{count:,} exchange{'s' * (count != 1)}"


def expected_statuses(expected: Sequence[int]) -> str:
    """Write statuses short: `400 or 422`, `200 to 499`."""
    runs: list[list[int]] = []
    for status in sorted(expected):
        if runs and status == runs[-1][-1] + 1:
            runs[-1].append(status)
        else:
            runs.append([status])
    return " or ".join(
        f"{run[0]} to {run[-1]}" if len(run) > 2 else " or ".join(map(str, run)) for run in runs
    )
