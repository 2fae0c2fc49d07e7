"""The objects of one request: a package's `scope` opens them, and closes them when the request is answered."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from .threads import Function, ThreadPools, accepted_names

CONTEXT_NAMES = ("caller", "claims")
"""What of a request a `scope` may take by name; objects of the service's life are others."""


class RequestScope:
    """A package's `scope`: a generator function, sync or async, that yields a mapping of names to objects.

    What comes after its `yield` runs when the response is complete and its last byte is not yet sent. The
    exception that ends a request is raised at the `yield`. A sync one runs in threads: those that open wait for
    those that close, such as for a connection of a pool, so each have their own.
    """

    def __init__(self, function: Function, collaborators: Mapping[str, Any], threads: ThreadPools) -> None:
        self._function = function
        self._threads = threads
        accepted = accepted_names(function)
        self._bound = {
            name: one for name, one in collaborators.items() if accepted is None or name in accepted
        }
        self._wanted = [name for name in CONTEXT_NAMES if accepted is None or name in accepted]

    async def open(self, context: Mapping[str, Any], stack: AsyncExitStack) -> Mapping[str, Any]:
        """Return the objects of a request; `stack` closes them."""
        arguments = {**self._bound, **{name: context[name] for name in self._wanted}}
        if inspect.isasyncgenfunction(self._function):
            manager = asynccontextmanager(self._function)(**arguments)
            enter: Function = manager.__aenter__
            leave: Function = manager.__aexit__
        else:
            plain = contextmanager(self._function)(**arguments)
            enter = partial(self._threads.opening.run, plain.__enter__, partial(self._close_late, plain))
            leave = self._threads.closing.as_async(plain.__exit__)
        objects: Mapping[str, Any] = await enter()

        async def close(*error: Any) -> None:
            await leave(*error)  # every exception passes, because a request needs a response

        stack.push_async_exit(close)
        return objects

    def _close_late(self, manager: AbstractContextManager[Any], opened: Future[Any]) -> None:
        """Close what was opened for a request that has ended in the meantime."""
        if not opened.cancelled() and opened.exception() is None:
            self._threads.closing.begin(partial(_give_up, manager))


def _give_up(manager: AbstractContextManager[Any]) -> None:
    ended = CancelledError()
    manager.__exit__(CancelledError, ended, None)


def scope_problem(function: Any) -> str | None:
    """Return what is wrong with an exported `scope`; None if it can be used."""
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return None
    return "must be a function with a `yield` of a mapping of names to objects"
