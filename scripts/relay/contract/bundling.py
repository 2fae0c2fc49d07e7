"""Bundles a contract of several files into one document in which every `$ref` is local.

A `$ref` into another file is replaced by the value it points to. Schemas may be recursive, so they become
`components/schemas` of the bundle instead, also those that a discriminator's mapping leads to. Remote references are
not fetched. From OpenAPI 3.1 on, a reference may name a schema by its URI or anchor, and has keywords next to it.
It is one module because following a reference decides at once what is copied, what gets a name and what is counted.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from functools import cached_property
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
    found_at,
    kind_within,
    lookup,
    mappings,
    parse_pointer,
    references,
    target_of,
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

    kind: Kind = "object"
    within: tuple[Target, ...] = ()
    level: int = 0
    scope: DynamicScope = ()


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
        self._origins: dict[Target, Target] = {}
        self._names: dict[tuple[Target, DynamicScope], str] = {}
        self._taken = set(_schemas_of(root.data))
        self._numbers: dict[str, Iterator[int]] = {}
        self.version: Version = version_of(root.data) or "3.0"
        self._identifiers = Identifiers()
        self._copied = self._size = 0
        self._pending_schemas: list[tuple[str, Target, DynamicScope]] = []
        is_bundled = _is_bundled(root, self.version)
        self._add_document(root, has_names=not is_bundled)
        self.data = root.data if is_bundled else self._expand(root.data, Target(root, ()), _Walk())
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

    @cached_property
    def written(self) -> dict[str, Any]:
        """The bundled document as it was before it was changed, bundled anew."""
        data: dict[str, Any] = Bundle(self.root, self._folder).data
        return data

    @property
    def documents(self) -> tuple[Document, ...]:
        """The root document and every file that it refers to."""
        return tuple(self._documents.values())

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the location, in its own file, of the value at `pointer` of the bundle."""
        document, at = self._origin(pointer)
        return document.place(at)

    def _origin(self, pointer: Pointer) -> Target:
        at = Target(self.root, ())
        for token in pointer:
            at = at.within(token)
            while at in self._origins:
                at = self._origins[at]
        return at

    def is_own(self, pointer: Pointer) -> bool:
        """Return True if the value at `pointer` is in the root document, not in a file that it refers to."""
        return self._origin(pointer).document is self.root

    def _problem(self, at: Target, ref: str, message: str, rule: str) -> None:
        """Report a `$ref`, which is quoted only if the root document contains it."""
        named = _quoted(ref) if at.document is self.root else "the $ref"
        self.problems.append(Diagnostic(at.document.place(at.pointer), f"{named} {message}", rule))

    def _check_chains(self) -> None:
        """Report each `$ref` whose chain of `$ref`s contains itself, and each chain that is too long."""
        hops: dict[Pointer, int] = {}
        for pointer, _ in self.references:
            chain: list[Pointer] = []
            passed: set[Pointer] = set()
            at: Pointer | None = pointer
            while at is not None and at not in hops and at not in passed:
                chain.append(at)
                passed.add(at)
                at = target_of(found_at(self.data, at))
            if at is not None and at in passed:
                self.circular.update(chain[chain.index(at) :])
            count = 0 if at is None else hops.get(at, 0)
            hops |= {one: count + number for number, one in enumerate(reversed(chain), 1)}
        for pointer, ref in self.references:
            if pointer in self.circular:
                message = "is a circular reference; replace one reference by its definition"
                self._problem(self._origin(pointer), ref, message, "circular-ref")
            elif hops[pointer] == limits.MAX_DEPTH + 1:
                message = f"starts a chain of more than {limits.MAX_DEPTH} $refs; refer to its end"
                self._problem(self._origin(pointer), ref, message, "limit")

    def _add_schemas(self) -> None:
        schemas: dict[str, Any] = {}
        while self._pending_schemas:  # expanding a schema may add more
            name, at, scope = self._pending_schemas.pop(0)
            schemas[name] = self._expand(at.value, at, _Walk("schema", scope=scope))
            is_foreign = self.version != "3.0" and at.document is not self.root
            stated = self._identifiers.dialect(at) if is_foreign else None
            if stated is not None and isinstance(schemas[name], dict):
                schemas[name] = {"$schema": stated, **schemas[name]}
        components = self.data.get("components") or {}
        if schemas and isinstance(components, dict):
            self.data["components"] = {**components, "schemas": {**_schemas_of(self.data), **schemas}}

    def _expand(self, value: Any, at: Target, walk: _Walk) -> Any:
        """Copy `value`, with each `$ref` into another file replaced, and each name of a schema by a pointer."""
        if not isinstance(value, list | dict):
            return value
        self._count(len(value), walk.level, at)
        walk = walk._replace(level=walk.level + 1)
        if isinstance(value, list):
            return [self._expand(item, at.within(str(index)), walk) for index, item in enumerate(value)]
        if walk.kind == "schema" and "discriminator" in value:
            value = {**value, "discriminator": self._discriminator(value["discriminator"], at.document)}
        if walk.kind == "schema" and self.version != "3.0":
            return self._expand_schema(value, at, walk)
        if walk.kind in ("object", "schema") and isinstance(value.get("$ref"), str):
            return self._follow(value, at, walk)
        return self._expand_members(value, at, walk)

    def _expand_members(self, value: dict[str, Any], at: Target, walk: _Walk) -> dict[str, Any]:
        return {
            key: item
            if not isinstance(item, list | dict)
            or (inner := kind_within(walk.kind, at.pointer, key, item)) is None
            else self._expand(item, at.within(key), walk._replace(kind=inner))
            for key, item in value.items()
        }

    def _expand_schema(self, value: dict[str, Any], at: Target, walk: _Walk) -> Any:
        """Copy a schema of OpenAPI 3.1 or later, in which keywords may be next to a `$ref`."""
        walk = walk._replace(scope=self._identifiers.scope(at, walk.scope))
        refs = [*self._schema_refs(value, at, walk.scope)]
        others = {key: item for key, item in value.items() if key not in NAMING}
        expanded = self._expand_members(others, at, walk)
        if refs:
            expanded = {"$ref": refs[0], **expanded}
        if len(refs) > 1:
            expanded["allOf"] = [*expanded.get("allOf", []), *({"$ref": ref} for ref in refs[1:])]
        return expanded

    def _schema_refs(self, value: dict[str, Any], at: Target, scope: DynamicScope) -> Iterator[str]:
        """Yield the references of a schema, as pointers in the bundle; one that leads nowhere as it is written."""
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if isinstance(ref := value.get(keyword), str):
                found = self._target(ref, at, keyword)
                if found is not None and keyword != "$ref":
                    found = self._identifiers.dynamic(found, ref, scope)
                yield ref if found is None else self._local(found, scope)

    def _follow(self, value: dict[str, Any], at: Target, walk: _Walk) -> Any:
        """Return what an object with a `$ref` stands for, with what is next to the `$ref` where that counts."""
        found = self._target(value["$ref"], at, "$ref")
        if found is None:
            return value
        others = {key: item for key, item in value.items() if key != "$ref" and self.version != "3.0"}
        siblings = self._expand_members(others, at, walk)
        if walk.kind == "schema" or self._keeps(found):
            return {"$ref": self._local(found), **siblings}
        if found in walk.within:
            message = "is a circular reference; only schemas may be recursive"
            self._problem(at, value["$ref"], message, "circular-ref")
            return value
        self._origins[at] = found
        expanded = self._expand(found.value, found, walk._replace(within=(*walk.within, found)))
        if not isinstance(expanded, dict):
            return expanded
        for name in sorted((expanded.keys() & siblings.keys()) - {"summary", "description"}):
            place = at.document.place((*at.pointer, name))
            self.problems.append(Diagnostic(place, collision(name), "path-item-collision"))
        return {**expanded, **siblings}

    def _keeps(self, target: Target) -> bool:
        """Return True if the bundle has the value at the same pointer; in 3.0 it leaves out what is next to a `$ref`."""
        value = target.document.data
        for token in target.pointer if target.document is self.root and self.version == "3.0" else ():
            if isinstance(value, dict) and isinstance(value.get("$ref"), str):
                return False
            value = lookup(value, (token,))
        return target.document is self.root

    def _local(self, target: Target, scope: DynamicScope = ()) -> str:
        """Return a `$ref` within the bundle to a value that it has, or to a schema, which becomes a component.

        A schema that is reached with other dynamic anchors than at its own place becomes a component, too.
        """
        scope = self._identifiers.scope(target, scope) if self.version != "3.0" else ()
        if self._keeps(target) and (not scope or scope == self._scope_in_place(target.pointer)):
            return "#" + "".join(f"/{_in_fragment(token)}" for token in target.pointer)
        key = target, scope
        if key not in self._names:
            name = self._names[key] = self._free_name(target)
            self._origins[Target(self.root, (*_WITHIN_SCHEMA, name))] = target
            self._pending_schemas.append((name, target, scope))
        return f"#/components/schemas/{self._names[key]}"

    def _scope_in_place(self, pointer: Pointer) -> DynamicScope:
        at, value, kind, scope = Target(self.root, ()), self.root.data, _Walk().kind, _Walk().scope
        for token in pointer:
            if isinstance(value, dict):
                kind = kind_within(kind, at.pointer, token, value[token]) or "object"
            at, value = at.within(token), lookup(value, (token,))
            if kind == "schema":
                scope = self._identifiers.scope(at, scope)
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
            ref = f"#/components/schemas/{_in_fragment(target)}"
        elif target in _schemas_of(self.root.data):
            return target
        try:
            return self._local(self._find(ref, Target(document, ())))
        except (_Refused, PointerNotFound):
            return target
        except SetupError as exc:
            self.problems += [one for one in exc.problems if one.rule != "unreadable"]
            return target

    def _count(self, values: int, level: int, at: Target) -> None:
        """Count copied values and their nesting. Raises SetupError for more than the limits."""
        self._copied += values
        if level > limits.MAX_DEPTH:
            message = f"with the $refs that lead here, nested deeper than {limits.MAX_DEPTH} levels"
        elif self._copied > limits.expanded(self._size):
            message = "the $refs to other files copy too many values"
        else:
            return
        place = at.document.place(at.pointer)
        raise SetupError(
            [*self.problems, Diagnostic(place, f"{message}; refer to components instead", "limit")]
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

    def _target(self, ref: str, at: Target, keyword: str) -> Target | None:
        """Return the target of a reference at a keyword of an object; None, and a problem, if there is none."""
        try:
            return self._find(ref, at)
        except _Refused as exc:
            message, rule = exc.args
        except SetupError as exc:
            is_own = at.document is self.root
            self.problems += [one for one in exc.problems if is_own or one.rule != "unreadable"]
            message, rule = "cannot be resolved", "dangling-ref"
            if not is_own:
                message += "; is it a file of the contract?"
            elif re.fullmatch(r"\w+", ref):
                message += f"; to refer to a schema of this file, write '#/components/schemas/{ref}'"
        except PointerNotFound:
            message, rule = "does not exist; define it or correct the $ref", "dangling-ref"
        self._problem(at.within(keyword), ref, message, rule)
        return None

    def _find(self, ref: str, at: Target) -> Target:
        """Return the target of a `$ref` in an object. Raises _Refused, PointerNotFound and SetupError."""
        names = self._identifiers if self.version != "3.0" else None
        found = names.find(ref, at) if names else None
        if found is None:
            path, fragment = self._file(ref, at.document)
            document = self._document(path)
            found = names.within(document, fragment) if names else Target(document, parse_pointer(fragment))
        lookup(found.document.data, found.pointer)
        return found

    def _file(self, ref: str, document: Document) -> tuple[Path, str]:
        """Return the file and the fragment of a `$ref`. Raises _Refused."""
        if ref.startswith("#"):
            return document.path, ref[1:]
        try:
            url = urlsplit(ref)
            if url.scheme or url.netloc:
                message = "is a remote reference and is not fetched; copy the file next to the contract"
                raise _Refused(message, "remote-ref")
            name = unquote(url.path)
            if len(name) > _MAX_NAME:
                raise _Refused(_NO_NAME, "dangling-ref")
            path = (document.path.parent / name).resolve() if name else document.path
        except (ValueError, OSError, RuntimeError) as exc:  # RuntimeError: a circle of symbolic links
            raise _Refused(_NO_NAME, "dangling-ref") from exc
        if not path.is_relative_to(self._folder):
            message = "is outside the contract's folder; copy the file into it, or set contract-root in [tool.relay] (RELAY_CONTRACT_ROOT) to a folder with both"
            raise _Refused(message, "outside-ref")
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

    def _free_name(self, target: Target) -> str:
        base = re.sub(r"[^A-Za-z0-9._-]", "_", (target.pointer or (target.document.path.stem,))[-1])
        numbers = self._numbers.setdefault(base, itertools.count(2))
        name = base
        while name in self._taken:
            name = f"{base}_{next(numbers)}"
        self._taken.add(name)
        return name


def collision(name: str) -> str:
    """Return the message for a field of a Path Item Object that the one it refers to has, too."""
    return f"'{name}' is also in the Path Item Object that the $ref leads to, and OpenAPI does not say which one is meant; keep one"


_MAX_NAME = 4096  # characters of a path, PATH_MAX of Linux
_NO_NAME = "is not the name of a file; correct the $ref"


class _Refused(Exception):
    """A `$ref` is not followed; its arguments are why, after the `$ref`, and the rule."""


def resolved_root(folder: Path) -> Path:
    """Return a contract-root without symbolic links. Raises SetupError for what is not the name of a folder."""
    try:
        return folder.resolve()
    except (ValueError, OSError, RuntimeError) as exc:  # RuntimeError: a circle of symbolic links
        message = f"{str(folder)!r} is not the name of a folder"
        raise SetupError([Diagnostic("contract-root", message, "unreadable")]) from exc


def _folder_of(path: Path, folder: Path | None) -> Path:
    """Return the folder within which a contract reads, by default its own; raise SetupError if it is not in it."""
    root = path.parent if folder is None else resolved_root(folder)
    if not path.is_relative_to(root):
        message = f"{display(root)} does not contain {display(path)}; set it (RELAY_CONTRACT_ROOT) to a folder that does"
        raise SetupError([Diagnostic("contract-root", message, "unreadable")])
    return root


def _quoted(ref: str) -> str:
    return f"'{ref}'" if len(ref) <= 200 else f"'{ref[:197]}...'"


def _in_fragment(token: str) -> str:
    return quote(escape(token), safe="~")


def _schemas_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return a document's own schemas; {} if they are not a mapping, which `check_structure` reports."""
    found = found_at(data, _WITHIN_SCHEMA)
    return found if isinstance(found, dict) else {}
