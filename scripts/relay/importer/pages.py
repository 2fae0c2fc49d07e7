"""Parse a documentation page or an OpenAPI file into a contract whose locations are lines of that page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import Document, Pointer, display, parse_source
from relay.contract.loading import build_contract, faultless
from relay.contract.model import Contract
from relay.contract.pointers import mappings, references

from .https_fetch import is_address
from .prose import canonical

if TYPE_CHECKING:
    from markdown_it.token import Token


OPENAPI = (".yaml", ".yml", ".json")  # the file extensions of OpenAPI files; all other files are pages
_FORMATS = ("yaml", "yml", "json")


@dataclass(frozen=True, slots=True)
class Source:
    """A page and the contract in it.

    `name` is the name in messages, `block` the OpenAPI text of the page, `data` the document, which has
    only local references.
    """

    name: str
    location: Path | str
    block: bytes
    data: dict[str, Any]
    document: Document
    contract: Contract

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the location of the value at `pointer`."""
        return _named(self.contract.place(pointer), self.document.path, self.name)


@dataclass(frozen=True, slots=True)
class Text:
    """The content of a source before it is parsed; `location` is a file or an address.

    A source that the user `named` must contain OpenAPI, and a named file may refer to other files. A
    source found through an index or a folder need not contain OpenAPI, and must not refer to other files.
    """

    name: str
    location: Path | str
    content: bytes
    named: bool

    def decoded(self) -> str:
        """Return the content as text; SetupError if it is not UTF-8."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            raise SetupError([Diagnostic(self.name, "is not UTF-8; save it as UTF-8")]) from exc


def file_name(location: Path | str) -> PurePosixPath:
    """Return the last part of a file's path, or of an address."""
    name = location.name if isinstance(location, Path) else urlsplit(location).path.rpartition("/")[2]
    return PurePosixPath(name)


def parse_page(text: Text, limit: int) -> Source | None:
    """Parse a source; None for a page without OpenAPI that the user did not name.

    Raises SetupError with all problems, each at its line of the page.
    """
    suffix = file_name(text.location).suffix.lower()
    if suffix in OPENAPI:
        local_only = isinstance(text.location, str) or not text.named
        return _source(text, text.content, text.content, limit, local_only=local_only)
    content = text.decoded()
    fences = [fence for fence in _fences(content, mdx=suffix == ".mdx") if _is_openapi(fence.content)]
    if not fences and not text.named:
        return None
    if len(fences) != 1:
        lines = " and ".join(str((fence.map or [0])[0] + 1) for fence in fences)
        message = (
            f"has OpenAPI blocks in lines {lines}" if fences else "has no ```yaml block with OpenAPI in it"
        )
        raise SetupError([Diagnostic(text.name, f"{message}; a page needs exactly one")])
    (fence,) = fences
    return _source(text, fence.content.encode(), _in_place(content, fence), limit, local_only=True)


def _fences(content: str, *, mdx: bool) -> list[Token]:
    """Return the fenced blocks that may be OpenAPI; MDX has neither HTML blocks nor indented code."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").disable(["inline", *(["html_block", "code"] if mdx else [])])
    fences = [token for token in parser.parse(content) if token.type == "fence"]
    return [token for token in fences if token.info and token.info.lower().split()[0] in _FORMATS]


def _is_openapi(block: str) -> bool:
    """Return True for an OpenAPI document, and for a block that mentions `openapi` if it cannot be parsed."""
    try:
        document, _ = parse_source(Path(), block.encode())
    except SetupError:
        return "openapi" in block
    return isinstance(document.data, dict) and "openapi" in document.data


def _in_place(content: str, fence: Token) -> bytes:
    """Return a block padded with blank lines and spaces, so that each value keeps its line and column."""
    first = (fence.map or [0])[0] + 1
    lines = content.split("\n")[first:]
    block = fence.content.split("\n")
    column = max(
        (len(line.rstrip("\r")) - len(own) for line, own in zip(lines, block, strict=False) if own), default=0
    )
    return ("\n" * first + "\n".join(" " * column + line if line else line for line in block)).encode()


def _source(text: Text, block: bytes, content: bytes, limit: int, *, local_only: bool) -> Source:
    """Parse a block strictly; with `local_only` it must not refer to other files."""
    path = text.location if isinstance(text.location, Path) else Path(text.location)
    try:
        document = _read_strictly(path, content, limit, local_only=local_only)
        contract = faultless(build_contract(document))
        data = contract.published if _remote_references(document) else document.data
        return Source(text.name, text.location, block, data, document, contract)
    except SetupError as exc:
        raise SetupError([_with_page_name(problem, path, text.name) for problem in exc.problems]) from exc
    except RecursionError as exc:
        raise SetupError([Diagnostic(text.name, "is nested too deeply")]) from exc


def _read_strictly(path: Path, content: bytes, limit: int, *, local_only: bool) -> Document:
    document, problems = parse_source(path, content)
    problems = problems or _too_large(document, limit) or (_remote_references(document) if local_only else [])
    if problems:
        raise SetupError(problems)
    return document


def _named(place: SourceLocation, path: Path, name: str) -> SourceLocation:
    return place._replace(file=name) if place.file == display(path) else place


def _with_page_name(problem: Diagnostic, path: Path, name: str) -> Diagnostic:
    """Return a problem with the page's name, which may be an address, as its file."""
    where = problem.where
    if isinstance(where, SourceLocation):
        return Diagnostic(_named(where, path, name), problem.message, problem.rule)
    return Diagnostic(name if where == display(path) else where, problem.message, problem.rule)


def _too_large(document: Document, limit: int) -> list[Diagnostic]:
    """Return a problem if aliases make the data much larger than the text of the page."""
    if len(canonical(document.data)) > max(limit, 2 * len(document.source)):
        return [Diagnostic(document.place(()), f"expands to more than {limit:,} bytes through its aliases")]
    return []


def _remote_references(document: Document) -> list[Diagnostic]:
    """Return a problem for each reference out of the page: only named sources are fetched or read.

    One by the URL that a schema of the page has as its `$id` stays within it.
    """
    own = {name for _, one in mappings(document.data) if isinstance(name := one.get("$id"), str)}
    return [
        Diagnostic(
            document.place((*pointer, "$ref")),
            f"'{ref}' is a remote reference and is not fetched; name it as a SOURCE, and refer to '#/components/…'",
            "remote-ref",
        )
        for pointer, ref in references(document.data)
        if not ref.startswith("#") and not (is_address(ref) and ref.partition("#")[0] in own)
    ]
