"""Bundles a contract of several files into one document in which every `$ref` is local.

A `$ref` into another file is replaced by the value it points to. Schemas may be recursive, so they become
`components/schemas` of the bundle instead. Remote references are not fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .diagnostics import Diagnostic, SetupError, SourceLocation
from .documents import Document, Pointer, parse_document

# Keywords whose objects have keys chosen by the author, not keywords of the specification.
NAMED = frozenset(
    "properties schemas parameters responses requestBodies headers examples links callbacks "
    "securitySchemes paths content encoding variables scopes mapping".split()
)
_SCHEMAS = frozenset("schema schemas properties items additionalProperties not allOf anyOf oneOf".split())
_LITERAL = frozenset(["example", "default", "enum", "value"])  # data: "$ref" is not a reference in them
_WITHIN_SCHEMA = "components", "schemas"


def escape(token: str) -> str:
    """Escape one token of a JSON pointer (RFC 6901 section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def parse_pointer(fragment: str) -> Pointer:
    """Split a URI fragment that is a JSON pointer (RFC 6901 section 6) into its tokens."""
    if not fragment:
        return ()
    return tuple(
        unquote(token).replace("~1", "/").replace("~0", "~")
        for token in fragment.removeprefix("/").split("/")
    )


class PointerNotFound(Exception):
    """A JSON pointer has no value in the document."""


def lookup(data: Any, pointer: Pointer) -> Any:
    """Return the value at `pointer`. Raises PointerNotFound if there is none."""
    for token in pointer:
        try:
            data = data[_index(token)] if isinstance(data, list) else data[token]
        except (KeyError, IndexError, ValueError, TypeError) as exc:
            raise PointerNotFound from exc
    return data


def _index(token: str) -> int:
    """Parse an array index (RFC 6901 section 4). Raises ValueError for a sign or leading zeros."""
    index = int(token)
    if str(index) != token or index < 0:
        raise ValueError
    return index


def references(value: Any, at: Pointer = (), *, named: bool = False) -> Iterator[tuple[Pointer, str]]:
    """Yield the pointer and the target of each `$ref` in a value; a `$ref` key inside data is skipped."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from references(item, (*at, str(index)))
    elif isinstance(value, dict):
        if not named and isinstance(ref := value.get("$ref"), str):
            yield at, ref
            return
        for key, item in value.items():
            if named or not is_data(key):
                yield from references(item, (*at, key), named=not named and key in NAMED)


def is_data(key: str) -> bool:
    """Return True if the keyword's value is data or an extension, not part of the contract."""
    return key in _LITERAL or key.startswith("x-")


class Bundle:
    """A root document with everything it refers to; each part keeps its source location."""

    def __init__(self, root: Document) -> None:
        self.root = root
        self.problems: list[Diagnostic] = []
        self._documents = {root.path: root}
        self._origins: dict[tuple[Path, Pointer], tuple[Document, Pointer]] = {}
        self._names: dict[tuple[Path, Pointer], str] = {}
        self._pending_schemas: list[tuple[str, Document, Pointer, Any]] = []
        self._root_schemas = frozenset(_schemas_of(root.data))
        self.data = self._expand(root.data, root, ())
        self._add_schemas()
        self._check_circular_refs()

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
        document, at = self.root, Pointer()
        for token in pointer:
            at = (*at, token)
            while (document.path, at) in self._origins:
                document, at = self._origins[document.path, at]
        return document.place(at)

    def _problem(self, document: Document, at: Pointer, message: str, rule: str) -> None:
        self.problems.append(Diagnostic(document.place(at), message, rule))

    def _check_circular_refs(self) -> None:
        """Report each `$ref` whose chain of `$ref`s contains itself."""
        for pointer, ref in references(self.data):
            seen = [pointer]
            value: Any = {"$ref": ref}
            while isinstance(value, dict) and isinstance(target := value.get("$ref"), str):
                at = parse_pointer(target.removeprefix("#"))
                if at == pointer:
                    message = f"'{ref}' is a circular reference; replace one reference by its definition"
                    self.problems.append(Diagnostic(self.place(pointer), message, "circular-ref"))
                if at in seen:
                    break
                seen.append(at)
                try:
                    value = lookup(self.data, at)
                except PointerNotFound:
                    break

    def _add_schemas(self) -> None:
        schemas: dict[str, Any] = {}
        while self._pending_schemas:  # expanding a schema may add more
            name, document, at, value = self._pending_schemas.pop(0)
            schemas[name] = self._expand(value, document, at, schema=True)
        components = self.data.get("components") or {}
        if schemas and isinstance(components, dict):
            self.data["components"] = {**components, "schemas": {**_schemas_of(self.data), **schemas}}

    def _expand(
        self,
        value: Any,
        document: Document,
        at: Pointer,
        *,
        schema: bool = False,
        named: bool = False,
        within: tuple[tuple[Path, Pointer], ...] = (),
    ) -> Any:
        """Copy `value`, with each `$ref` into another file replaced."""
        if isinstance(value, list):
            return [
                self._expand(item, document, (*at, str(index)), schema=schema, within=within)
                for index, item in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        if not named and isinstance(value.get("$ref"), str):
            return self._follow(value, document, at, schema=schema, within=within)
        return {
            key: item
            if not named and is_data(key)
            else self._expand(
                item,
                document,
                (*at, key),
                schema=schema if named else key in _SCHEMAS,
                named=not named and key in NAMED,
                within=within,
            )
            for key, item in value.items()
        }

    def _follow(
        self,
        value: dict[str, Any],
        document: Document,
        at: Pointer,
        *,
        schema: bool,
        within: tuple[tuple[Path, Pointer], ...],
    ) -> Any:
        ref = value["$ref"]
        found = self._target(ref, document, (*at, "$ref"))
        if found is None:
            return value
        target, pointer, content = found
        if target is self.root:
            return {"$ref": "#" + "".join(f"/{quote(escape(token), safe='~')}" for token in pointer)}
        key = target.path, pointer
        if schema:
            if key not in self._names:
                name = self._names[key] = self._free_name(target, pointer)
                self._origins[self.root.path, (*_WITHIN_SCHEMA, name)] = target, pointer
                self._pending_schemas.append((name, target, pointer, content))
            return {"$ref": f"#/components/schemas/{self._names[key]}"}
        if key in within:
            self._problem(
                document,
                at,
                f"'{ref}' is a circular reference; only schemas may be recursive",
                "circular-ref",
            )
            return value
        self._origins[document.path, at] = target, pointer
        return self._expand(content, target, pointer, within=(*within, key))

    def _target(self, ref: str, document: Document, at: Pointer) -> tuple[Document, Pointer, Any] | None:
        url = urlsplit(ref)
        if url.scheme or url.netloc:
            self._problem(
                document,
                at,
                f"'{ref}' is a remote reference and is not fetched; copy the file next to the contract",
                "remote-ref",
            )
            return None
        path = (document.path.parent / unquote(url.path)).resolve() if url.path else document.path
        try:
            if path not in self._documents:
                self._documents[path], problems = parse_document(path)
                self.problems += problems
            target, pointer = self._documents[path], parse_pointer(url.fragment)
            return target, pointer, lookup(target.data, pointer)
        except SetupError as exc:
            self.problems += exc.problems
            self._problem(document, at, f"'{ref}' cannot be resolved{_hint(ref)}", "dangling-ref")
        except PointerNotFound:
            self._problem(
                document, at, f"'{ref}' does not exist; define it or correct the $ref", "dangling-ref"
            )
        return None

    def _free_name(self, target: Document, pointer: Pointer) -> str:
        base = re.sub(r"[^A-Za-z0-9._-]", "_", pointer[-1] if pointer else target.path.stem)
        taken = {*self._root_schemas, *self._names.values()}
        return next(name for name in _numbered(base) if name not in taken)


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
