"""Several files → one document in which every `$ref` is local.

What another file holds is taken in where it is asked for; schemas, which may refer to themselves,
become `components/schemas` of the bundle instead. Nothing is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .diagnostics import Diagnostic, SetupError, SourceLocation
from .documents import Document, Pointer, parse_document

# Where the keys of an object are names somebody chose, not words of the specification.
NAMED = frozenset(
    "properties schemas parameters responses requestBodies headers examples links callbacks "
    "securitySchemes paths content encoding variables scopes mapping".split()
)
_SCHEMAS = frozenset("schema schemas properties items additionalProperties not allOf anyOf oneOf".split())
_LITERAL = frozenset(["example", "default", "enum", "value"])  # data, in which "$ref" means nothing
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
    """A JSON pointer leads nowhere."""


def lookup(data: Any, pointer: Pointer) -> Any:
    """Return the value at `pointer`; raise PointerNotFound where there is none."""
    for token in pointer:
        try:
            data = data[_index(token)] if isinstance(data, list) else data[token]
        except (KeyError, IndexError, ValueError, TypeError) as exc:
            raise PointerNotFound from exc
    return data


def _index(token: str) -> int:
    """Read an array's index (RFC 6901 section 4), which has one spelling."""
    index = int(token)
    if str(index) != token or index < 0:
        raise ValueError
    return index


def references(value: Any, at: Pointer = (), *, named: bool = False) -> Iterator[tuple[Pointer, str]]:
    """Yield each `$ref` within a value and where it stands; what only looks like one, in data, is left out."""
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
    """Whether what a keyword holds is data, or an extension's, rather than part of the contract."""
    return key in _LITERAL or key.startswith("x-")


class Bundle:
    """A root document with everything it refers to, and the place each part came from."""

    def __init__(self, root: Document) -> None:
        self.root = root
        self.problems: list[Diagnostic] = []
        self._documents = {root.path: root}
        self._origins: dict[tuple[Path, Pointer], tuple[Document, Pointer]] = {}
        self._names: dict[tuple[Path, Pointer], str] = {}
        self._taken_in: list[tuple[str, Document, Pointer, Any]] = []
        self._own = frozenset(_schemas_of(root.data))
        self.data = self._expand(root.data, root, ())
        self._add_schemas()
        self._check_circles()

    @property
    def is_single(self) -> bool:
        """Whether the root document is all there is."""
        return len(self._documents) == 1

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return where the value at `pointer` of the bundle stands in its own file."""
        document, at = self.root, Pointer()
        for token in pointer:
            at = (*at, token)
            while (document.path, at) in self._origins:
                document, at = self._origins[document.path, at]
        return document.place(at)

    def _problem(self, document: Document, at: Pointer, message: str, rule: str) -> None:
        self.problems.append(Diagnostic(document.place(at), message, rule))

    def _check_circles(self) -> None:
        """Tell of each `$ref` that leads to nothing but a `$ref`, and so back to itself."""
        for pointer, ref in references(self.data):
            seen = [pointer]
            value: Any = {"$ref": ref}
            while isinstance(value, dict) and isinstance(target := value.get("$ref"), str):
                at = parse_pointer(target.removeprefix("#"))
                if at == pointer:
                    message = f"'{ref}' leads back to itself with nothing between; write out what it is"
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
        while self._taken_in:  # a schema may bring others along
            name, document, at, value = self._taken_in.pop(0)
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
                self._taken_in.append((name, target, pointer, content))
            return {"$ref": f"#/components/schemas/{self._names[key]}"}
        if key in within:
            self._problem(
                document, at, f"'{ref}' leads back to itself; only schemas may do that", "circular-ref"
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
                f"'{ref}' is elsewhere and never fetched; keep the file beside the contract",
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
            self._problem(document, at, f"'{ref}' cannot be followed{_hint(ref)}", "dangling-ref")
        except PointerNotFound:
            self._problem(document, at, f"'{ref}' leads nowhere", "dangling-ref")
        return None

    def _free_name(self, target: Document, pointer: Pointer) -> str:
        word = re.sub(r"[^A-Za-z0-9._-]", "_", pointer[-1] if pointer else target.path.stem)
        taken = {*self._own, *self._names.values()}
        return next(name for name in _numbered(word) if name not in taken)


def _hint(ref: str) -> str:
    """Help who wrote the bare name of a schema."""
    return f"; a schema of this file is '#/components/schemas/{ref}'" if re.fullmatch(r"\w+", ref) else ""


def _schemas_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return a document's own schemas; what is no mapping there, its structure's check will tell."""
    try:
        found = lookup(data, _WITHIN_SCHEMA)
    except PointerNotFound:
        return {}
    return found if isinstance(found, dict) else {}


def _numbered(word: str) -> Iterator[str]:
    yield word
    number = 2
    while True:
        yield f"{word}_{number}"
        number += 1
