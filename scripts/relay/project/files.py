"""Finds packages and writes files for commands."""

import importlib
import importlib.util
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display


def package_folder(package: str, root: Path) -> Path:
    """Return the folder where a package is, or would be created: searches `root`, then the import path.

    Does not import the package or its parents. Raises SetupError for a name that cannot be a package.
    """
    parts = package.split(".")
    if not all(part.isidentifier() for part in parts):
        raise SetupError([Diagnostic("RELAY_HANDLERS", f"'{package}' is not the name of a package")])
    importlib.invalidate_caches()
    search: Sequence[str] = [str(root), *sys.path]
    for depth, part in enumerate(parts):
        spec = PathFinder.find_spec(part, search) or (_installed(part) if depth == 0 else None)
        if spec is None:
            return Path(search[0], *parts[depth:]).resolve()
        if spec.submodule_search_locations is None:
            message = f"'{package}': {display(Path(str(spec.origin)))} is a module, not a package"
            raise SetupError([Diagnostic("RELAY_HANDLERS", message)])
        search = list(spec.submodule_search_locations)
    return Path(search[0]).resolve()


def _installed(name: str) -> ModuleSpec | None:
    """Find a package that an editable install provides without a path entry; a name without dots imports nothing."""
    try:
        return importlib.util.find_spec(name)
    except ValueError:
        return None


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write files atomically, keeping their modes.

    All new contents are on the disk before the first file is replaced. Raises SetupError if writing fails.
    """
    staged: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, content in ((path.resolve(), content) for path, content in contents.items()):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            staged.append((Path(name), path))
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, _mode(path))
                file.write(content)
                file.flush()
                os.fsync(descriptor)
        for temporary, path in staged:
            temporary.replace(path)
    except OSError as exc:
        raise SetupError([Diagnostic(display(path), f"cannot be written: {exc.strerror}")]) from exc
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def stored_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in a file; on the first call, `make` it and create the file with mode 0600.

    The file is never there in part. Processes that call this at the same time get the same secret.
    Raises OSError if the file cannot be read or written.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(make())
            with suppress(FileExistsError):
                path.hardlink_to(name)
        finally:
            Path(name).unlink()
    return path.read_text("ascii", "replace")


def check_writable(folder: Path) -> None:
    """Raise SetupError if files cannot be written to a folder; does not create it."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        reason = "read-only" if nearest.is_dir() else "not a folder"
        raise SetupError([Diagnostic(display(folder), f"cannot be written: {display(nearest)} is {reason}")])


def _mode(path: Path) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
