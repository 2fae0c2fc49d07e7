"""Resolve the sources on the command line to pages: files, folders, indexes and addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import display

from .https_fetch import fetch, is_address, parse_address
from .pages import OPENAPI, Source, Text, file_name, parse_page

MAX_PAGES = 500
"""The largest number of pages that one command reads; more are a mistake, or an untrusted index."""

_PAGES = (".md", ".mdx")
_READABLE = (*_PAGES, *OPENAPI)


class Reference(NamedTuple):
    """One page to read, as a file or an address; `named` if the user gave it explicitly."""

    location: Path | str
    named: bool


class Reader:
    """Reads sources, none larger than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.areas: list[Path | str] = []
        """The folders, and the root addresses of hosts, of which all pages were requested."""
        self.notes: list[Diagnostic] = []
        """Notes on links of folders and indexes that were not followed."""
        self._limit = limit

    def read(self, given: Sequence[str]) -> list[Source]:
        """Read all given sources in order, each page once.

        Raises SetupError with all problems of all pages.
        """
        problems: list[Diagnostic] = []
        references: dict[Path | str, bool] = {}
        for source in given:
            try:
                for location, named in self._references(source):
                    references[location] = named or references.get(location, False)
            except SetupError as exc:
                problems += exc.problems
            except OSError as exc:
                problems.append(Diagnostic(source, f"cannot be read: {exc.strerror}", "unreadable"))
        if len(references) > MAX_PAGES:
            raise SetupError([Diagnostic(given[0], f"leads to more than {MAX_PAGES} pages; name fewer")])
        sources = []
        for location, named in references.items():
            try:
                sources.append(parse_page(self._text(location, named=named), self._limit))
            except SetupError as exc:
                problems += exc.problems
        if problems:
            raise SetupError(problems)
        found = [source for source in sources if source is not None]
        if given and not found:
            raise SetupError([Diagnostic(", ".join(given), "has no page with an OpenAPI block")])
        return found

    def _references(self, source: str) -> Iterator[Reference]:
        if is_address(source):
            url = parse_address(source)
            if url.path.endswith(".txt"):
                yield from self._pages_of_remote_index(source)
            else:
                yield Reference(urldefrag(source).url, named=True)
            return
        path = Path(source).resolve()
        if path.is_dir():
            yield from self._pages_in_folder(path)
        elif path.suffix.lower() == ".txt":
            yield from self._pages_of_local_index(path)
        elif path.suffix.lower() in _READABLE:
            yield Reference(path, named=True)
        else:
            message = f"is neither a page ({', '.join(_PAGES)}), OpenAPI, a folder, an llms.txt nor an https:// address"
            raise SetupError([Diagnostic(source, message)])

    def _pages_in_folder(self, folder: Path) -> Iterator[Reference]:
        """Yield the pages in a folder, and note the links out of it."""
        self.areas.append(folder)
        outside = 0
        for found in sorted(folder.rglob("*")):
            if found.suffix.lower() not in _PAGES or not found.is_file():
                continue
            page = found.resolve()
            if page.is_relative_to(folder):
                yield Reference(page, named=False)
            else:
                outside += 1
        self._note(display(folder), outside, "out of it")

    def _pages_of_local_index(self, index: Path) -> Iterator[Reference]:
        """Yield the pages that a local index lists: files below its own folder."""
        folder = index.parent
        self.areas.append(folder)
        outside = 0
        for link in _links(self._text(index, named=True)):
            try:
                page = (folder / unquote(urlsplit(link).path)).resolve()
            except (ValueError, RuntimeError):  # characters that a path cannot have, or a circle of links
                page = folder.parent
            if is_address(link) or not page.is_relative_to(folder):
                outside += 1
            elif file_name(page).suffix.lower() in _READABLE:
                yield Reference(page, named=False)
        self._note(display(index), outside, "out of its folder")

    def _pages_of_remote_index(self, index: str) -> Iterator[Reference]:
        """Yield the pages that an index on a host lists: those of the same host."""
        root = urljoin(index, "/")
        self.areas.append(root)
        outside = 0
        for link in _links(self._text(index, named=True)):
            try:
                page = urldefrag(urljoin(index, link)).url
            except ValueError:  # brackets that an address cannot have
                page = ""
            if not page.startswith(root):
                outside += 1
            elif file_name(page).suffix.lower() in _READABLE:
                yield Reference(page, named=False)
        self._note(index, outside, "to other hosts")

    def _note(self, index: str, links: int, direction: str) -> None:
        if links:
            message = (
                f"{links} of its links lead {direction} and were not followed; "
                "name each page that you need as a SOURCE"
            )
            self.notes.append(Diagnostic(index, message, "not-followed", Severity.INFO))

    def _text(self, location: Path | str, *, named: bool) -> Text:
        if isinstance(location, str):
            return Text(location, location, fetch(location, self._limit), named)
        name = display(location)
        try:
            with location.open("rb") as file:
                content = file.read(self._limit + 1)
        except OSError as exc:
            raise SetupError([Diagnostic(name, f"cannot be read: {exc.strerror}", "unreadable")]) from exc
        if len(content) > self._limit:
            raise SetupError([Diagnostic(name, f"is larger than {self._limit:,} bytes; raise --max-size")])
        return Text(name, location, content, named)


def _links(index: Text) -> Iterator[str]:
    """Yield the targets of the links in an index, in order."""
    from markdown_it import MarkdownIt

    for token in MarkdownIt("commonmark").parse(index.decoded()):
        for inline in token.children or []:
            if inline.type == "link_open":
                yield str(inline.attrs["href"])
