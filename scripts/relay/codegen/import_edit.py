"""Edit a module's imports: add what generated annotations need, remove what they no longer need."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import libcst as cst

from relay.project.module_source import Imported, Module
from relay.project.syntax import dotted, named, statements

from .annotations import HOMES, TYPING, Type
from .formatting import Layout
from .import_aliases import aliases_of, bound_name, is_exported, is_plain, joined, listed, ordered

_TEXT = cst.SimpleString | cst.ConcatenatedString
_RESERVED = TYPING | set(dir(builtins))


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


class Imports:
    """Edits the imports of one module; `tree` is the current result."""

    def __init__(self, module: Module, tree: cst.Module, types_module: str, layout: Layout) -> None:
        self._module = module
        self._types_module = types_module
        self._layout = layout
        self.tree = tree
        self._used: tuple[set[str], list[str]] | None = None

    def need(self, types: Sequence[Type], local: dict[str, str]) -> None:
        """Add the imports that some annotations need."""
        generated = {name for one in types for name in one.names("generated")}
        hidden = {key for key in local if "." in key}
        typing = {name for one in types for name in one.names("typing") if f"typing.{name}" not in hidden}
        missing = {name for name in generated if not self._has(self._types_module, name)}
        abc = {name for one in types for name in one.names("abc") if f"collections.abc.{name}" not in hidden}
        not_there = {name for name in abc if not self._has("collections.abc", name)}
        is_late = self._module.is_lazy
        absent = {name for name in typing if not self._has("typing", name)}
        if missing and is_late and not self._blocks() and not self._has_first("typing", "TYPE_CHECKING"):
            absent.add("TYPE_CHECKING")
        for home in sorted({key.partition(".")[0] for key in hidden}):
            self._add_module(home)
        if absent:
            self._add("typing", {name: name for name in absent}, in_block=False)
        if not_there:
            self._add("collections.abc", {name: name for name in not_there}, in_block=False)
        if missing:
            self._add(self._types_module, {name: local[name] for name in missing}, in_block=is_late)

    def take(self, line: cst.SimpleStatementLine, *, in_block: bool) -> None:
        """Add an import of one name that another module has; with `in_block` it is for type checkers only."""
        statement = line.body[0]
        if in_block and not self._blocks() and not self._has_first("typing", "TYPE_CHECKING"):
            self._add("typing", {"TYPE_CHECKING": "TYPE_CHECKING"}, in_block=False)
        if isinstance(statement, cst.ImportFrom):
            (alias,) = aliases_of(statement)
            self._add(self._source(statement), {dotted(alias.name): bound_name(alias)}, in_block=in_block)
        elif not any(statement.deep_equals(one) for one in statements(self.tree.body)):
            self.tree = self.tree.with_changes(body=self._placed(line, self.tree.body))

    def drop(self, names: set[str]) -> None:
        """Remove imports that are no longer used; an import with a comment stays."""
        self._remove_names(self._types_module, {name for name in names if not self._uses(name)})
        if names and not self._uses("TYPE_CHECKING"):
            self._remove_names("typing", {"TYPE_CHECKING"})

    def _remove_names(self, source: str, names: set[str]) -> None:
        for statement in [*self._statements()]:
            if self._source(statement) != source:
                continue
            kept = [
                alias
                for alias in aliases_of(statement)
                if bound_name(alias) not in names or is_exported(alias)
            ]
            if len(kept) < len(aliases_of(statement)) and "#" not in self.tree.code_for_node(statement):
                self._replace(statement, kept)

    def _has(self, source: str, name: str) -> bool:
        """Whether the module imports a name anywhere, which is enough for annotations."""
        parts = (part for part in statements(self.tree.body) if isinstance(part, cst.ImportFrom))
        return self._imports(parts, source, name)

    def _has_first(self, source: str, name: str) -> bool:
        """Whether the module imports a name before anything else runs."""
        return self._imports(self._first(), source, name)

    def _imports(self, parts: Iterable[cst.ImportFrom], source: str, name: str) -> bool:
        return any(
            self._source(part) == source and any(dotted(alias.name) == name for alias in aliases_of(part))
            for part in parts
        )

    def _first(self) -> Iterator[cst.ImportFrom]:
        """Yield the imports at the start of the module."""
        return _imports_of(self.tree.body[: _header(self.tree.body)])

    def _statements(self) -> Iterator[cst.ImportFrom]:
        """Yield the `from` imports of the module, at its top level and in `if TYPE_CHECKING:` blocks."""
        for holder in [self.tree.body, *(block.body.body for block in self._blocks())]:
            yield from _imports_of(holder)

    def _blocks(self) -> list[cst.If]:
        """Return the `if TYPE_CHECKING:` blocks with an indented body."""
        return [
            statement
            for statement in self.tree.body
            if isinstance(statement, cst.If)
            and isinstance(statement.body, cst.IndentedBlock)
            and dotted(statement.test).endswith("TYPE_CHECKING")
        ]

    def _source(self, statement: cst.ImportFrom) -> str:
        return self._module.absolute(statement)

    def _add(self, source: str, names: dict[str, str], *, in_block: bool) -> None:
        """Import names of a module; each name with an alias gets its own statement."""
        plain = [cst.ImportAlias(cst.Name(name)) for name, own in names.items() if own == name]
        parts = self._statements() if in_block else self._first()
        found = next((one for one in parts if self._source(one) == source and is_plain(one)), None)
        if plain and found is not None:
            self._replace(found, [*aliases_of(found), *plain])
        elif plain:
            self._insert(self._new(source, plain), in_block=in_block)
        space = cst.SimpleWhitespace(" ")
        for name, own in sorted(names.items()):
            if own != name:
                alias = cst.ImportAlias(cst.Name(name), cst.AsName(cst.Name(own), space, space))
                self._insert(self._new(source, [alias]), in_block=in_block)

    def _add_module(self, name: str) -> None:
        """Add `import NAME`, unless the module has it."""
        has_it = any(
            isinstance(part, cst.Import) and any(bound_name(alias) == name for alias in part.names)
            for part in statements(self.tree.body)
        )
        if not has_it:
            line = cst.SimpleStatementLine([cst.Import([cst.ImportAlias(cst.Name(name))])])
            self.tree = self.tree.with_changes(body=self._placed(line, self.tree.body))

    def _new(self, source: str, aliases: list[cst.ImportAlias]) -> cst.ImportFrom:
        package = self._types_module.rpartition(".")[0]
        if source.startswith(f"{package}."):
            is_package = self._module.path.name == "__init__.py"
            depth = self._module.name.count(".") - package.count(".") + is_package
            inner = named(source.removeprefix(f"{package}."))
            return cst.ImportFrom(inner, listed(aliases), relative=[cst.Dot()] * depth)
        return cst.ImportFrom(named(source), listed(aliases))

    def _replace(self, statement: cst.ImportFrom, aliases: Sequence[cst.ImportAlias]) -> None:
        if not aliases:
            self._remove(statement)
            return
        code = self.tree.code_for_node(statement)
        if "#" in code:  # a comment stays with its name
            new = statement.with_changes(names=joined(ordered(aliases)))
        else:
            new = statement.with_changes(names=listed(aliases), lpar=None, rpar=None)
        is_inner = any(
            statement in part.body
            for block in self._blocks()
            for part in block.body.body
            if isinstance(part, cst.SimpleStatementLine)
        )
        self._edit(statement, self._laid_out(new, is_inner=is_inner))

    def _edit(self, old: cst.ImportFrom, new: cst.ImportFrom) -> None:
        """Replace an import with another."""

        def edited(line: Any) -> Any:
            if isinstance(line, cst.SimpleStatementLine) and old in line.body:
                return line.with_changes(body=[new if part is old else part for part in line.body])
            if isinstance(line, cst.If) and line in blocks:
                return line.with_changes(
                    body=line.body.with_changes(body=[edited(inner) for inner in line.body.body])
                )
            return line

        blocks = self._blocks()
        self.tree = self.tree.with_changes(body=[edited(line) for line in self.tree.body])

    def _remove(self, statement: cst.ImportFrom) -> None:
        holders = [(block, block.body.body) for block in self._blocks()]
        for holder, body in [*holders, (None, self.tree.body)]:
            for line in body:
                if not isinstance(line, cst.SimpleStatementLine) or [*line.body] != [statement]:
                    continue
                removed = holder if holder is not None and len(body) == 1 and holder.orelse is None else line
                if "#" not in self.tree.code_for_node(removed):
                    self.tree = cst.ensure_type(self.tree.deep_remove(removed), cst.Module)
                    self._used = None
                return

    def _laid_out(self, statement: cst.ImportFrom, *, is_inner: bool) -> cst.ImportFrom:
        code = self.tree.code_for_node(statement)
        if is_inner:
            code = f"if TYPE_CHECKING:\n    {code}"
        (laid_out,) = self._layout.formatted([code])
        parsed = cst.parse_module(laid_out + "\n").body[0]
        line = parsed.body.body[0] if isinstance(parsed, cst.If) else parsed
        return cst.ensure_type(cst.ensure_type(line, cst.SimpleStatementLine).body[0], cst.ImportFrom)

    def _insert(self, statement: cst.ImportFrom, *, in_block: bool) -> None:
        line = cst.SimpleStatementLine([self._laid_out(statement, is_inner=in_block)])
        if not in_block:
            self.tree = self.tree.with_changes(body=self._placed(line, self.tree.body))
        elif blocks := self._blocks():
            inner = blocks[0].body.with_changes(body=self._placed(line, blocks[0].body.body))
            new = blocks[0].with_changes(body=inner)
            self.tree = self.tree.with_changes(
                body=[new if one is blocks[0] else one for one in self.tree.body]
            )
        else:
            blank = [cst.EmptyLine(indent=False)]
            block = cst.If(cst.Name("TYPE_CHECKING"), cst.IndentedBlock([line]), leading_lines=blank)
            body = [*self.tree.body]
            index = _header(body)
            body.insert(index, block)
            self.tree = self.tree.with_changes(body=_with_blank_lines(body, index + 1))

    def _placed(self, line: cst.SimpleStatementLine, body: Sequence[Any]) -> list[Any]:
        """Insert an import at its sorted position, with a blank line between sections."""
        new, own = [*body], self._key(line)
        end = _header(new)
        keys = [self._key(one) for one in new[:end]]
        index = max((at + 1 for at, key in enumerate(keys) if key <= own), default=0)
        before = new[index - 1] if index else None
        after = new[index] if index < end else None
        blank = [cst.EmptyLine(indent=False)]
        if before is not None and self._key(before)[0] != own[0]:
            line = line.with_changes(leading_lines=blank)
            if after is not None and self._key(after)[0] == own[0] and after.leading_lines:
                first, *rest = after.leading_lines
                new[index] = after.with_changes(
                    leading_lines=rest if first.comment is None else after.leading_lines
                )
        if after is not None and self._key(after)[0] != own[0] and not after.leading_lines:
            new[index] = after.with_changes(leading_lines=blank)
        new.insert(index, line)
        return _with_blank_lines(new, index + 1)

    def _key(self, line: Any) -> tuple[int, int, str]:
        """Return the sort key of an import: its section, `import` before `from`, its module."""
        part = line.body[0] if isinstance(line, cst.SimpleStatementLine) and line.body else None
        if isinstance(part, cst.ImportFrom):
            name = "." * len(part.relative) + (dotted(part.module) if part.module else "")
            return _section(name), 1, name.lower()
        if isinstance(part, cst.Import):
            name = dotted(part.names[0].name)
            return _section(name), 0, name.lower()
        return -1, 0, ""

    def _uses(self, name: str) -> bool:
        """Whether code other than imports uses a name; a string that contains it counts as a use."""
        if self._used is None:
            self._used = _used(self.tree.code)
        names, texts = self._used
        return name in names or any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts)


def _used(code: str) -> tuple[set[str], list[str]]:
    """Return the names that a module uses, and its strings without docstrings."""
    nodes = [*ast.walk(ast.parse(code))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    constants = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings)
    return names, [node.value for node in constants if isinstance(node.value, str)]


def _imports_of(body: Sequence[cst.CSTNode]) -> Iterator[cst.ImportFrom]:
    for line in body:
        if isinstance(line, cst.SimpleStatementLine):
            yield from (part for part in line.body if isinstance(part, cst.ImportFrom))


def _section(name: str) -> int:
    if name == "__future__":
        return 0
    if name.startswith("."):
        return 3
    return 1 if name.partition(".")[0] in sys.stdlib_module_names else 2


def _with_blank_lines(body: list[Any], index: int) -> list[Any]:
    """Separate the imports from the code after them with blank lines."""
    if index == _header(body) < len(body) or (index < len(body) and isinstance(body[index - 1], cst.If)):
        following = body[index]
        wanted = 2 if isinstance(following, cst.FunctionDef | cst.ClassDef) else 1
        empty = [line for line in following.leading_lines if line.comment is None]
        missing = [cst.EmptyLine(indent=False)] * (wanted - len(empty))
        body[index] = following.with_changes(leading_lines=[*missing, *following.leading_lines])
    return body


def _header(body: Sequence[cst.CSTNode]) -> int:
    """Return the number of leading statements of a module or block that are its docstring and imports."""
    for index, statement in enumerate(body):
        part = (
            statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and statement.body else None
        )
        is_docstring = index == 0 and isinstance(part, cst.Expr) and isinstance(part.value, _TEXT)
        if not is_docstring and not isinstance(part, cst.Import | cst.ImportFrom):
            return index
    return len(body)
