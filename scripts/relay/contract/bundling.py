"""Bundles a contract of several files into one document in which every `$ref` is local.

A `$ref` into another file is replaced by the value it points to. Schemas may be recursive, so they become
`components/schemas` of the bundle instead, also those that a discriminator's mapping leads to. Remote references are
not fetched. From OpenAPI 3.1 on, a reference may name a schema by its URI or anchor, and has keywords next to it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from . import limits
from .diagnostics import Diagnostic, SetupError, SourceLocation
from .documents import Document, Pointer, display, parse_document
from .identifiers import IDENTIFYING, NAMING, DynamicScope, Identifiers, Target
from .pointers import (
    Kind,
    PointerNotFound,
    escape,
    exists,
    kind_within,
    lookup,
    mappings,
    parse_pointer,
    references,
)
from .versions import Version, version_of

_WITHIN_SCHEMA = "components", "schemas"


def _is_bundled(document: Document, version: Version) -> bool:
    """Return True if a document of its own objects refers only to itself, so that bundling would copy it as it is.

    The aliases of YAML are shared objects.
    """
    refs: set[str] = set()
    return (
        document.is_json
        and all(_is_local(value, refs, version) for _, value in mappings(document.data))
        and all(exists(document.data, parse_pointer(ref[1:])) for ref in refs)
    )


def _is_local(value: dict[str, Any], refs: set[str], version: Version) -> bool:
    """Return True if an object refers to no other file, and neither has nor uses a name; its `$ref` is added to `refs`.

    In OpenAPI 3.0 it must have nothing next to it.
    """
    if not IDENTIFYING.isdisjoint(value):
        return False
    if isinstance(ref := value.get("$ref"), str):
        refs.add(ref)
        if not ref.startswith("#") or (len(value) > 1 and version == "3.0"):
            return False
    discriminator = value.get("discriminator")
    mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
    return mapping is None or (
        isinstance(mapping, dict) and all(str(target).startswith("#") for target in mapping.values())
    )


class _Walk(NamedTuple):
    """Where a walk through a document is: the kind of the value, the references that lead to it, and its level.

    `scope` are the dynamic anchors of the schemas around it.
    """

    kind: Kind
    within: tuple[tuple[Path, Pointer], ...]
    level: int
    scope: DynamicScope


_START = _Walk("object", (), 0, ())
_Found = tuple[Document, Pointer, Any]
"""The target of a reference: its document, its pointer there, and its value."""


class Bundle:
    """A root document with everything it refers to; each part keeps its source location."""

    def __init__(self, root: Document, folder: Path | None = None) -> None:
        """Read all files that `root` refers to within a folder, by default its own.

        Raises SetupError if they expand to more values than can be read, and if the folder does not contain `root`.
        """
        self.root = root
        self.problems: list[Diagnostic] = []
        self.circular: set[Pointer] = set()
        """The pointers of `$ref`s that lead back to themselves."""
        self._folder = _folder_of(root.path, folder)
        self._documents: dict[Path, Document] = {}
        self._failed: set[Path] = set()
        self._origins: dict[tuple[Path, Pointer], tuple[Document, Pointer]] = {}
        self._names: dict[tuple[Path, Pointer, DynamicScope], str] = {}
        self._taken = set(_schemas_of(root.data))
        self._numbers: dict[str, Iterator[str]] = {}
        self.version: Version = version_of(root.data) or "3.0"
        self._identifiers = Identifiers()
        self._copied = self._size = 0
        self._pending_schemas: list[tuple[str, Document, Pointer, Any, DynamicScope]] = []
        is_bundled = _is_bundled(root, self.version)
        self._add_document(root, has_names=not is_bundled)
        self.data = root.data if is_bundled else self._expand(root.data, root, (), _START)
        self._add_schemas()
        self._references: list[tuple[Pointer, str]] | None = [*references(self.data)]
        self._check_chains()

    def detach(self) -> None:
        """Copy the data, before it is changed."""
        self.data = copy.deepcopy(self.data)
        self._references = None

    @property
    def references(self) -> list[tuple[Pointer, str]]:
        """The pointer and the target of each `$ref` of the data."""
        return [*references(self.data)] if self._references is None else self._references

    def written(self) -> dict[str, Any]:
        """Return the bundled document anew, as it was before it was changed."""
        data: dict[str, Any] = Bundle(self.root, self._folder).data
        return data

    @property
    def documents(self) -> tuple[Document, ...]:
        """The root document and every file that it refers to."""
        return tuple(self._documents.values())

    @property
    def is_single(self) -> bool:
        """Return True if the root document refers to no other file."""
        return len(self._documents) == 1

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the location, in its own file, of the value at `pointer` of the bundle."""
        document, at = self._origin(pointer)
        return document.place(at)

    def _origin(self, pointer: Pointer) -> tuple[Document, Pointer]:
        """Return the document of the value at `pointer`, and its pointer there."""
        document, at = self.root, Pointer()
        for token in pointer:
            at = (*at, token)
            while (document.path, at) in self._origins:
                document, at = self._origins[document.path, at]
        return document, at

    def _problem(self, document: Document, at: Pointer, ref: str, message: str, rule: str) -> None:
        """Report a `$ref`, which is quoted only if the root document contains it."""
        named = _quoted(ref) if document is self.root else "the $ref"
        self.problems.append(Diagnostic(document.place(at), f"{named} {message}", rule))

    def is_own(self, pointer: Pointer) -> bool:
        """Return True if the value at `pointer` is in the root document, not in a file that it refers to."""
        return self._origin(pointer)[0] is self.root

    def _check_chains(self) -> None:
        """Report each `$ref` whose chain of `$ref`s contains itself, and each chain that is too long."""
        hops: dict[Pointer, int] = {}
        for pointer, _ in self.references:
            chain: dict[Pointer, None] = {}
            at: Pointer | None = pointer
            while at is not None and at not in hops and at not in chain:
                chain[at] = None
                at = self._next(at)
            count = 0 if at is None else hops.get(at, 0)
            for passed in reversed(chain):
                count += 1
                hops[passed] = count
            if at in chain:
                passed_by = list(chain)
                self.circular.update(passed_by[passed_by.index(at) :])
        for pointer, ref in self.references:
            if pointer in self.circular:
                message = "is a circular reference; replace one reference by its definition"
                self._report(pointer, ref, message, "circular-ref")
            elif hops[pointer] == limits.MAX_DEPTH + 1:
                message = f"starts a chain of more than {limits.MAX_DEPTH} $refs; refer to its end"
                self._report(pointer, ref, message, "limit")

    def _next(self, pointer: Pointer) -> Pointer | None:
        """Return the target of the `$ref` at a pointer; None if there is none."""
        try:
            value = lookup(self.data, pointer)
        except PointerNotFound:
            return None
        ref = value.get("$ref") if isinstance(value, dict) else None
        return parse_pointer(ref.removeprefix("#")) if isinstance(ref, str) else None

    def _report(self, pointer: Pointer, ref: str, message: str, rule: str) -> None:
        named = _quoted(ref) if self.is_own(pointer) else "the $ref"
        self.problems.append(Diagnostic(self.place(pointer), f"{named} {message}", rule))

    def _add_schemas(self) -> None:
        schemas: dict[str, Any] = {}
        while self._pending_schemas:  # expanding a schema may add more
            name, document, at, value, scope = self._pending_schemas.pop(0)
            walk = _START._replace(kind="schema", scope=scope)
            schemas[name] = self._with_dialect(self._expand(value, document, at, walk), document, at)
        components = self.data.get("components") or {}
        if schemas and isinstance(components, dict):
            self.data["components"] = {**components, "schemas": {**_schemas_of(self.data), **schemas}}

    def _with_dialect(self, schema: Any, document: Document, at: Pointer) -> Any:
        """Add to a schema of another file the dialect that this states around it."""
        if self.version == "3.0" or document is self.root or not isinstance(schema, dict):
            return schema
        stated = self._identifiers.dialect(document, at)
        return schema if stated is None else {"$schema": stated, **schema}

    def _expand(self, value: Any, document: Document, at: Pointer, walk: _Walk) -> Any:
        """Copy `value`, with each `$ref` into another file replaced, and each name of a schema by a pointer."""
        if not isinstance(value, list | dict):
            return value
        self._count(len(value), walk.level, document, at)
        walk = walk._replace(level=walk.level + 1)
        if isinstance(value, list):
            return [self._expand(item, document, (*at, str(index)), walk) for index, item in enumerate(value)]
        if walk.kind == "schema" and "discriminator" in value:
            value = {**value, "discriminator": self._discriminator(value["discriminator"], document)}
        if walk.kind == "schema" and self.version != "3.0":
            return self._expand_schema(value, document, at, walk)
        if walk.kind in ("object", "schema") and isinstance(value.get("$ref"), str):
            return self._follow(value, document, at, walk)
        return self._expand_members(value, document, at, walk)

    def _expand_members(
        self, value: dict[str, Any], document: Document, at: Pointer, walk: _Walk
    ) -> dict[str, Any]:
        return {
            key: item
            if (inner := kind_within(walk.kind, at, key, item)) is None
            else self._expand(item, document, (*at, key), walk._replace(kind=inner))
            for key, item in value.items()
        }

    def _expand_schema(self, value: dict[str, Any], document: Document, at: Pointer, walk: _Walk) -> Any:
        """Copy a schema of OpenAPI 3.1 or later, in which keywords may be next to a `$ref`."""
        walk = walk._replace(scope=self._identifiers.scope(document, at, walk.scope))
        refs = [*self._schema_refs(value, document, at, walk.scope)]
        others = {key: item for key, item in value.items() if key not in NAMING}
        expanded = self._expand_members(others, document, at, walk)
        if refs:
            expanded = {"$ref": refs[0], **expanded}
        if len(refs) > 1:
            expanded["allOf"] = [*expanded.get("allOf", []), *({"$ref": ref} for ref in refs[1:])]
        return expanded

    def _schema_refs(
        self, value: dict[str, Any], document: Document, at: Pointer, scope: DynamicScope
    ) -> Iterator[str]:
        """Yield the references of a schema, as pointers in the bundle; one that leads nowhere as it is written."""
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            ref = value.get(keyword)
            if not isinstance(ref, str):
                continue
            found = self._target(ref, document, (*at, keyword))
            if found is not None and keyword != "$ref":
                found = self._dynamic(found, ref, scope)
            yield ref if found is None else self._local(*found, scope)

    def _dynamic(self, found: _Found, ref: str, scope: DynamicScope) -> _Found:
        """Return where a dynamic reference leads, whose first target is known."""
        document, pointer = self._identifiers.dynamic(Target(*found[:2]), ref, scope)
        return document, pointer, lookup(document.data, pointer)

    def _follow(self, value: dict[str, Any], document: Document, at: Pointer, walk: _Walk) -> Any:
        ref = value["$ref"]
        found = self._target(ref, document, (*at, "$ref"))
        if found is None:
            return value
        target, pointer, content = found
        others = {key: item for key, item in value.items() if key != "$ref" and self.version != "3.0"}
        siblings = self._expand_members(others, document, at, walk)
        if walk.kind == "schema" or self._keeps(target, pointer):
            return {"$ref": self._local(target, pointer, content), **siblings}
        key = target.path, pointer
        if key in walk.within:
            message = "is a circular reference; only schemas may be recursive"
            self._problem(document, at, ref, message, "circular-ref")
            return value
        self._origins[document.path, at] = target, pointer
        expanded = self._expand(content, target, pointer, walk._replace(within=(*walk.within, key)))
        return self._merged(expanded, siblings, document, at)

    def _merged(self, expanded: Any, siblings: dict[str, Any], document: Document, at: Pointer) -> Any:
        """Return what a `$ref` leads to, with what is next to the `$ref`; report fields that both have."""
        if not isinstance(expanded, dict):
            return expanded
        for name in sorted((expanded.keys() & siblings.keys()) - {"summary", "description"}):
            place = document.place((*at, name))
            self.problems.append(Diagnostic(place, collision(name), "path-item-collision"))
        return {**expanded, **siblings}

    def _keeps(self, target: Document, pointer: Pointer) -> bool:
        """Return True if the bundle has the value at the same pointer; in 3.0 it leaves out what is next to a `$ref`."""
        value = target.data
        for token in pointer if target is self.root and self.version == "3.0" else ():
            if isinstance(value, dict) and isinstance(value.get("$ref"), str):
                return False
            value = lookup(value, (token,))
        return target is self.root

    def _local(self, target: Document, pointer: Pointer, content: Any, scope: DynamicScope = ()) -> str:
        """Return a `$ref` within the bundle to a value that it has, or to a schema, which becomes a component.

        A schema that is reached with other dynamic anchors than at its own place becomes a component, too.
        """
        scope = self._identifiers.scope(target, pointer, scope) if self.version != "3.0" else ()
        if self._keeps(target, pointer) and (not scope or scope == self._scope_in_place(pointer)):
            return "#" + "".join(f"/{quote(escape(token), safe='~')}" for token in pointer)
        key = target.path, pointer, scope
        if key not in self._names:
            name = self._names[key] = self._free_name(target, pointer)
            self._origins[self.root.path, (*_WITHIN_SCHEMA, name)] = target, pointer
            self._pending_schemas.append((name, target, pointer, content, scope))
        return f"#/components/schemas/{self._names[key]}"

    def _scope_in_place(self, pointer: Pointer) -> DynamicScope:
        """Return the dynamic anchors of the schemas around a pointer of the root document."""
        value, kind, scope = self.root.data, _START.kind, _START.scope
        for length, token in enumerate(pointer, 1):
            if isinstance(value, dict):
                at = pointer[: length - 1]
                kind = kind_within(kind, at, token, value[token]) or "object"
            value = lookup(value, (token,))
            if kind == "schema":
                scope = self._identifiers.scope(self.root, pointer[:length], scope)
        return scope

    def _discriminator(self, value: Any, document: Document) -> Any:
        """Copy a Discriminator Object, with the schemas of its mapping as `$ref`s within the bundle."""
        mapping = value.get("mapping") if isinstance(value, dict) else None
        if not isinstance(mapping, dict):
            return value
        return {**value, "mapping": {name: self._mapped(to, document) for name, to in mapping.items()}}

    def _mapped(self, target: Any, document: Document) -> Any:
        """Return a `$ref` to the target of a mapping; the target itself if it names a component or leads nowhere."""
        if not isinstance(target, str) or not target:
            return target
        ref = target
        if document is not self.root and target in _schemas_of(document.data):
            ref = f"#/components/schemas/{quote(escape(target), safe='~')}"
        elif target in _schemas_of(self.root.data):
            return target
        try:
            return self._local(*self._find(ref, document, ()))
        except (_Refused, PointerNotFound):
            return target
        except SetupError as exc:
            self.problems += [one for one in exc.problems if one.rule != "unreadable"]
            return target

    def _count(self, values: int, level: int, document: Document, at: Pointer) -> None:
        """Count copied values and their nesting. Raises SetupError for more than the limits."""
        self._copied += values
        if level > limits.MAX_DEPTH:
            message = f"with the $refs that lead here, nested deeper than {limits.MAX_DEPTH} levels"
        elif self._copied > limits.expanded(self._size):
            message = "the $refs to other files copy too many values"
        else:
            return
        raise SetupError(
            [
                *self.problems,
                Diagnostic(document.place(at), f"{message}; refer to components instead", "limit"),
            ]
        )

    def _add_document(self, document: Document, *, has_names: bool = True) -> None:
        self._documents[document.path] = document
        self._size += document.size
        if self.version != "3.0" and has_names:
            known = len(self._identifiers.repeated)
            self._identifiers.add(document)
            for (owner, at), name in self._identifiers.repeated[known:]:
                what = _quoted(name) if owner is self.root else "the name"
                message = f"{what} names another schema already; choose another one"
                self.problems.append(Diagnostic(owner.place(at), message, "duplicate-id"))

    def _target(self, ref: str, document: Document, place: Pointer) -> _Found | None:
        try:
            return self._find(ref, document, place[:-1])
        except _Refused as exc:
            self._problem(document, place, ref, str(exc), exc.rule)
        except SetupError as exc:
            is_own = document is self.root
            self.problems += [one for one in exc.problems if is_own or one.rule != "unreadable"]
            hint = _hint(ref) if is_own else "; is it a file of the contract?"
            self._problem(document, place, ref, f"cannot be resolved{hint}", "dangling-ref")
        except PointerNotFound:
            self._problem(
                document, place, ref, "does not exist; define it or correct the $ref", "dangling-ref"
            )
        return None

    def _find(self, ref: str, document: Document, at: Pointer) -> _Found:
        """Return the target of a `$ref` at a pointer. Raises _Refused, PointerNotFound and SetupError."""
        if self.version != "3.0" and (named := self._identifiers.find(ref, document, at)) is not None:
            return *named, lookup(named.document.data, named.pointer)
        path, fragment = self._file(ref, document)
        target = self._document(path)
        if self.version != "3.0":
            pointer = self._identifiers.within(target, fragment)
        else:
            pointer = parse_pointer(fragment)
        return target, pointer, lookup(target.data, pointer)

    def _file(self, ref: str, document: Document) -> tuple[Path, str]:
        """Return the file and the fragment of a `$ref`. Raises _Refused."""
        if ref.startswith("#"):
            return document.path, ref[1:]
        try:
            url = urlsplit(ref)
            if url.scheme or url.netloc:
                raise _Refused(_REMOTE, "remote-ref")
            name = unquote(url.path)
            if len(name) > _MAX_NAME:
                raise _Refused(_NO_NAME, "dangling-ref")
            path = (document.path.parent / name).resolve() if name else document.path
        except (ValueError, OSError, RuntimeError) as exc:  # RuntimeError: a circle of symbolic links
            raise _Refused(_NO_NAME, "dangling-ref") from exc
        if not path.is_relative_to(self._folder):
            raise _Refused(
                "is outside the contract's folder; copy the file into it, or set contract-root in [tool.relay] (RELAY_CONTRACT_ROOT) to a folder with both",
                "outside-ref",
            )
        return path, url.fragment

    def _document(self, path: Path) -> Document:
        """Return a document, read at its first use. Raises SetupError, with its problems only at first."""
        if path in self._failed:
            raise SetupError([])
        if path not in self._documents:
            try:
                document, problems = parse_document(path, quotes=False)
            except SetupError:
                self._failed.add(path)
                raise
            self._add_document(document)
            self.problems += problems
        return self._documents[path]

    def _free_name(self, target: Document, pointer: Pointer) -> str:
        base = re.sub(r"[^A-Za-z0-9._-]", "_", pointer[-1] if pointer else target.path.stem)
        names = self._numbers.setdefault(base, _numbered(base))
        name = next(name for name in names if name not in self._taken)
        self._taken.add(name)
        return name


