"""How the service's log is written: one JSON object a line, or text on a terminal.

Modules log with the standard library; what varies goes into `extra` and becomes fields here. A line of JSON
never has the text of an exception, which may quote what a client sent: it has its class and where it was
raised. A person at a terminal sees the text, too.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

import orjson
import structlog

Format = Literal["auto", "console", "json"]
Event = dict[str, Any]
Render = Callable[[Event], str]

REQUEST_ID: ContextVar[str] = ContextVar("relay_request_id", default="")
"""The id of the request that is being answered; every line that is logged meanwhile has it."""


class RequestLines:
    """Writes the lines that requests have, past the standard library, which takes three times as long.

    What cannot be written is lost, and nothing else. Nothing is written where no log was configured:
    whoever runs the application in a server of their own has that one's log.
    """

    _levels: tuple[str, ...] = ()

    def open(self, stream: TextIO, render: Render, level: str) -> None:
        """Write from now on to a stream what is of a level, or above."""
        self._stream, self._render = stream, render
        self._levels = {"debug": ("debug", "info"), "info": ("info",)}.get(level, ())

    def close(self) -> None:
        """Write no more."""
        self._levels = ()

    def has(self, level: str) -> bool:
        """Whether lines of a level, debug or info, are written."""
        return level in self._levels

    def write(self, events: Iterable[Event]) -> None:
        """Write the lines of some requests at once: each write is a call of the system."""
        lines = [f"{self._render(event)}\n" for event in events]
        with suppress(OSError, ValueError):  # a full disk; a stream that was closed
            self._stream.write("".join(lines))
            self._stream.flush()


REQUESTS = RequestLines()


def configure(level: str, style: Format, stream: TextIO | None = None) -> None:
    """Send what the process logs to `stream` (stderr), each line once.

    `level` is the service's own; of its libraries only warnings are written: at its lowest level the
    driver of MongoDB tells whole commands.
    """
    stream = stream or sys.stderr
    handler: logging.Handler = logging.NullHandler()
    REQUESTS.close()
    if stream is not None:  # as it is in a process that was started without one
        is_console = style == "console" or (style == "auto" and stream.isatty())
        render = _console(colors=stream.isatty()) if is_console else _json()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(_Formatter(render, tells_texts=is_console))
        REQUESTS.open(stream, render, level)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("relay").setLevel(level.upper())
    # These two tell, a line each, what any client gets wrong; neither fills the disk for it.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class _Formatter(logging.Formatter):
    """Renders what the standard library logs: message and fields, with the request's id."""

    def __init__(self, render: Render, *, tells_texts: bool) -> None:
        super().__init__()
        self._render = render
        self._tells_texts = tells_texts

    def format(self, record: logging.LogRecord) -> str:
        """Return a line; several for an exception that a person is to see."""
        event: Event = {
            "event": record.getMessage(),
            "timestamp": timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        event |= {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        if request_id := REQUEST_ID.get():
            event["request_id"] = request_id
        if record.exc_info and self._tells_texts:
            event["exc_info"] = record.exc_info
        elif record.exc_info:
            event["exception"] = list(_told(record.exc_info[1]))
        if record.name == "asyncio" and not self._tells_texts:
            # Its second line shows a task, and with it an exception.
            event["event"] = event["event"].partition("\n")[0]
        return self._render(event)


# uvicorn says things twice, once with colours.
_OF_EVERY_RECORD = frozenset(
    [*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"]
)


def timestamp(at: datetime) -> str:
    """Write a moment of UTC as RFC 3339 section 5.6 has it, in microseconds."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _console(*, colors: bool) -> Render:
    """Return what writes for a person."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=colors,
        exception_formatter=structlog.dev.plain_traceback,
        sort_keys=False,
        repr_native_str=True,  # a path may hold what drives terminals
    )
    return lambda event: renderer(None, "", event)


def _told(exc: BaseException | None) -> Iterator[dict[str, Any]]:
    """Tell an exception and what it came of, the last one first."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        kind = type(exc)
        yield {"class": f"{kind.__module__}.{kind.__qualname__}", "at": _places(exc.__traceback__)}
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.StackSummary.extract(traceback.walk_tb(trace), lookup_lines=False)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _json() -> Render:
    """Return what writes for programs."""
    renderer = structlog.processors.JSONRenderer(serializer=_ascii)
    return lambda event: str(renderer(None, "", event))


def _ascii(event: Event, **_options: Any) -> str:
    """Serialise in ASCII: some characters in the paths of requests end lines elsewhere, or drive terminals."""
    try:
        line = orjson.dumps(event, default=repr).decode()
    except TypeError:  # half of a surrogate pair, a number of more than 64 bits
        line = ""
    return line if line and line.isascii() else json.dumps(event, default=repr)
