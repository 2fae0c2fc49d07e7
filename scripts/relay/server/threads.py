"""Runs a package's plain functions in threads of their own, so that they may block."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

T = TypeVar("T")
Function = Callable[..., Any]


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
            return await self.start(functools.partial(call, *positional, **named))

        def call(*positional: Any, **named: Any) -> Any:
            try:
                return function(*positional, **named)
            except StopIteration as exc:  # a future cannot hold it: the caller would wait forever
                raise RuntimeError("a function raised StopIteration") from exc

        return in_thread

    def start(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function in a thread, also if its result is not awaited."""
        work = functools.partial(contextvars.copy_context().run, function)
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def bound(self, function: Function, collaborators: Mapping[str, Any]) -> Callable[..., Awaitable[Any]]:
        """Return an awaitable form of `function` with the collaborators that it accepts already bound."""
        accepted = accepted_names(function)
        names = {name: value for name, value in collaborators.items() if accepted is None or name in accepted}
        awaitable = self.as_async(function)
        return functools.partial(awaitable, **names) if names else awaitable


def accepted_names(function: Function) -> frozenset[str] | None:
    """Return the parameters that a function accepts; None if it accepts any (`**kwargs`)."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)
