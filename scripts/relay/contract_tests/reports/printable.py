"""Text of a run for its reports: escaped, cut, in words."""

import json
from collections.abc import Sequence
from itertools import groupby

from relay.contract import printable
from relay.contract_tests.exchanges import Exchange
from relay.validation import media_types as media
from relay.validation.json_strict import NotJson, parse_json

MAX_TEXT = 20_000  # the number of characters of one text that are shown, enough for a curl command
MAX_BODY = 2048  # the number of characters of a response's body that are shown
_MAX_PRETTY = 64 * 1024
_MAX_HEX = 32


def escape_unprintable(text: str) -> str:
    r"""Return a text with unprintable characters escaped (`\x00`, `\u202e`), cut at MAX_TEXT."""
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}… ({len(text):,} characters in all)"
    return printable.escape_unprintable(text)


def body_text(exchange: Exchange) -> str:
    """Return a response's body for display: JSON indented, binary data in hexadecimal, cut at MAX_BODY."""
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
    return escape_unprintable(text)


def _pretty(body: bytes, exchange: Exchange) -> str | None:
    if len(body) > _MAX_PRETTY or not media.is_json(exchange.header("content-type") or ""):
        return None
    try:
        return json.dumps(parse_json(body), indent=2, ensure_ascii=False)
    except NotJson:
        return None


def answer_line(exchange: Exchange) -> str:
    """Return a response's status and media type: `200 application/json`."""
    return f"{exchange.status} {exchange.header('content-type') or 'without a media type'}"


def signed_in_as(exchange: Exchange) -> str:
    """Return the credential of a request: `as admin`."""
    return f"as {exchange.credential}" if exchange.credential else "without a credential"


def shown_by(count: int) -> str:
    """Return the number of exchanges that showed a failure, as text."""
    return f"{count:,} exchange{'s' * (count != 1)}"


def expected_statuses(expected: Sequence[int]) -> str:
    """Return statuses in short form: `400 or 422`, `200 to 499`."""
    # The distance to its index is the same for each of consecutive statuses.
    runs = [
        [status for _, status in run]
        for _, run in groupby(enumerate(sorted(expected)), lambda one: one[1] - one[0])
    ]
    return " or ".join(
        f"{run[0]} to {run[-1]}" if len(run) > 2 else " or ".join(map(str, run)) for run in runs
    )
