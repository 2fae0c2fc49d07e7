"""Generate stubs: the source of handlers that do not exist yet."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from relay.contract.model import Contract, Operation

from .annotations import NONE, Type, union
from .expected_signature import Signature

_SUMMARY = 80  # characters
_LINE = 88

Annotated = Callable[[Type], str]
"""Returns a type as an annotation, with the names of one module."""


def stub(operation: Operation, contract: Contract, signature: Signature, annotated: Annotated) -> str:
    """Return the source of an operation's handler that raises NotImplementedError.

    `annotated` returns a type as an annotation of its module.
    """
    arguments = ["*"] if signature.arguments else []
    for one in signature.arguments:
        optional = "" if one.always else " = None"
        arguments.append(
            f"{one.name}: {annotated(one.type if one.always else union([one.type, NONE]))}{optional}"
        )
    raw = contract.raw(operation)
    text = written_docstring(raw.get("summary") or f"Answer {operation}", raw.get("description") or "")
    docstring = textwrap.indent(text, "    ")
    return (
        f"async def {operation.function}({', '.join(arguments)}) -> {annotated(signature.results.written)}:\n"
        f"{docstring}\n"
        "    raise NotImplementedError\n"
    )


def new_module(tag: str) -> str:
    """Return the first lines of a new module for a tag."""
    return f"{written_docstring(f'Operations of the tag {tag}')}\n\nfrom __future__ import annotations\n"


def written_docstring(summary: str, description: str = "") -> str:
    """Return a docstring literal; summary and description may contain any characters."""
    first, rest = _first_line(" ".join(_printable(summary).split()))
    paragraphs = [*([rest] if rest else []), *_paragraphs(_printable(description))]
    body = "\n\n".join(paragraphs)
    text = f"{first}\n\n{body}\n" if body else first
    text = text.replace('"""', "'''")
    prefix = "r" if "\\" in text else ""
    return f'{prefix}"""{text}"""'


def _first_line(summary: str) -> tuple[str, str]:
    """Return a one-line sentence, and the whole text if the line had to be shortened."""
    whole = summary.rstrip(" .:;,!?") or "Not described"
    whole = whole[:1].upper() + whole[1:]
    if len(whole) <= _SUMMARY:
        return f"{whole}.", ""
    short = textwrap.shorten(whole, _SUMMARY, placeholder="...")
    if short == "...":  # the first word is too long
        short = f"{whole[: _SUMMARY - 3]}..."
    return short, textwrap.fill(f"{whole}.", _LINE)


def _paragraphs(text: str) -> list[str]:
    lines = [line.rstrip() for line in textwrap.dedent(text.expandtabs(4)).strip("\n").split("\n")]
    wrapped = "\n".join(
        textwrap.fill(line, _LINE, subsequent_indent=line[: len(line) - len(line.lstrip())])
        if len(line) > _LINE
        else line
        for line in lines
    )
    paragraphs = [paragraph.strip("\n") for paragraph in wrapped.split("\n\n")]
    return [paragraph for paragraph in paragraphs if paragraph.strip()]


def _printable(text: str) -> str:
    """Replace characters that are invisible in source: control and direction marks, unusual spaces."""
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
