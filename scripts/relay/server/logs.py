"""The service's log: one JSON object a line, or text on a terminal.

Modules log with the standard library; variable data in `extra` becomes fields of the line. A JSON line never
contains the text of an exception, which may quote a request; it has the exception's class and location. The
console format includes the text.
"""

from __future__ import annotations

import atexit
import io
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import orjson

from relay.contract.printable import terminal_line
from relay.project.named_modules import is_own

from .log_stream import LogStream

if TYPE_CHECKING:
    import structlog

Format = Literal["auto", "console", "json"]
Event = dict[str, Any]
Render = Callable[[Event], str]
Lines = TextIO | LogStream

_UNENDED = "ASGI callable returned without completing response."

REQUEST_ID: ContextVar[str] = ContextVar("relay_request_id", default="")
"""The id of the current request; every log line written during the request has it."""


class RequestLines:
    """Writes request lines in a third of the standard library's time; before `open`, it writes none."""

    _levels: tuple[str, ...] = ()
    _stream: Lines | None = None

    def open(self, stream: Lines, render: Render, level: str) -> None:
        """Start writing the lines of a level and above to a stream."""
        self._stream, self._render = stream, render
        self._levels = {"debug": ("debug", "info"), "info": ("info",)}.get(level, ())

    def close(self) -> None:
        """Stop writing."""
        self._levels = ()

    @property
    def dropped(self) -> int:
        """The number of lines of the log that were dropped because they were not read."""
        return self._stream.dropped if isinstance(self._stream, LogStream) else 0

    def has(self, level: str) -> bool:
        """Return True if lines of a level, debug or info, are written."""
        return level in self._levels

    def write(self, events: Iterable[Event]) -> None:
        """Write the lines of several requests with one system call."""
        lines = [f"{self._render(event)}\n" for event in events]
        if self._stream is None:
            return
        with suppress(OSError, ValueError):  # a full disk, or a closed stream
            self._stream.write("".join(lines))
            self._stream.flush()


REQUESTS = RequestLines()


def configure(level: str, style: Format, stream: TextIO | None = None) -> None:
    """Send the log to `stream` (default: stderr); libraries only warn, as drivers log whole commands."""
    target = stream or sys.stderr
    handler: logging.Handler = logging.NullHandler()
    REQUESTS.close()
    if target is not None:  # None in a process that was started without stderr
        is_console = style == "console" or (style == "auto" and target.isatty())
        render = _console(colors=target.isatty()) if is_console else _ascii
        lines = stream or _stderr(render)
        handler = logging.StreamHandler(lines)
        handler.setFormatter(_Formatter(render, includes_text=is_console))
        # The observer has recorded why a stream has no end.
        handler.addFilter(lambda record: record.name != "uvicorn.error" or record.msg != _UNENDED)
        REQUESTS.open(lines, render, level)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("relay").setLevel(level.upper())
    # These two log a line for each invalid request, so any client could fill the disk.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def set_levels(level: str, modules: Iterable[str], folder: Path) -> None:
    """Let a service's modules, and others of its folder, log from a level; their own levels stay."""
    for name in {*(one.partition(".")[0] for one in modules), *_modules_in(folder)}:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(level.upper())


def _modules_in(folder: Path) -> Iterator[str]:
    """Yield the modules and packages of a folder that are imported, by their first name."""
    for name, module in sys.modules.copy().items():
        file, first = getattr(module, "__file__", None), name.partition(".")[0]
        if file is not None and first not in sys.stdlib_module_names and is_own(Path(file), folder):
            yield first


def _stderr(render: Render) -> Lines:
    def report(dropped: int) -> str:
        event = _event("log lines dropped", datetime.now(UTC), "warning", "relay")
        return f"{render(event | {'lines': dropped})}\n"

    stream = LogStream(sys.stderr.fileno(), report)
    atexit.register(stream.close)
    return stream


class _Formatter(logging.Formatter):
    def __init__(self, render: Render, *, includes_text: bool) -> None:
        super().__init__()
        self._render = render
        self._includes_text = includes_text

    def format(self, record: logging.LogRecord) -> str:
        created = datetime.fromtimestamp(record.created, UTC)
        event = _event(record.getMessage(), created, record.levelname.lower(), record.name)
        event |= {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        if request_id := REQUEST_ID.get():
            event["request_id"] = request_id
        if record.exc_info and self._includes_text:
            event["exc_info"] = record.exc_info
        elif record.exc_info:
            event["exception"] = list(_exception_chain(record.exc_info[1]))
        if record.name == "asyncio" and not self._includes_text:
            # Its second line shows a task, with the text of its exception.
            event["event"] = event["event"].partition("\n")[0]
        return self._render(event)


# `color_message` repeats uvicorn's message with colours.
_OF_EVERY_RECORD = frozenset(
    [*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"]
)


def _event(text: str, at: datetime, level: str, logger: str) -> Event:
    return {"event": text, "timestamp": timestamp(at), "level": level, "logger": logger}


def timestamp(at: datetime) -> str:
    """Format a UTC time as in RFC 3339 section 5.6, with microseconds."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _console(*, colors: bool) -> Render:
    import structlog  # only for people: a service that logs JSON starts sooner without it

    renderer = structlog.dev.ConsoleRenderer(
        colors=colors,
        exception_formatter=_printable_traceback,
        sort_keys=False,
        repr_native_str=True,  # a path may contain terminal control characters
    )
    return lambda event: renderer(None, "", {**event, "event": terminal_line(event["event"])})


def _printable_traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback; the texts in it may be a client's."""
    import structlog

    text = io.StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    stream.write("\n".join(map(terminal_line, text.getvalue().split("\n"))))


def _exception_chain(exc: BaseException | None) -> Iterator[dict[str, Any]]:
    """Yield the class and locations of an exception and its causes, the last one first."""
    visited: set[int] = set()
    while exc is not None and id(exc) not in visited:
        visited.add(id(exc))
        kind, trace = type(exc), traceback.walk_tb(exc.__traceback__)
        frames = traceback.StackSummary.extract(trace, lookup_lines=False)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        yield {"class": f"{kind.__module__}.{kind.__qualname__}", "at": places}
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _ascii(event: Event) -> str:
    """Serialise in ASCII: a path may contain Unicode line separators or terminal control characters."""
    try:
        line = orjson.dumps(event, default=repr).decode()
    except TypeError:  # an unpaired surrogate, or an integer of more than 64 bits
        line = ""
    line = line if line and line.isascii() else json.dumps(event, default=repr)
    return line.replace("\x7f", "\\u007f")
