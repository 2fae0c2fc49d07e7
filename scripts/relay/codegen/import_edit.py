"""Edit the imports of a module's source: add what annotations or moved functions need, remove what they no longer need.

Statements are added and removed by lines; ruff sorts and merges them where it finds the module's own imports sorted.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from relay.project.module_source import Imported, Module
from relay.project.syntax import statements

from .annotations import HOMES, TYPING, Kind, Type

_RESERVED = TYPING | set(dir(builtins))
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Import(NamedTuple):
    """An import of a name of a module, or of a module if `name` is ''; `is_checked_only` for type checkers."""

    module: str
    name: str = ""
    alias: str | None = None
    is_checked_only: bool = False

    def written(self, importer: Module, package: str) -> str:
        """Return the statement in a module, relative within its package."""
        alias = f" as {self.alias}" if self.alias and self.alias != self.name else ""
        if not self.name:
            return f"import {self.module}{alias}"
        source = self.module
        if source.startswith(f"{package}."):
            depth = importer.name.count(".") - package.count(".") + (importer.path.name == "__init__.py")
            source = "." * depth + source.removeprefix(f"{package}.")
        return f"from {source} import {self.name}{alias}"


def local_names(
    module: Module, types: Sequence[Type], types_module: str, more: Sequence[str]
) -> dict[str, str]:
    """Return the local names, existing or new, of the types in some annotations, as `Type.written` takes them.

    `more` are names that the module will bind in addition to its current ones.
    """
    known = {
        bound.member: name
        for name, bound in module.bindings.items()
        if isinstance(bound, Imported) and bound.module == types_module and bound.member is not None
    }
    taken = {*module.names, *more, *_RESERVED}
    if module.stars:  # `import *` binds unknown names: any name that the module uses may be one of them
        taken |= set(re.findall(r"\w+", module.tree.code))
    local: dict[str, str] = {}
    for name in sorted({name for one in types for name in one.names("generated")}):
        own = known.get(name, name)
        while name not in known and own in taken:
            own = f"{own}Type"
        local[name] = own
        taken.add(own)
    return local | _hidden_names(module, types, more)


def _hidden_names(module: Module, types: Sequence[Type], more: Sequence[str]) -> dict[str, str]:
    """Return whole names of types that the module uses the short name of for something else: a handler `list`."""
    hidden: dict[str, str] = {}
    for kind, home in HOMES.items():
        for name in {name for one in types for name in one.names(kind)}:
            bound = module.bindings.get(name)
            is_type = isinstance(bound, Imported) and (bound.module, bound.member) == (home, name)
            if name in more or not (bound is None or is_type):
                hidden[f"{home}.{name}"] = f"{home}.{name}"
    return hidden


def missing_imports(
    module: Module, types: Sequence[Type], types_module: str, local: dict[str, str]
) -> Iterator[Import]:
    """Yield the imports that some annotations need and the module lacks."""
    hidden = {key for key in local if "." in key}
    yield from (Import(home) for home in sorted({key.rpartition(".")[0] for key in hidden}))
    homes: dict[Kind, str] = {"typing": HOMES["typing"], "abc": HOMES["abc"], "generated": types_module}
    for kind, home in homes.items():
        used = {name for one in types for name in one.names(kind) if f"{home}.{name}" not in hidden}
        found = {alias.evaluated_name for alias in module.imports_from(home)}
        for name in sorted(used - found):
            is_generated = kind == "generated"
            yield Import(home, name, local[name] if is_generated else None, is_generated and module.is_lazy)


def imports_of(module: Module, name: str) -> list[Import]:
    """Return the imports that bind a name; none if it is bound in several ways."""
    found: list[Import] = []
    for statement in statements(module.tree.body):
        match statement:
            case cst.Import(names=aliases):
                found += [
                    Import(one.evaluated_name, "", one.evaluated_alias)
                    for one in aliases
                    if name == (one.evaluated_alias or one.evaluated_name.partition(".")[0])
                ]
            case cst.ImportFrom(names=[*aliases]):
                found += [
                    Import(module.absolute(statement), one.evaluated_name, one.evaluated_alias)
                    for one in aliases
                    if name == (one.evaluated_alias or one.evaluated_name)
                ]
    is_plain = not any(one.name for one in found)
    return found if is_plain or len(found) == 1 else []


def imports_for(target: Module, module: Module, names: Iterable[str]) -> Iterator[Import]:
    """Yield the imports that another module needs for names of a module.

    Names that the other module has are left out: they mean the same there.
    """
    for name in sorted(names):
        if name in module.names and name not in target.names:
            is_checked_only = name in module.bindings and name not in module.running
            for one in imports_of(module, name) or [Import(module.name, name)]:
                yield one._replace(is_checked_only=is_checked_only)


def with_imports(module: Module, code: str, imports: Iterable[Import], package: str) -> str:
    """Return a module's code with more imports: after its first ones, or in its block for type checkers."""
    lines, statements = _LINE.findall(code), ast.parse(code).body
    newline = module.tree.default_newline
    wanted = [*dict.fromkeys(imports)]
    outer, inner = (
        [one.written(module, package) for one in wanted if one.is_checked_only is is_inner]
        for is_inner in (False, True)
    )
    header = _header(statements)
    if inner and (blocks := _blocks(statements)):
        first = blocks[0].body[0]
        lines.insert(first.lineno - 1, "".join(f"{' ' * first.col_offset}{line}{newline}" for line in inner))
    elif inner:
        is_there = any(_imports(one, "typing", "TYPE_CHECKING") for one in header)
        outer += [] if is_there else ["from typing import TYPE_CHECKING"]
        outer += ["", "if TYPE_CHECKING:", *(f"    {line}" for line in inner)]
    if outer:
        comments = [*itertools.takewhile(lambda line: line.startswith("#"), lines)]
        at = (header[-1].end_lineno or 0) if header else len(comments)
        are_relative = {line.startswith("from .") for line in (outer[0], *map(ast.unparse, header[-1:]))}
        is_apart = bool(header) and (not _is_import(header[-1]) or len(are_relative) > 1)
        is_last = len(statements) == len(header) or not lines[at].strip()
        if at and not lines[at - 1].endswith(("\n", "\r")):
            lines[at - 1] += newline
        around = [[newline] if is_apart else [], [] if is_last else [newline]]
        lines[at:at] = [*around[0], *(f"{line}{newline}" for line in outer), *around[1]]
    return "".join(lines)


