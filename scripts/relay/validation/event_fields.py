"""The fields of an event of `text/event-stream`, as lines (WHATWG HTML, "Server-sent events", "Parsing")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .violations import Violation

FIELDS = ("event", "id", "retry", "data")
_LINE_BREAK = re.compile("\r\n|\r|\n")
_NO_LINE = {"event": re.compile("[\r\n]"), "id": re.compile("[\r\n\0]")}


def with_one_line_break(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields as clients read them: of data, each line break is a line feed."""
    data = fields.get("data")
    if isinstance(data, str) and "\r" in data:
        return {**fields, "data": _LINE_BREAK.sub("\n", data)}
    return dict(fields)


def unwritable(fields: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield what of an event's fields has no form in an event stream."""
    for name in fields.keys() - FIELDS:
        yield Violation(f"/{name}", "event", "an event has only the fields data, event, id and retry")
    for name, value in fields.items():
        if name == "retry":
            if type(value) is not int or value < 0:
                yield Violation("/retry", "event", "the time must be a number of milliseconds")
        elif name in FIELDS and not isinstance(value, str):
            yield Violation(f"/{name}", "type", "the field of an event must be text")
        elif name in _NO_LINE and _NO_LINE[name].search(value):
            yield Violation(f"/{name}", "event", "the field must not contain a line break, nor an id NUL")


def as_lines(fields: Mapping[str, Any], comment: str | None) -> str:
    """Return an event, or a comment, with the empty line at its end."""
    lines = [f": {line}" for line in _LINE_BREAK.split(comment)] if comment is not None else []
    lines += [f"{name}: {fields[name]}" for name in FIELDS[:-1] if name in fields]
    if "data" in fields:
        lines += [f"data: {line}" for line in fields["data"].split("\n")]
    return "\n".join([*lines, "", ""])
