"""Loads a contract from a file, or from a git revision with the files it refers to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from posixpath import normpath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

from relay.contract.bundling import resolved_root
from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import Diagnostic, SetupError, Severity, SourceLocation
from relay.contract.discriminators import mapping_of
from relay.contract.documents import display, read_document
from relay.contract.loading import load_contract
from relay.contract.model import Contract

MAX_FAULTS = 20
"""How many errors of a contract are reported."""


@dataclass(frozen=True, slots=True)
class Side:
    """One contract of a comparison; locations in a revision are shown as `REV:path:line:column`."""

    contract: Contract
    revision: str = ""
    folder: Path = Path()

    def renamed(self, names: ChosenNames) -> Side:
        """Return the side with the names that the project chooses now."""
        return replace(self, contract=self.contract.renamed(names))

    def shown(self, place: SourceLocation) -> SourceLocation:
        """Return a location for messages, with its revision."""
        return place._replace(file=_shown(place.file, self.revision, self.folder))

    def faults(self, side: str, other: Side) -> Iterator[Diagnostic]:
        """Yield a warning for each error that the other contract does not have, up to a limit."""
        shared = self._shared(other)
        found = [one for one in self.contract.faults if one not in shared]
        for fault in found[:MAX_FAULTS]:
            message = f"{side} contract: {fault.message}"
            shown = _with_revision(fault, self.revision, self.folder)
            yield replace(shown, message=message, severity=Severity.WARNING)
        if len(found) > MAX_FAULTS:
            message = f"{side} contract: {len(found) - MAX_FAULTS} more errors; `relay lint` lists them"
            yield Diagnostic(self.shown(self.contract.place(())), message, "faults", Severity.WARNING)

    def shared_faults(self, other: Side) -> Iterator[Diagnostic]:
        """Yield a warning with the number of errors that both contracts have."""
        if count := len(self._shared(other)):
            message = f"both contracts: {count} error{'s' * (count != 1)}; `relay lint` lists them"
            yield Diagnostic(self.shown(self.contract.place(())), message, "faults", Severity.WARNING)

    def _shared(self, other: Side) -> set[Diagnostic]:
        """Return the errors that the other contract has, too, perhaps at other places."""
        known = {(one.rule, one.message) for one in other.contract.faults}
        return {one for one in self.contract.faults if (one.rule, one.message) in known}


def load_both(old: str, new: str, root: Path | None = None) -> tuple[Side, Side]:
    """Load both contracts, which may refer to files within `root`.

    Raises SetupError with the errors of both that prevent a comparison; others are their `faults`.
    """
    sides, problems = [], []
    for name in (old, new):
        try:
            sides.append(load_side(name, root))
        except SetupError as exc:
            problems += exc.problems
    if problems:
        raise SetupError(problems)
    before, after = sides
    return before, after


def committed_version(path: Path) -> str | None:
    """Return the name of a file's version in HEAD (`HEAD:./spec/openapi.yaml`); None where HEAD has none.

    Raises SetupError without git, and outside a repository that git can read.
    """
    name = f"HEAD:./{os.path.relpath(path)}"
    try:
        _git("rev-parse", "--is-inside-work-tree")
    except FileNotFoundError as exc:
        raise SetupError([Diagnostic("git", "it is not installed; name the OLD contract")]) from exc
    except subprocess.CalledProcessError as exc:
        message = "it is not in a repository that git can read; name the OLD contract"
        raise SetupError([Diagnostic(display(path), message)]) from exc
    try:
        _git("cat-file", "-e", name)
    except subprocess.CalledProcessError:
        return None
    return name


def load_side(given: str, root: Path | None = None) -> Side:
    """Load a contract from a file, or from a git revision (`HEAD~1:spec/openapi.yaml`).

    Raises SetupError if `given` is neither, and with every error of the contract.
    """
    revision, colon, path = given.partition(":")
    if not colon or Path(given).exists():
        return Side(load_contract(Path(given), root))
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        file = _fetch(given, revision, path, folder)
        try:
            return Side(load_contract(file, _within(folder, root)), revision, folder)
        except SetupError as exc:
            raise SetupError([_with_revision(problem, revision, folder) for problem in exc.problems]) from exc


def _within(folder: Path, root: Path | None) -> Path | None:
    """Return the place of a folder of the repository in a copy of it; None for a folder that it does not contain."""
    if root is None:
        return None
    top = Path(_git("rev-parse", "--show-toplevel").decode().rstrip("\n")).resolve()
    resolved = resolved_root(root)
    return folder / resolved.relative_to(top) if resolved.is_relative_to(top) else None


def _fetch(given: str, revision: str, path: str, folder: Path) -> Path:
    """Write a file of a revision, and the files it refers to, to a folder; return its path."""
    try:
        prefix = _git("rev-parse", "--show-prefix").decode().strip()
    except FileNotFoundError as exc:
        raise SetupError([Diagnostic(given, "no such file, and git is not installed")]) from exc
    except subprocess.CalledProcessError as exc:
        raise SetupError([Diagnostic(given, "no such file, and no git repository here")]) from exc
    try:
        _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError as exc:
        raise SetupError(
            [Diagnostic(given, f"'{revision}' is not a revision; see `git log --oneline`")]
        ) from exc
    root = normpath(prefix + path if path.startswith(("./", "../")) else path)
    pending, written = [root], set[str]()
    while pending:
        name = pending.pop()
        if name in written:
            continue
        written.add(name)
        source = _blob(revision, name)
        if source is None and name == root:
            message = f"'{revision}' has no file {name}; write the path from the repository's root, or start it with ./"
            raise SetupError([Diagnostic(given, message)])
        if source is None:
            continue  # loading the contract reports the reference
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source)
        pending += _files(file, name)
    return folder / root


def _blob(revision: str, name: str) -> bytes | None:
    """Return the content of a file of a revision; None if it is not a file in it, or outside of it."""
    if name.startswith(("../", "/")):
        return None
    try:
        return _git("cat-file", "blob", f"{revision}:{name}")
    except (subprocess.CalledProcessError, ValueError):  # ValueError: a null byte in the name
        return None


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], check=True, capture_output=True).stdout  # noqa: S603, S607 -- the caller's git, without a shell


def _files(file: Path, name: str) -> Iterator[str]:
    """Yield the other files that a file refers to, as paths in the repository."""
    try:
        data = read_document(file).data
    except SetupError:
        return  # loading the contract reports the errors
    for ref in _refs(data):
        try:
            url = urlsplit(ref)
        except ValueError:
            continue  # loading the contract reports the reference
        if url.path and not url.scheme and not url.netloc:
            yield normpath(str(PurePosixPath(name).parent / unquote(url.path)))


def _refs(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        match pending.pop():
            case {"$ref": str(ref)}:
                yield ref
            case dict(mapping):
                yield from mapping_of(mapping).values()
                pending += mapping.values()
            case list(items):
                pending += items


def _with_revision(problem: Diagnostic, revision: str, folder: Path) -> Diagnostic:
    where = problem.where
    if isinstance(where, SourceLocation):
        where = where._replace(file=_shown(where.file, revision, folder))
    else:
        where = _shown(where, revision, folder)
    return replace(problem, where=where)


def _shown(file: str, revision: str, folder: Path) -> str:
    path = Path(file).resolve()
    return f"{revision}:{path.relative_to(folder)}" if revision and path.is_relative_to(folder) else file