def collision(name: str) -> str:
    """Return the message for a field of a Path Item Object that the one it refers to has, too."""
    return f"'{name}' is also in the Path Item Object that the $ref leads to, and OpenAPI does not say which one is meant; keep one"


_MAX_NAME = 4096  # characters of a path, PATH_MAX of Linux
_NO_NAME = "is not the name of a file; correct the $ref"
_REMOTE = "is a remote reference and is not fetched; copy the file next to the contract"


class _Refused(Exception):
    """A `$ref` is not followed; the text says why, after the `$ref`."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


def resolved_root(folder: Path) -> Path:
    """Return a contract-root without symbolic links. Raises SetupError for what is not the name of a folder."""
    try:
        return folder.resolve()
    except (ValueError, OSError, RuntimeError) as exc:  # RuntimeError: a circle of symbolic links
        message = f"{str(folder)!r} is not the name of a folder"
        raise SetupError([Diagnostic("contract-root", message, "unreadable")]) from exc


def _folder_of(path: Path, folder: Path | None) -> Path:
    """Return the folder within which a contract reads, by default its own; raise SetupError if it is not in it."""
    if folder is None:
        return path.parent
    root = resolved_root(folder)
    if not path.is_relative_to(root):
        message = f"{display(root)} does not contain {display(path)}; set it (RELAY_CONTRACT_ROOT) to a folder that does"
        raise SetupError([Diagnostic("contract-root", message, "unreadable")])
    return root


def _quoted(ref: str) -> str:
    return f"'{ref}'" if len(ref) <= 200 else f"'{ref[:197]}...'"


def _hint(ref: str) -> str:
    """Suggest the full reference if `ref` is only the name of a schema."""
    return (
        f"; to refer to a schema of this file, write '#/components/schemas/{ref}'"
        if re.fullmatch(r"\w+", ref)
        else ""
    )


def _schemas_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return a document's own schemas; {} if they are not a mapping, which `check_structure` reports."""
    try:
        found = lookup(data, _WITHIN_SCHEMA)
    except PointerNotFound:
        return {}
    return found if isinstance(found, dict) else {}


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}_{number}"
        number += 1
