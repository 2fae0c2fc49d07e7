"""`relay serve --reload`: watch contract and package, and replace the service when they change.

Files are polled a few times a second rather than watched through the system: polling notices files that do
not exist yet, folders that come and go, and editors that write by renaming, on every file system.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from relay.contract.diagnostics import Diagnostic, SetupError, errors

from .output import echo
from .startup_banner import missing, operations

if TYPE_CHECKING:
    from relay.project.project import Project
    from relay.project.settings import Settings
    from relay.server.app import Application
    from relay.server.reloading import Reloading

PAUSE = 0.1  # seconds between two polls; a file that differs between them is still being written
QUIET = 2.0  # seconds without a request after which the memory of replaced versions is freed
SLOW = 3.0  # seconds after which a build that still runs is reported
SWITCH_INTERVAL = 0.001  # seconds for which a build may delay a request at a time; Python's default is 0.005

_REF = re.compile(rb"""\$ref["']?\s*:\s*(?:"([^"#]+)|'([^'#]+)|([^\s"'#,}]+))""")

_log = logging.getLogger("relay")

Stamp = tuple[int, int, int] | None  # a file's modification time, size and inode; None where there is no file


class Sources:
    """The files of a service: the contract with all that it refers to, and the package's modules."""

    def __init__(self, spec: Path, package: str) -> None:
        self._spec = spec
        self._package = package
        self._named: frozenset[str] = frozenset()
        self._referred: dict[Path, tuple[Stamp, list[Path]]] = {}
        self.served = self.look()  # the stamps of the files when the service was last built from them

    def watch_modules(self, named: frozenset[str]) -> None:
        """Watch the modules that the contract names, from now on."""
        self._named = named
        self.served = {**self.served, **{file: _stamp(file) for file in self._modules()}}

    def look(self) -> dict[Path, Stamp]:
        """Return the current stamp of every file, also of files that are only referred to."""
        return {**self._contract(), **{file: _stamp(file) for file in self._modules()}}

    def _contract(self) -> dict[Path, Stamp]:
        found: dict[Path, Stamp] = {}
        pending = [self._spec.resolve()]  # what it leads to now, if it is a link
        while pending:
            file = pending.pop()
            if file not in found:
                stamp = found[file] = _stamp(file)
                if self._referred.get(file, (None, []))[0] != stamp:
                    self._referred[file] = stamp, list(_referred(file))
                pending += self._referred.get(file, (None, []))[1]
        return found

    def _modules(self) -> Iterator[Path]:
        parts = self._package.split(".")
        roots = {Path(entry, *parts).resolve() for entry in ("", *sys.path)}
        for name in (self._package, *self._named):
            module = sys.modules.get(name)
            roots.update(Path(entry) for entry in getattr(module, "__path__", []))
            if name in self._named and (file := getattr(module, "__file__", None)) is not None:
                yield Path(file)
        for root in roots:
            for folder, folders, names in os.walk(root):
                folders[:] = [name for name in folders if name != "__pycache__"]
                yield from (Path(folder, name) for name in names if name.endswith(".py"))


def _stamp(file: Path) -> Stamp:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _referred(file: Path) -> Iterator[Path]:
    """Yield the files that a file's `$ref`s name, even where the file is broken or they are missing."""
    try:
        source = file.read_bytes()
    except OSError:
        return
    for match in _REF.finditer(source):
        name = unquote((match[1] or match[2] or match[3]).decode(errors="replace")).replace("\\/", "/")
        if "://" not in name:
            with suppress(OSError, ValueError, RuntimeError):  # no name of a file, or links in a circle
                yield (file.parent / name).resolve()


async def watch(service: Reloading, sources: Sources, project: Project, settings: Settings) -> None:
    """Replace the service each time its files have changed, until cancelled."""
    loop = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(1, "look")
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        seen = sources.served
        has_garbage = False
        gc.freeze()
        while True:
            await asyncio.sleep(PAUSE)
            before, seen = seen, await loop.run_in_executor(pool, sources.look)
            if seen == before != sources.served:
                sources.served = seen
                await _reload(service, project, settings)
                sources.watch_modules(service.application.named_modules)
                has_garbage = True
            elif has_garbage and service.quiet > QUIET:
                gc.unfreeze()  # collect what was kept out
                gc.collect()
                gc.freeze()
                has_garbage = False
    finally:
        pool.shutdown(wait=False)


async def _reload(service: Reloading, project: Project, settings: Settings) -> None:
    from relay.server.reloading import fresh_imports

    started = time.perf_counter()
    known = list(missing(service.application))
    named = service.application.named_modules
    try:
        with _building(service), fresh_imports(settings.handlers, *named):
            await service.replace(await _built(project, _no_more_faults(service, settings)))
    except SetupError as exc:
        _keep(service, exc.problems)
    except Exception as exc:  # noqa: BLE001 -- the last version keeps serving, whatever this was
        _keep(service, [_unforeseen(exc)])
    else:
        echo(f"reloaded in {time.perf_counter() - started:.2f} s: {operations(service.application)}")
        if (lines := list(missing(service.application))) != known:
            echo(*(lines or ["every operation has its function"]))


def _no_more_faults(service: Reloading, settings: Settings) -> Settings:
    """Return the settings for a new version: an edit that breaks a contract without faults is not loaded."""
    is_clean = not errors(service.application.contract.faults)
    return settings.model_copy(update={"strict": settings.strict or is_clean})


@contextmanager
def _building(service: Reloading) -> Iterator[None]:
    """Report once, in the terminal and at `/readyz`, that the block takes long: it may never end.

    What is built in the block is kept out of garbage collections: one of all of it would stop requests for up to a second.
    """

    def warn() -> None:
        message = f"still building after {SLOW:.0f} s, the last working version keeps serving; restart if it does not end"
        problem = Diagnostic("--reload", message)
        service.keep([problem])
        echo(f"warning: {problem}", err=True)

    timer = asyncio.get_running_loop().call_later(SLOW, warn)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        timer.cancel()


async def _built(project: Project, settings: Settings) -> Application:
    """Build a version in a daemon thread, as an import of the package may never return; raise SetupError."""
    from relay.server.application import build

    future: Future[Application] = Future()

    def run() -> None:
        try:
            future.set_result(build(project, settings))
        except SetupError as exc:
            future.set_exception(exc)
        except BaseException as exc:  # noqa: BLE001 -- whatever the package raises
            future.set_exception(SetupError([_unforeseen(exc)]))

    future.set_running_or_notify_cancel()
    threading.Thread(target=run, name="reload", daemon=True).start()
    return await asyncio.wrap_future(future)


def _unforeseen(exc: BaseException) -> Diagnostic:
    _log.error("reloading failed", exc_info=exc)
    return Diagnostic("--reload", f"{type(exc).__name__}, see the log")


def _keep(service: Reloading, problems: list[Diagnostic]) -> None:
    service.keep(problems)
    for problem in problems:
        echo(f"error: {problem}", err=True)
    echo("not reloaded; the last working version keeps serving", err=True)
