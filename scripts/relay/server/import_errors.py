"""Where the import of a module fails: at a line of the project's own code, not in a library that it calls."""

from __future__ import annotations

import importlib.util
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import display

_LIBRARIES = {
    Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")
}
_RELAY = Path(__file__).resolve().parents[1]
_APPLICATION = (
    "Relay serves the contract itself, so make the application below `if __name__ == '__main__':`, or in a module "
    "of its own"
)


def import_error(name: str, exc: BaseException) -> SetupError:
    """Return the error of a module that cannot be imported, with the innermost line of the project that fails."""
    frames = [*_frames(exc)]
    own = [at for at, (file, _) in enumerate(frames) if _is_own(file, name)]
    file, line = frames[own[-1] if own else -1]
    called = frames[own[-1] + 1 :] if own else []
    place = SourceLocation(display(file), line, 1)
    if isinstance(exc, SyntaxError) and exc.filename and Path(exc.filename).is_file():
        place = SourceLocation(display(Path(exc.filename)), exc.lineno or 1, exc.offset or 1)
    message = f"{type(exc).__name__}: {exc}"
    if isinstance(exc, ImportError) and "flask" in str(exc).lower():
        message = f"Flask is not installed; {_APPLICATION}"
    elif any("connexion" in library.parts for library, _ in called):
        message += f"; {_APPLICATION}"
    return SetupError([Diagnostic(place, f"cannot be imported: {message}")])


def _frames(exc: BaseException) -> Iterator[tuple[Path, int]]:
    for frame in traceback.extract_tb(exc.__traceback__):
        yield Path(frame.filename), frame.lineno or 1


def _is_own(file: Path, name: str) -> bool:
    """Whether a file is neither a library's nor Relay's; one that is installed may be that of the module itself."""
    if not file.is_absolute() or not file.exists() or file.resolve().is_relative_to(_RELAY):
        return False
    resolved = file.resolve()
    is_library = "site-packages" in resolved.parts or any(map(resolved.is_relative_to, _LIBRARIES))
    return not is_library or any(map(resolved.is_relative_to, _places(name)))


def _places(name: str) -> list[Path]:
    """Return the folders of the package that a module is in, or of the module's file."""
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError, AttributeError):
        return []
    found = [] if spec is None else spec.submodule_search_locations or [str(spec.origin)]
    return [Path(place).resolve() for place in found]
