"""What is written where an operation has no handler yet."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from relay.contract.model import Contract, Operation
from relay.server.binding import function_name

from .annotations import NONE, Type, union
from .expected_signature import Signature, Wanted

_SUMMARY = 80  # characters
_LINE = 88

Annotated = Callable[[Type], str]
"""Writes a type as the annotations of a module have it."""


def stub(operation: Operation, contract: Contract, signature: Signature, annotated: Annotated) -> str:
    """Return the source of an operation's handler that says it is not implemented yet.

    `annotated` writes a type as its module has it.
    """
    arguments = (
        ["*", *(_argument(one, annotated) for one in signature.arguments)] if signature.arguments else []
    )
    raw = contract.resolve(contract.document["paths"][operation.path])[operation.method]
    docstring = textwrap.indent(
        written_docstring(raw.get("summary") or f"Answer {operation}", raw.get("description") or ""), "    "
    )
    return (
        f"async def {function_name(operation)}({', '.join(arguments)}) -> {annotated(signature.returns)}:\n"
        f"{docstring}\n"
        "    raise NotImplementedError\n"
    )


def _argument(one: Wanted, annotated: Annotated) -> str:
    if one.always:
        return f"{one.name}: {annotated(one.type)}"
    return f"{one.name}: {annotated(union([one.type, NONE]))} = None"


def new_module(tag: str) -> str:
    """Return the source that the module of a tag begins with."""
    return f"{written_docstring(f'Operations of the tag {tag}')}\n\nfrom __future__ import annotations\n"


def new_package(title: str) -> str:
    """Return the source of a package's own module."""
    return f"{written_docstring(f'Handlers of {title}')}\n"


def written_docstring(summary: str, description: str = "") -> str:
    """Write a docstring of a text and what explains it, both of which may hold anything."""
    first, rest = _first_line(" ".join(_printable(summary).split()))
    paragraphs = [*([rest] if rest else []), *_paragraphs(_printable(description))]
    body = "\n\n".join(paragraphs)
    text = f"{first}\n\n{body}\n" if body else first
    text = text.replace('"""', "'''")
    prefix = "r" if "\\" in text else ""
    return f'{prefix}"""{text}"""'


def _first_line(summary: str) -> tuple[str, str]:
    """Return a sentence of one line, and the whole text where that is not all of it."""
    whole = summary.rstrip(" .:;,!?") or "Not described"
    whole = whole[:1].upper() + whole[1:]
    if len(whole) <= _SUMMARY:
        return f"{whole}.", ""
    short = textwrap.shorten(whole, _SUMMARY, placeholder="...")
    if short == "...":  # one endless word
        short = f"{whole[: _SUMMARY - 3]}..."
    return short, textwrap.fill(f"{whole}.", _LINE)


def _paragraphs(text: str) -> list[str]:
    """Take a text apart at its empty lines, and wrap its long ones."""
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
    """Leave out what no source should hold unseen: control and direction marks, odd spaces."""
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
