"""The source of one module: the names that its top level binds, and source locations."""

# One module: a function, a name and a module are read from one tree.

from __future__ import annotations

import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import libcst as cst
from libcst.metadata import GlobalScope, MetadataWrapper, PositionProvider, ScopeProvider

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import display

from .syntax import absolute, dotted, is_dynamic, nodes, statements, texts

_DEPTH = 10_000  # frames; a sum of a thousand terms needs most of them


@contextmanager
def raised_recursion_limit() -> Iterator[None]:
    """Raise Python's recursion limit to visit deep trees; raise SetupError for trees that exceed it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEPTH))
    try:
        yield
    except RecursionError as exc:
        message = "a module of the package is nested too deeply to be read"
        raise SetupError([Diagnostic("RELAY_HANDLERS", message)]) from exc
    finally:
        sys.setrecursionlimit(before)


_Kind = Literal["positional only", "positional", "keyword"]


class Argument(NamedTuple):
    """One argument of a function; its default and its annotation are None if it has none."""

    name: str
    kind: _Kind
    node: cst.Param
    default: cst.BaseExpression | None
    annotation: cst.BaseExpression | None


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function that a module defines."""

    module: Module
    node: cst.FunctionDef

    @property
    def name(self) -> str:
        """The name of the definition."""
        return self.node.name.value

    @property
    def is_async(self) -> bool:
        """True for an `async def`."""
        return self.node.asynchronous is not None

    @property
    def is_repeated(self) -> bool:
        """True if its module defines several functions of this name; this is the last one."""
        return self.name in self.module.repeated

    @property
    def place(self) -> SourceLocation:
        """The location of the definition."""
        return self.module.place(self.node)

    @property
    def takes_any(self) -> bool:
        """True if it accepts any keyword argument (`**kwargs`)."""
        return self.node.params.star_kwarg is not None

    @property
    def arguments(self) -> list[Argument]:
        """Its arguments in order, without the variadic ones."""
        found = self.node.params
        by_kind: dict[_Kind, Sequence[cst.Param]] = {
            "positional only": found.posonly_params,
            "positional": found.params,
            "keyword": found.kwonly_params,
        }
        return [
            Argument(
                one.name.value, kind, one, one.default, one.annotation.annotation if one.annotation else None
            )
            for kind, nodes_ in by_kind.items()
            for one in nodes_
        ]

    @property
    def returns(self) -> cst.BaseExpression | None:
        """The return annotation."""
        return self.node.returns.annotation if self.node.returns else None


@dataclass(frozen=True, slots=True)
class Imported:
    """A name bound by an import: a module, or a `member` of it; `module` is absolute."""

    module: str
    member: str | None


@dataclass(frozen=True, slots=True)
class Assigned:
    """A name bound to an expression; a tuple assignment is split into its values."""

    value: cst.BaseExpression


@dataclass(frozen=True, slots=True)
class Defined:
    """A name bound by a class definition."""

    node: cst.ClassDef


Bound = Function | Imported | Assigned | Defined


