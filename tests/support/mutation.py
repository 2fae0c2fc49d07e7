"""Changes Python code that a pattern of its syntax finds, and values of YAML files."""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_Nodes = list[ast.AST]


class Replace(NamedTuple):
    """Replaces the only expression or statements of a class or function that are like `old`.

    `...` in `old` stands for anything; `OLD` in `new` is what it stands for, else what was found. The place is a
    file and the qualified name of a definition: `handlers/calls.py::Class.method`.
    """

    place: str
    old: str
    new: str

    @property
    def file(self) -> str:
        """The path of the file, from the root."""
        return self.place.partition("::")[0]

    def apply(self, folder: Path) -> None:
        """Change the file; raise AssertionError if `old` is not found once."""
        definition = self.place.partition("::")[2]
        file = folder / self.file
        source = file.read_text("utf-8")
        found = [*_occurrences(_definition(ast.parse(source), definition), ast.parse(self.old).body)]
        assert len(found) == 1, f"{self.place} has {len(found)} of {self.old}; change its mutant"
        nodes, anything = found[0]
        first, last = nodes[0], nodes[-1]
        lines = source.encode().splitlines(keepends=True)
        before = b"".join(lines[: first.lineno - 1]) + lines[first.lineno - 1][: first.col_offset]
        after = lines[last.end_lineno - 1][last.end_col_offset :] + b"".join(lines[last.end_lineno :])
        old = ast.get_source_segment(source, (anything or nodes)[0])
        new = textwrap.indent(self.new.replace("OLD", old), " " * first.col_offset).lstrip()
        file.write_bytes(before + new.encode() + after)


class Append(NamedTuple):
    """Appends lines to a file."""

    file: str
    text: str

    def apply(self, folder: Path) -> None:
        """Change the file."""
        with (folder / self.file).open("a", encoding="utf-8") as file:
            file.write(self.text)


class Set(NamedTuple):
    """Sets a value of a YAML file."""

    file: str
    keys: tuple[str, ...]
    value: Any

    def apply(self, folder: Path) -> None:
        """Change the file."""
        file = folder / self.file
        document = parent = yaml.safe_load(file.read_text("utf-8"))
        for key in self.keys[:-1]:
            parent = parent[key]
        parent[self.keys[-1]] = self.value
        file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")


def _definition(tree: ast.AST, qualified_name: str) -> ast.AST:
    for name in filter(None, qualified_name.split(".")):
        tree = next(node for node in ast.walk(tree) if node is not tree and getattr(node, "name", "") == name)
    return tree


def _occurrences(scope: ast.AST, pattern: list[ast.stmt]) -> Iterator[tuple[Any, _Nodes]]:
    """Yield the nodes that are like a pattern, and what its `...` stand for."""
    if isinstance(pattern[0], ast.Expr):
        runs: Iterator[Any] = ([node] for node in ast.walk(scope) if isinstance(node, ast.expr))
        wanted: Any = [pattern[0].value]
    else:
        wanted = pattern
        bodies = [value for node in ast.walk(scope) for _, value in ast.iter_fields(node)]
        runs = (
            body[start : start + len(pattern)]
            for body in bodies
            if isinstance(body, list)
            for start in range(len(body) - len(pattern) + 1)
        )
    for nodes in runs:
        anything: _Nodes = []
        if _is_like(nodes, wanted, anything):
            yield nodes, anything


def _is_like(node: Any, pattern: Any, anything: _Nodes) -> bool:
    """Compare two trees without their positions; collect what `...` stands for."""
    if isinstance(pattern, ast.Constant) and pattern.value is ...:
        anything.append(node)
        return True
    if isinstance(pattern, list):
        pairs = zip(node, pattern, strict=False) if isinstance(node, list) else ()
        return (
            isinstance(node, list)
            and len(node) == len(pattern)
            and all(_is_like(one, other, anything) for one, other in pairs)
        )
    if isinstance(pattern, ast.AST):
        return type(node) is type(pattern) and all(
            _is_like(getattr(node, name), value, anything) for name, value in ast.iter_fields(pattern)
        )
    return bool(node == pattern)
