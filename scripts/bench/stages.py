"""The costs of each stage of a request: `python -m bench --stages`.

The service runs in this process, its log in /dev/null. The guard (limits, log, metrics), the routing and the security,
which reads the user, each cost what a service takes whose inner stages are replaced by a constant, their response,
less what one takes that is replaced a stage earlier. The handler is called alone; the rest of the whole is validation
and serialisation. The transport, with the event loop, is what a process takes that serves wrk, less the whole.
Of several repetitions the least counts, as other work on the machine only adds to it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import handlers
from handlers._identity import Caller
from relay import create_app
from relay.server import logs
from relay.server.package_hooks import read_middleware

from .data import ORGANIZATION, PATH, SECRET, USER, body, source_url, token, write_data
from .measuring import NUMBERS, Run, load_server, progress
from .peers import CONTRACT, PEERS
from .servers import started

_CUTS = {"guard": "BEFORE_EXCEPTION", "routing": "BEFORE_SECURITY", "security": "BEFORE_VALIDATION"}
_ROWS = (*_CUTS, "handler and store", "validation and serialisation", "transport", "**all**")
_REPETITIONS = 7
_HEADERS = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token()}".encode())]


class _Constant:  # sends the messages of a response, whatever is behind it
    def __init__(self, _app: Any, *, messages: list[Any]) -> None:
        self._messages = messages

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        for message in self._messages:
            await send({**message})


def profile(run: Run) -> Iterator[str]:
    """Yield a Markdown table of the CPU time of the stages, for each source and number of phone numbers."""
    columns = {}
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        logs.configure("info", "json", nowhere)
        for name, numbers in product(("relay", "relay-sqlite"), NUMBERS):
            progress(f"stages: {name}, {numbers} numbers")
            columns[f"{PEERS[name].source}, {numbers:,}"] = _column(run, name, numbers)
    yield f"| CPU, µs a request | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for title, *costs in zip(_ROWS, *columns.values(), strict=True):
        yield f"| {title} | {' | '.join(f'{cost:,.1f}' for cost in costs)} |"


def _column(run: Run, name: str, numbers: int) -> list[float]:
    os.environ["BENCH_DATA"] = data = write_data(run.folder, body(numbers))
    url = source_url(PEERS[name].source, numbers, run.folder)
    whole, handler, cuts = asyncio.run(_in_process(url, times=max(5, 2000 // (1 + numbers // 5))))
    with started(PEERS[name].program(run.installed, data, url), run.folder) as server:
        for number in range(run.rounds + 1):
            load_server(run, server, f"{numbers}/{name}", is_warm_up=number == 0)
    served = min(run.figures[f"{numbers}/{name}/cpu"])
    stages = [cut - before for cut, before in zip(cuts, (0.0, *cuts), strict=False)]
    return [*stages, handler, whole - cuts[-1] - handler, served - whole, served]


async def _in_process(url: str, times: int) -> tuple[float, float, list[float]]:
    """Return the costs of the whole service, of its handler, and of the services with constants."""
    costs: list[float] = []
    messages: list[Any] = []
    store = {} if url == "memory" else {"store": url}
    for position in (None, *_CUTS.values()):
        settings = handlers.Settings.load(jwt_secret=SECRET, **store)
        app = create_app(CONTRACT, "handlers" if store else "bench.programs.relay_memory", settings)
        if position:
            app.middleware += read_middleware([(_Constant, position, {"messages": messages})])
        async with app.running():
            costs.append(await _cost(partial(_answer, app), times))
            if not position:
                messages = await _answer(app)
                messages[0]["headers"] = [one for one in messages[0]["headers"] if one[0] != b"x-request-id"]
                [endpoint] = app.endpoints.values()
                voice_ai = partial(app.collaborators["store"].voice_ai, ORGANIZATION)
                caller = Caller(USER, ORGANIZATION, "ADMIN", voice_ai)
                handler = await _cost(partial(endpoint.binding.function, caller=caller), times)
    return costs[0], handler, costs[1:]


async def _answer(app: Any) -> list[Any]:
    """Return the messages that answer a request."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": PATH, "query_string": b"", "headers": [*_HEADERS]}
    await app({**scope, "raw_path": PATH.encode(), "http_version": "1.1", "scheme": "http"}, None, send)
    return messages


async def _cost(call: Callable[[], Any], times: int) -> float:
    """Return the µs of CPU that a call takes in a task, as a server runs it, more than a task that does nothing."""

    async def nothing() -> None:
        pass

    async def least(coroutine: Callable[[], Any]) -> float:
        spent = []
        for _ in range(_REPETITIONS):
            start = time.process_time()
            for _ in range(times):
                await asyncio.create_task(coroutine())
            spent.append(time.process_time() - start)
        return min(spent) / times * 1e6

    return await least(call) - await least(nothing)