def without_imports(module: Module, code: str, names: set[str], types_module: str) -> str:
    """Return a module's code without imports of generated types that it no longer uses; one with a comment stays."""
    code = _without(module, code, types_module, {name for name in names if not _uses(code, name)})
    is_checked = not names or _uses(code, "TYPE_CHECKING")
    return code if is_checked else _without(module, code, "typing", {"TYPE_CHECKING"})


def _without(module: Module, code: str, source: str, names: set[str]) -> str:
    """Return code without names in the imports of a module, but those that are exported or have a comment."""
    lines, statements = _LINE.findall(code), ast.parse(code).body
    holders: list[tuple[ast.If | None, list[ast.stmt]]] = [(one, one.body) for one in _blocks(statements)]
    found = [
        (statement, block if block is not None and len(body) == 1 and not block.orelse else statement)
        for block, body in [*holders, (None, statements)]
        for statement in body
        if isinstance(statement, ast.ImportFrom)
        and module.absolute_name("." * statement.level + (statement.module or "")) == source
    ]
    for statement, whole in sorted(found, key=lambda pair: -pair[0].lineno):
        kept = [
            one for one in statement.names if one.asname == one.name or (one.asname or one.name) not in names
        ]
        removed = statement if kept else whole
        first, last = removed.lineno - 1, removed.end_lineno or 0
        if len(kept) == len(statement.names) or re.search("[#;]", "".join(lines[first:last])):
            continue
        while not kept and first and not lines[first - 1].strip():
            first -= 1
        statement.names = kept
        less = f"{' ' * statement.col_offset}{ast.unparse(statement)}{module.tree.default_newline}"
        lines[first:last] = [less] if kept else []
    return "".join(lines)


def _blocks(statements: Sequence[ast.stmt]) -> list[ast.If]:
    ifs = (one for one in statements if isinstance(one, ast.If) and one.body[0].lineno > one.lineno)
    return [one for one in ifs if ast.unparse(one.test).endswith("TYPE_CHECKING")]


def _header(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the docstring and the imports that a module starts with."""
    has_docstring = ast.get_docstring(ast.Module([*statements[:1]], [])) is not None
    return [*statements[:has_docstring], *itertools.takewhile(_is_import, statements[has_docstring:])]


def _uses(code: str, name: str) -> bool:
    """Return True if code other than imports uses a name; a string that contains it counts as a use."""
    nodes = [*ast.walk(ast.parse(code))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings)
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(isinstance(node, ast.Name) and node.id == name for node in nodes) or any(
        isinstance(text, str) and word.search(text) for text in texts
    )


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _imports(statement: ast.stmt, source: str, name: str) -> bool:
    match statement:
        case ast.ImportFrom(module=found, names=names):
            return found == source and any(one.name == name for one in names)
    return False
