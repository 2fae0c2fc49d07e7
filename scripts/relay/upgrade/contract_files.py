"""The files of a contract as trees, and the `$ref`s between them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from relay.contract.bundling import resolved_root
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Document, parse_document
from relay.contract.parsed import Pointer
from relay.contract.pointers import PointerNotFound, escape, lookup, parse_pointer

from .layout import Source
from .tree import Link, Map, Seq
from .tree_building import build

Version = str
"""2.0, 3.0, 3.1 or 3.2."""


class _Outside(Exception):
    """A `$ref` leads to a file out of the contract's folder."""


class File:
    """One file: its text, its tree, and its version, which a file of parts has from the one that refers to it."""

    def __init__(self, document: Document, *, shares: bool) -> None:
        self.path = document.path
        self.document = document
        self.source = Source(document)
        self.root = build(self.source, shares=shares)
        self.own_version = _version(self.root)


class ContractFiles:
    """All files of a contract that its `$ref`s lead to, read when they are asked for."""

    def __init__(self, root: Document, folder: Path | None, *, shares: bool) -> None:
        self._shares = shares
        self._folder = resolved_root(folder) if folder else root.path.parent
        self.root = File(root, shares=shares)
        self.files: dict[Path, File] = {root.path: self.root}
        self.outside: list[Map] = []
        """The objects whose `$ref` leads to a file out of the contract's folder, which is not read."""

    def version(self, file: File) -> Version | None:
        """Return the version by which a file is read."""
        return file.own_version or self.root.own_version

    def find(self, file: File, ref: str) -> tuple[File, Pointer, Any] | None:
        """Return the target of a `$ref`; None if it leads nowhere, or to another host.

        Raises _Outside, and SetupError for a file that is there and cannot be read.
        """
        try:
            url = urlsplit(ref)
            if url.scheme or url.netloc:
                return None
            path = (file.path.parent / unquote(url.path)).resolve() if url.path else file.path
            if not path.is_relative_to(self._folder):
                raise _Outside
            if not path.is_file():
                return None
        except (ValueError, OSError, RuntimeError):
            return None
        target = self._open(path)
        pointer = parse_pointer(url.fragment)
        try:
            return target, pointer, lookup(target.root, pointer)
        except PointerNotFound:
            return None

    def _open(self, path: Path) -> File:
        if path not in self.files:
            document, problems = parse_document(path, quotes=False)
            if problems:
                raise SetupError(problems)
            self.files[path] = File(document, shares=self._shares)
        return self.files[path]

    def follow(self, holder: Map, file: File) -> tuple[Any, File] | None:
        """Return what the `$ref` of an object leads to, and its file; None if it leads nowhere."""
        ref = holder.get("$ref")
        if not isinstance(ref, str):
            return None
        if holder.link is None:
            try:
                found = self.find(file, ref)
            except _Outside:
                if all(one is not holder for one in self.outside):
                    self.outside.append(holder)
                return None
            if found is None or not isinstance(found[2], Map | Seq):
                return None
            holder.link = Link(found[2], ref, (file.path, found[0].path, found[1]))
        return holder.link.target, self.files[holder.link.at[1]]

    def relink(self) -> None:
        """Write the `$ref`s anew of which the target, or the object itself, moved."""
        places: dict[int, tuple[Path, Pointer]] = {}
        holders: list[tuple[Map, Path]] = []
        for path, file in self.files.items():
            for pointer, value in containers(file.root):
                if id(value) not in places:
                    places[id(value)] = path, pointer
                    if isinstance(value, Map) and value.link is not None:
                        holders.append((value, path))
        for holder, path in holders:
            link = holder.link
            if link is None or id(link.target) not in places:
                continue
            target, pointer = places[id(link.target)]
            if link.at != (path, target, pointer):
                holder["$ref"] = _reference(path, target, pointer)


def containers(root: Any) -> list[tuple[Pointer, Map | Seq]]:
    """Return the objects and lists of a tree with their pointers; a shared one has several."""
    found: list[tuple[Pointer, Map | Seq]] = []
    pending: list[tuple[Pointer, Any]] = [((), root)]
    while pending:
        pointer, value = pending.pop()
        if not isinstance(value, Map | Seq):
            continue
        found.append((pointer, value))
        inner = value.items() if isinstance(value, Map) else enumerate(value)
        pending += reversed([((*pointer, str(key)), item) for key, item in inner])
    return found


def _reference(path: Path, target: Path, pointer: Pointer) -> str:
    name = "" if path == target else quote(Path(os.path.relpath(target, path.parent)).as_posix())
    fragment = "".join(f"/{quote(escape(token), safe='~')}" for token in pointer)
    return f"{name}#{fragment}" if fragment or not name else name


def _version(root: Any) -> Version | None:
    """Return the version that a file says it has; None for a file of parts."""
    written = root.get("swagger", root.get("openapi")) if isinstance(root, dict) else None
    return None if written is None else ".".join(str(written).split(".")[:2])


def refused(document: Document, message: str, *at: str) -> SetupError:
    """Return the error of a file that cannot be upgraded."""
    place = document.place(at)
    return SetupError([Diagnostic(place, message, "openapi-version")])
