"""Runs a package's plain functions in threads of their own, so that they may block."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from .errors import report

_log = logging.getLogger("relay")

T = TypeVar("T")
Function = Callable[..., Any]
Late = Callable[[Future[T]], None]
"""Called when a function ends whose caller does not wait any more."""


class Threads:
    """At most `limit` threads; one more function waits until one is free."""

    def __init__(self, name: str, limit: int) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the functions that wait; those that run cannot be interrupted."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def as_async(self, function: Function) -> Callable[..., Awaitable[Any]]:
        """Return an awaitable form of `function`; a synchronous one runs in a thread."""
        if inspect.iscoroutinefunction(function):
            return function

        @functools.wraps(function)
        async def in_thread(*positional: Any, **named: Any) -> Any:
            return await self.run(functools.partial(function, *positional, **named))

        return in_thread

    async def run(self, function: Callable[[], T], late: Late[T] | None = None) -> T:
        """Return a function's result; if cancelled, log what it raises, and call `late` when it ends."""
        context = contextvars.copy_context()
        work = self._pool.submit(context.run, _called, function)
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            work.add_done_callback(lambda done: context.run(_log_failure, done))
            if late is not None:
                work.add_done_callback(late)
            raise

    def start(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function in a thread, also if its result is not awaited."""
        work = functools.partial(contextvars.copy_context().run, function)
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def begin(self, function: Callable[[], object]) -> None:
        """Run a function that no request waits for; not when the service has ended. May be called in any thread."""
        with suppress(RuntimeError):
            context = contextvars.copy_context()
            self._pool.submit(context.run, function).add_done_callback(
                lambda done: context.run(_log_failure, done)
            )

    def bound(self, function: Function, collaborators: Mapping[str, Any]) -> Callable[..., Awaitable[Any]]:
        """Return an awaitable form of `function` with the collaborators that it accepts already bound."""
        accepts = accepting(function)
        names = {name: value for name, value in collaborators.items() if accepts(name)}
        awaitable = self.as_async(function)
        return functools.partial(awaitable, **names) if names else awaitable


@dataclass(frozen=True, slots=True)
class ThreadPools:
    """Threads by purpose: a request that waits for an object takes no thread from one that returns it."""

    handlers: Threads
    identity: Threads
    opening: Threads
    closing: Threads

    @classmethod
    @contextmanager
    def opened(cls, limit: int) -> Iterator[ThreadPools]:
        """Open the pools, each of at most `limit` threads, which start when they are needed."""
        with ExitStack() as stack:
            names = ("handlers", "identity", "opening", "closing")
            yield cls(*(stack.enter_context(Threads(f"relay-{name}", limit)) for name in names))


def _called(function: Callable[[], T]) -> T:
    try:
        return function()
    except StopIteration as exc:  # a future cannot hold it: the caller would wait forever
        raise RuntimeError("a function raised StopIteration") from exc


def _log_failure(work: Future[Any]) -> None:
    """Log the class and the place of what a function raised after its request had ended; never its text."""
    exc = None if work.cancelled() else work.exception()
    found = report(exc) if exc is not None else None
    if exc is None or (found is not None and found.status < 500):
        return
    *_, (frame, line) = traceback.walk_tb(exc.__traceback__)
    extra = {"cause": type(exc).__name__, "at": f"{frame.f_code.co_filename}:{line}"}
    _log.error("a function failed after its request had ended", extra=extra)


def accepted_names(function: Function) -> frozenset[str] | None:
    """Return the parameters that a function accepts; None if it accepts any (`**kwargs`)."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)


def accepting(function: Function) -> Callable[[str], bool]:
    """Return what says whether a function accepts an argument of a name."""
    names = accepted_names(function)
    return lambda name: names is None or name in names