class Module:
    """A parsed file; if it cannot be parsed, `fault` has location and reason, and the tree is empty."""

    def __init__(self, path: Path, source: bytes, name: str) -> None:
        self.path = path
        self.source = source
        self.name = name
        self.fault: tuple[SourceLocation, str] | None = None
        self.tree = cst.Module([])
        try:
            tree = cst.parse_module(source)
        except cst.ParserSyntaxError as exc:
            place = SourceLocation(display(path), exc.raw_line, exc.raw_column + 1)
            self.fault = _compile_error(path, source) or (place, "is not Python")  # Python's is more precise
        except (UnicodeDecodeError, LookupError, SyntaxError, ValueError):
            self.fault = SourceLocation(display(path), 1, 1), "is not text in the encoding it declares"
        except RecursionError:
            self.fault = SourceLocation(display(path), 1, 1), "is nested too deeply to be read"
        else:
            self.fault = _compile_error(path, source)
            self.tree = self.tree if self.fault else tree

    @cached_property
    def wrapper(self) -> MetadataWrapper:
        """The tree with libcst's metadata; its nodes are those of `tree`."""
        return MetadataWrapper(self.tree, unsafe_skip_copy=True)

    def place(self, node: cst.CSTNode) -> SourceLocation:
        """Return the location of a node's start."""
        start = self.wrapper.resolve(PositionProvider)[node].start
        return SourceLocation(display(self.path), start.line, start.column + 1)

    @property
    def end(self) -> SourceLocation:
        """The location of the end of the file."""
        return SourceLocation(display(self.path), max(1, self.source.count(b"\n") + 1), 1)

    @cached_property
    def bindings(self) -> dict[str, Bound]:
        """Each name of the top level, with the last binding of it in the source."""
        return dict(self.bound_in(self.tree.body))

    @cached_property
    def running(self) -> dict[str, Bound]:
        """Each name that exists after the import, without blocks such as `if TYPE_CHECKING`."""
        found: dict[str, Bound] = {}
        for statement in statements(self.tree.body, running=True):
            if isinstance(statement, cst.Del):
                for name in nodes(statement, cst.Name):
                    found.pop(dotted(name), None)
            found.update(self._bound(statement))
        return found

    @cached_property
    def _top(self) -> GlobalScope | None:
        scopes = self.wrapper.resolve(ScopeProvider).values()
        return next((scope for scope in scopes if isinstance(scope, GlobalScope)), None)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that is bound at the top level in any way."""
        found = self._top.assignments if self._top else ()
        return frozenset([*self.bindings, *(one.name for one in found)])

    def times_bound(self, name: str) -> int:
        """Return how many times the top level binds a name."""
        return len(self._top[name]) if self._top else 0

    def may_bind(self, name: str) -> bool:
        """Return True if a name may be bound dynamically: `(name := …)`, `globals()["name"] = …`."""
        word = re.compile(rf"\b{re.escape(name)}\b")
        if not word.search(self.source.decode(errors="replace")):
            return False
        return name in self.names or any(word.search(text) for text in self._dynamic_texts)

    @cached_property
    def _dynamic_texts(self) -> list[str]:
        return [literal.value for literal in texts(self.tree)] if is_dynamic(self.tree) else []

    def bound_in(self, body: Sequence[cst.CSTNode]) -> Iterator[tuple[str, Bound]]:
        """Yield the names that the statements of a module or class bind."""
        for statement in statements(body):
            yield from self._bound(statement)

    @cached_property
    def repeated(self) -> frozenset[str]:
        """The names of several top-level functions, such as overloads or alternatives of an `if`."""
        found = statements(self.tree.body)
        counted = Counter(one.name.value for one in found if isinstance(one, cst.FunctionDef))
        return frozenset(name for name, count in counted.items() if count > 1)

    def whole_name(self, name: str) -> str:
        """Return the absolute name of an imported dotted name; '' for any other."""
        first, _, rest = name.partition(".")
        bound = self.bindings.get(first)
        parts = [bound.module, bound.member, rest] if isinstance(bound, Imported) else []
        return ".".join(filter(None, parts))

    def imports_from(self, source: str) -> Iterator[cst.ImportAlias]:
        """Yield the names that the top level imports from a module."""
        for statement in statements(self.tree.body):
            if isinstance(statement, cst.ImportFrom) and self.absolute(statement) == source:
                yield from () if isinstance(statement.names, cst.ImportStar) else statement.names

    @property
    def is_lazy(self) -> bool:
        """True if its annotations are not evaluated (PEP 563)."""
        return any(dotted(alias.name) == "annotations" for alias in self.imports_from("__future__"))

    @cached_property
    def stars(self) -> list[str]:
        """The modules of star imports (`from x import *`)."""
        return [
            self.absolute(statement)
            for statement in statements(self.tree.body)
            if isinstance(statement, cst.ImportFrom) and isinstance(statement.names, cst.ImportStar)
        ]

    def functions(self) -> Iterator[Function]:
        """Yield the top-level functions that exist after the import."""
        return (bound for bound in self.running.values() if isinstance(bound, Function))

    def absolute(self, node: cst.ImportFrom) -> str:
        """Return the absolute name of the module that a statement imports from."""
        return self.absolute_name("." * len(node.relative) + (dotted(node.module) if node.module else ""))

    def absolute_name(self, name: str) -> str:
        """Return the whole name of one that may be relative to this module."""
        return absolute(name, self.name, is_package=self.path.name == "__init__.py")

    def _bound(self, statement: cst.CSTNode) -> Iterator[tuple[str, Bound]]:
        match statement:
            case cst.FunctionDef():
                yield statement.name.value, Function(self, statement)
            case cst.ClassDef():
                yield statement.name.value, Defined(statement)
            case cst.Import() | cst.ImportFrom():
                yield from self._imported(statement)
            case cst.Assign():
                for target in statement.targets:
                    yield from _assigned(target.target, statement.value)
            case cst.AnnAssign(value=cst.BaseExpression() as value):
                yield from _assigned(statement.target, value)

    def _imported(self, statement: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, Bound]]:
        if isinstance(statement.names, cst.ImportStar):
            return
        source = self.absolute(statement) if isinstance(statement, cst.ImportFrom) else None
        for alias in statement.names:
            whole = dotted(alias.name)
            first = whole.partition(".")[0]
            name = dotted(alias.asname.name) if alias.asname else first
            if source is not None:
                yield name, Imported(source, whole)
            else:
                yield name, Imported(whole if alias.asname else first, None)


def _compile_error(path: Path, source: bytes) -> tuple[SourceLocation, str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings are for the user who runs the module
            compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as exc:
        return SourceLocation(display(path), exc.lineno or 1, exc.offset or 1), "is not Python"
    except (RecursionError, MemoryError):
        return SourceLocation(display(path), 1, 1), "is nested too deeply to be read"
    return None


def _assigned(target: cst.BaseExpression, value: cst.BaseExpression) -> Iterator[tuple[str, Bound]]:
    if isinstance(target, cst.Name):
        yield target.value, Assigned(value)
    elif isinstance(target, cst.Tuple | cst.List):
        values: Sequence[cst.BaseElement] = []
        if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == len(target.elements):
            values = value.elements
        for index, element in enumerate(target.elements):
            yield from _assigned(element.value, values[index].value if values else value)
