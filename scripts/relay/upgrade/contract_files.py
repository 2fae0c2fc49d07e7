"""The files of a contract as trees, and the `$ref`s between them."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from relay.contract.bundling import resolved_root
from relay.contract.diagnostics import SetupError
from relay.contract.documents import Document, parse_document
from relay.contract.parsed import Pointer
from relay.contract.pointers import PointerNotFound, escape, lookup, parse_pointer
from relay.importer.source_text import SourceText
from relay.importer.text_tree import Link, Map, Seq
from relay.importer.tree_building import build

_MAX_PARTS = 100  # how many schemas that apply to one value are asked


class File:
    """One file: its text, its tree, and its version, which a file of parts has from the one that refers to it."""

    def __init__(self, document: Document, *, shares: bool) -> None:
        self.path = document.path
        self.document = document
        self.source = SourceText(document)
        self.root = build(self.source, shares=shares)
        written = self.root.get("swagger", self.root.get("openapi")) if isinstance(self.root, dict) else None
        self.own_version = None if written is None else ".".join(str(written).split(".")[:2])


class ContractFiles:
    """All files of a contract that its `$ref`s lead to, read when they are asked for."""

    def __init__(self, root: Document, folder: Path | None, *, shares: bool) -> None:
        self._shares = shares
        self._folder = resolved_root(folder) if folder else root.path.parent
        self.root = File(root, shares=shares)
        self.files: dict[Path, File] = {root.path: self.root}
        self.outside: dict[int, Map] = {}
        """The objects whose `$ref` leads to a file out of the contract's folder, which is not read."""

    def version(self, file: File) -> str | None:
        """Return the version by which a file is read: 2.0, 3.0, 3.1 or 3.2."""
        return file.own_version or self.root.own_version

    def set_version(self, old: str, new: str) -> None:
        """Give the files of a version the next one."""
        for file in self.files.values():
            file.own_version = new if file.own_version == old else file.own_version

    def follow(self, holder: Map, file: File) -> tuple[Any, File] | None:
        """Return the target of an object's `$ref` and its file, if there is one; raises SetupError for a bad file."""
        ref = holder.get("$ref")
        if not isinstance(ref, str):
            return None
        if holder.link is None:
            path, fragment = self._path(holder, ref, file)
            if path is None:
                return None
            if path not in self.files:
                document, problems = parse_document(path, quotes=False)
                if problems:
                    raise SetupError(problems)
                self.files[path] = File(document, shares=self._shares)
            pointer = parse_pointer(fragment)
            try:
                value = lookup(self.files[path].root, pointer)
            except PointerNotFound:
                return None
            if not isinstance(value, Map | Seq):
                return None
            holder.link = Link(value, (file.path, path, pointer))
        return holder.link.target, self.files[holder.link.at[1]]

    def _path(self, holder: Map, ref: str, file: File) -> tuple[Path | None, str]:
        """Return the file and the fragment of a reference."""
        try:
            url = urlsplit(ref)
            if url.scheme or url.netloc:
                return None, ""
            path = (file.path.parent / unquote(url.path)).resolve() if url.path else file.path
            if not path.is_relative_to(self._folder):
                self.outside.setdefault(id(holder), holder)
                return None, ""
            return path if path.is_file() else None, url.fragment
        except (ValueError, OSError, RuntimeError):
            return None, ""

    def target(self, value: Any, file: File) -> Map | None:
        """Return an object, or what its `$ref`s lead to; None if they lead nowhere."""
        known: set[int] = set()
        while isinstance(value, Map) and "$ref" in value and id(value) not in known:
            known.add(id(value))
            value, file = self.follow(value, file) or (None, file)
        return value if isinstance(value, Map) else None

    def parts(
        self, schema: Any, file: File, inner: Callable[[Map], Iterable[Any]]
    ) -> Iterator[tuple[Map, File]]:
        """Yield the schemas that apply to the value of a schema; in 3.0, nothing next to a `$ref` does."""
        pending, known = [(schema, file)], set[int]()
        while pending and len(known) < _MAX_PARTS:
            one, home = pending.pop()
            if not isinstance(one, Map) or id(one) in known:
                continue
            known.add(id(one))
            if found := self.follow(one, home):
                pending.append(found)
            if "$ref" not in one or self.version(home) != "3.0":
                yield one, home
                pending += [(part, home) for part in inner(one)]

    def relink(self) -> None:
        """Write the `$ref`s anew of which the target, or the object itself, moved."""
        places = self.places()
        for path, file in self.files.items():
            for pointer, holder in containers(file.root):
                if (
                    not isinstance(holder, Map)
                    or holder.link is None
                    or places[id(holder)] != (path, pointer)
                ):
                    continue
                found = places.get(id(holder.link.target))
                if found is not None and holder.link.at != (path, *found):
                    relative = Path(os.path.relpath(found[0], path.parent)).as_posix()
                    name = "" if path == found[0] else quote(relative)
                    fragment = "".join(f"/{quote(escape(token), safe='~')}" for token in found[1])
                    holder["$ref"] = f"{name}#{fragment}" if fragment or not name else name

    def places(self) -> dict[int, tuple[Path, Pointer]]:
        """Return the file and the pointer of each object and list, by its id; of a shared one the first."""
        places: dict[int, tuple[Path, Pointer]] = {}
        for path, file in self.files.items():
            for pointer, value in containers(file.root):
                places.setdefault(id(value), (path, pointer))
        return places


def containers(root: Any) -> list[tuple[Pointer, Map | Seq]]:
    """Return the objects and lists of a tree with their pointers; a shared one has several."""
    found: list[tuple[Pointer, Map | Seq]] = []
    pending: list[tuple[Pointer, Any]] = [((), root)]
    while pending:
        pointer, value = pending.pop()
        if isinstance(value, Map | Seq):
            found.append((pointer, value))
            inner = value.items() if isinstance(value, Map) else enumerate(value)
            pending += reversed([((*pointer, str(key)), item) for key, item in inner])
    return found
