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
from relay.contract.diagnostics import Diagnostic, SetupError, Severity, SourceLocation, place_parts
from relay.contract.discriminators import mapping_of
from relay.contract.documents import display, read_document
from relay.contract.loading import load_contract
from relay.contract.model import Contract

MAX_FAULTS = 20  # how many errors of a contract are reported


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
        found = self._own(other)
        for fault in found[:MAX_FAULTS]:
            shown = _with_revision(fault, self.revision, self.folder)
            yield replace(shown, message=f"{side} contract: {fault.message}", severity=Severity.WARNING)
        if len(found) > MAX_FAULTS:
            yield self._warning(f"{side} contract: {len(found) - MAX_FAULTS} more errors")

    def shared_faults(self, other: Side) -> Iterator[Diagnostic]:
        """Yield a warning with the number of errors that both contracts have."""
        if count := len(self.contract.faults) - len(self._own(other)):
            yield self._warning(f"both contracts: {count} error{'s' * (count != 1)}")

    def _warning(self, message: str) -> Diagnostic:
        place = self.shown(self.contract.place(()))
        return Diagnostic(place, f"{message}; `relay lint` lists them", "faults", Severity.WARNING)

    def _own(self, other: Side) -> list[Diagnostic]:
        """Return the errors that the other contract does not have, not even at other places."""
        known = {(one.rule, one.message) for one in other.contract.faults}
        return [one for one in self.contract.faults if (one.rule, one.message) not in known]


def load_both(old: str, new: str, root: Path | None = None) -> tuple[Side, Side]:
    """Load both contracts, which may refer to files within `root`; raises SetupError with the errors of both."""
    sides, problems = [], []
    for name in (old, new):
        try:
            sides.append(_load(name, root))
        except SetupError as exc:
            problems += exc.problems
    if problems:
        raise SetupError(problems)
    before, after = sides
    return before, after


def committed_version(path: Path) -> str | None:
    """Return the name of a file's version in HEAD; None where HEAD has none. Raises SetupError without git."""
    name = f"HEAD:./{os.path.relpath(path)}"
    try:
        _git("rev-parse", "--is-inside-work-tree")
    except FileNotFoundError as exc:
        raise SetupError([Diagnostic("git", "it is not installed; name the OLD contract")]) from exc
    except subprocess.CalledProcessError as exc:
        message = "it is not in a repository that git can read; name the OLD contract"
        raise SetupError([Diagnostic(display(path), message)]) from exc
    return None if _git_or_none("cat-file", "-e", name) is None else name


def _load(given: str, root: Path | None) -> Side:
    """Load a contract from a file, or from a git revision (`HEAD~1:spec/openapi.yaml`); raises SetupError."""
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
    try:
        prefix = _git("rev-parse", "--show-prefix").decode().strip()
    except (FileNotFoundError, subprocess.CalledProcessError) as exc:
        why = "git is not installed" if isinstance(exc, FileNotFoundError) else "no git repository here"
        raise SetupError([Diagnostic(given, f"no such file, and {why}")]) from exc
    commit = f"{revision}^{{commit}}"
    if _git_or_none("rev-parse", "--verify", "--quiet", "--end-of-options", commit) is None:
        message = f"'{revision}' is not a revision; see `git log --oneline`"
        raise SetupError([Diagnostic(given, message)])
    root = normpath(prefix + path if path.startswith(("./", "../")) else path)
    pending, known = [root], {root}
    while pending:
        name = pending.pop()
        is_outside = name.startswith(("../", "/"))
        source = None if is_outside else _git_or_none("cat-file", "blob", f"{revision}:{name}")
        if source is not None:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(source)
            found = [one for one in dict.fromkeys(_files(file, name)) if one not in known]
            pending += found
            known.update(found)
        elif name == root:  # for another one, loading the contract reports the reference
            message = f"'{revision}' has no file {name}; write the path from the repository's root, or start it with ./"
            raise SetupError([Diagnostic(given, message)])
    return folder / root


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], check=True, capture_output=True).stdout  # noqa: S603, S607 -- the caller's git, without a shell


def _git_or_none(*arguments: str) -> bytes | None:
    try:
        return _git(*arguments)
    except (subprocess.CalledProcessError, ValueError):
        return None


def _files(file: Path, name: str) -> Iterator[str]:
    """Yield the other files that a file refers to, as paths in the repository; loading the contract reports errors."""
    try:
        pending: list[Any] = [read_document(file).data]
    except SetupError:
        return
    while pending:
        match pending.pop():
            case {"$ref": str(ref)}:
                refs = [ref]
            case dict(mapping):
                refs = [*mapping_of(mapping).values()]
                pending += mapping.values()
            case list(items):
                refs = []
                pending += items
            case _:
                continue
        for ref in refs:
            try:
                url = urlsplit(ref)
            except ValueError:
                continue
            if url.path and not url.scheme and not url.netloc:
                yield normpath(str(PurePosixPath(name).parent / unquote(url.path)))


def _with_revision(problem: Diagnostic, revision: str, folder: Path) -> Diagnostic:
    file, *at = place_parts(problem.where)
    shown = _shown(file, revision, folder)
    return replace(problem, where=SourceLocation(shown, *at) if at[0] else shown)


def _shown(file: str, revision: str, folder: Path) -> str:
    path = Path(file).resolve()
    return f"{revision}:{path.relative_to(folder)}" if revision and path.is_relative_to(folder) else file
