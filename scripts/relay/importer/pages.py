"""A documentation page, or an OpenAPI file → a contract whose places are lines of that page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relay.contract.bundling import references
from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import Document, Pointer, display, parse_source
from relay.contract.loading import build_contract
from relay.contract.model import Contract

from .prose import canonical

if TYPE_CHECKING:
    from markdown_it.token import Token


OPENAPI = (".yaml", ".yml", ".json")
"""What the names of OpenAPI files end with; all others are pages."""

_FORMATS = ("yaml", "yml", "json")


@dataclass(frozen=True, slots=True)
class Source:
    """A page and the contract in it.

    `name` is how it is told, `block` what of it is OpenAPI, `data` the document, in which all is local.
    """

    name: str
    location: Path | str
    block: bytes
    data: dict[str, Any]
    document: Document
    contract: Contract

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return where the value at `pointer` stands."""
        return _named(self.contract.place(pointer), self.document.path, self.name)


@dataclass(frozen=True, slots=True)
class Text:
    """What was read, before it is understood; `location` is a file or an address.

    One that was `named` itself has to hold OpenAPI, and a file may refer to others; one that an index or a
    folder brought need not, and must not.
    """

    name: str
    location: Path | str
    content: bytes
    named: bool

    def decoded(self) -> str:
        """Return the content as text; SetupError for what is not UTF-8."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            raise SetupError([Diagnostic(self.name, "is not UTF-8; a page has to be")]) from exc


def file_name(location: Path | str) -> PurePosixPath:
    """Return the last part of a file's path, or of an address."""
    return PurePosixPath(
        location.name if isinstance(location, Path) else urlsplit(location).path.rpartition("/")[2]
    )


def understand(text: Text, limit: int) -> Source | None:
    """Return the source that a text is, or None for a page without OpenAPI that nobody named.

    Raises SetupError with what is wrong in it, each at its line of the page.
    """
    suffix = file_name(text.location).suffix.lower()
    if suffix in OPENAPI:
        alone = isinstance(text.location, str) or not text.named
        return _source(text, text.content, text.content, limit, alone=alone)
    content = text.decoded()
    fences = [fence for fence in _fences(content, mdx=suffix == ".mdx") if _is_openapi(fence.content)]
    if not fences and not text.named:
        return None
    if len(fences) != 1:
        lines = " and ".join(str((fence.map or [0])[0] + 1) for fence in fences)
        told = f"has OpenAPI blocks in lines {lines}" if fences else "has no ```yaml block with OpenAPI in it"
        raise SetupError([Diagnostic(text.name, f"{told}; a page has exactly one")])
    (fence,) = fences
    return _source(text, fence.content.encode(), _in_place(content, fence), limit, alone=True)


def _fences(content: str, *, mdx: bool) -> list[Token]:
    """Return the fences that may be OpenAPI; MDX has neither HTML nor indented code around them."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").disable(["inline", *(["html_block", "code"] if mdx else [])])
    return [
        token
        for token in parser.parse(content)
        if token.type == "fence"
        and token.info.lower().split()[:1]
        and token.info.lower().split()[0] in _FORMATS
    ]


def _is_openapi(block: str) -> bool:
    """Whether a block is an OpenAPI document, or would be if it could be read."""
    try:
        document, _ = parse_source(Path(), block.encode())
    except SetupError:
        return "openapi" in block
    return isinstance(document.data, dict) and "openapi" in document.data


def _in_place(content: str, fence: Token) -> bytes:
    """Return a block where it stands in its page, with nothing around it: each value keeps line and column."""
    first = (fence.map or [0])[0] + 1
    lines = content.split("\n")[first:]
    block = fence.content.split("\n")
    column = max(
        (len(line.rstrip("\r")) - len(own) for line, own in zip(lines, block, strict=False) if own), default=0
    )
    return ("\n" * first + "\n".join(" " * column + line if line else line for line in block)).encode()


def _source(text: Text, block: bytes, content: bytes, limit: int, *, alone: bool) -> Source:
    """Read a block strictly; `alone` where it must not refer to files beside it."""
    path = text.location if isinstance(text.location, Path) else Path(text.location)
    try:
        document = _strictly_read(path, content, limit, alone=alone)
        contract = build_contract(document)
        data = contract.document if _elsewhere(document) else document.data
        return Source(text.name, text.location, block, data, document, contract)
    except SetupError as exc:
        raise SetupError([_retold(problem, path, text.name) for problem in exc.problems]) from exc
    except RecursionError as exc:
        raise SetupError([Diagnostic(text.name, "is nested too deeply")]) from exc


def _strictly_read(path: Path, content: bytes, limit: int, *, alone: bool) -> Document:
    document, problems = parse_source(path, content)
    problems = problems or _too_large(document, limit) or (_elsewhere(document) if alone else [])
    if problems:
        raise SetupError(problems)
    return document


def _named(place: SourceLocation, path: Path, name: str) -> SourceLocation:
    return place._replace(file=name) if place.file == display(path) else place


def _retold(problem: Diagnostic, path: Path, name: str) -> Diagnostic:
    """Tell a problem of the page by the page's name, which may be an address."""
    where = problem.where
    told = name if where == display(path) else where
    named = _named(where, path, name) if isinstance(where, SourceLocation) else told
    return Diagnostic(named, problem.message, problem.rule)


def _too_large(document: Document, limit: int) -> list[Diagnostic]:
    """Find what would take more room than the text of a page lets one think."""
    if len(canonical(document.data)) > max(limit, 2 * len(document.source)):
        return [Diagnostic(document.place(()), f"expands to more than {limit:,} bytes through its aliases")]
    return []


def _elsewhere(document: Document) -> list[Diagnostic]:
    """Find what a page refers to outside itself: nothing is fetched or read that was not named."""
    return [
        Diagnostic(
            document.place((*pointer, "$ref")),
            f"'{ref}' is elsewhere and never fetched; name it as a SOURCE, and refer to '#/components/…'",
            "remote-ref",
        )
        for pointer, ref in references(document.data)
        if not ref.startswith("#")
    ]
