"""Resolve the sources on the command line to pages: files, folders, indexes and addresses."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import display

from .https_fetch import fetch, is_address, parse_address
from .pages import OPENAPI, Source, Text, file_name, parse_page

MAX_PAGES = 500
"""The largest number of pages that one command reads; more are a mistake, or an untrusted index."""

_PAGES = (".md", ".mdx")
_READABLE = (*_PAGES, *OPENAPI)


class Reader:
    """Reads sources, none larger than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.areas: list[Path | str] = []
        """The folders, and the root addresses of hosts, of which all pages were requested."""
        self.notes: list[Diagnostic] = []  # notes on links of folders and indexes that were not followed
        self._limit = limit

    def read(self, given: Sequence[str]) -> list[Source]:
        """Read all given sources in order, each page once. Raises SetupError with all problems of all pages."""
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
        found: list[Source] = []
        for location, named in references.items():
            try:
                page = parse_page(self._text(location, named=named), self._limit)
                found += [] if page is None else [page]
            except SetupError as exc:
                problems += exc.problems
        if given and not found and not problems:
            problems = [Diagnostic(", ".join(given), "has no page with an OpenAPI block")]
        if problems:
            raise SetupError(problems)
        return found

    def _references(self, source: str) -> Iterator[tuple[Path | str, bool]]:
        """Yield the pages of a source, and whether the user gave them explicitly."""
        if is_address(source):
            root = urljoin(source, "/")
            if parse_address(source).path.endswith(".txt"):
                pages = _remote_pages(source, root, self._links(source))
                yield from self._listed(source, root, pages, "to other hosts")
            else:
                yield urldefrag(source).url, True
            return
        path = Path(source).resolve()
        if path.is_dir():
            found = (
                page for page in sorted(path.rglob("*")) if page.suffix.lower() in _PAGES and page.is_file()
            )
            inside = (
                page if page.is_relative_to(path) else None for page in (one.resolve() for one in found)
            )
            yield from self._listed(display(path), path, inside, "out of it")
        elif path.suffix.lower() == ".txt":
            listed = _local_pages(path.parent, self._links(path))
            yield from self._listed(display(path), path.parent, listed, "out of its folder")
        elif path.suffix.lower() in _READABLE:
            yield path, True
        else:
            message = f"is neither a page ({', '.join(_PAGES)}), OpenAPI, a folder, an llms.txt nor an https:// address"
            raise SetupError([Diagnostic(source, message)])

    def _listed(
        self, index: str, area: Path | str, pages: Iterable[Path | str | None], direction: str
    ) -> Iterator[tuple[Path | str, bool]]:
        """Yield the pages in an area, and note how many are outside, which are None."""
        self.areas.append(area)
        outside = 0
        for page in pages:
            if page is None:
                outside += 1
            else:
                yield page, False
        if outside:
            message = (
                f"{outside} of its links lead {direction} and were not followed; "
                "name each page that you need as a SOURCE"
            )
            self.notes.append(Diagnostic(index, message, "not-followed", Severity.INFO))

    def _links(self, index: Path | str) -> Iterator[str]:
        from markdown_it import MarkdownIt

        for token in MarkdownIt("commonmark").parse(self._text(index, named=True).decoded()):
            links = (inline for inline in token.children or [] if inline.type == "link_open")
            yield from (str(inline.attrs["href"]) for inline in links)

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


def _local_pages(folder: Path, links: Iterable[str]) -> Iterator[Path | None]:
    """Yield the files that a local index lists; None for one that is not below its own folder."""
    for link in links:
        try:
            page = (folder / unquote(urlsplit(link).path)).resolve()
        except (ValueError, RuntimeError):  # characters that a path cannot have, or a circle of links
            page = folder.parent
        if is_address(link) or not page.is_relative_to(folder):
            yield None
        elif file_name(page).suffix.lower() in _READABLE:
            yield page


def _remote_pages(index: str, root: str, links: Iterable[str]) -> Iterator[str | None]:
    """Yield the pages that an index on a host lists; None for one of another host."""
    for link in links:
        try:
            page = urldefrag(urljoin(index, link)).url
        except ValueError:  # brackets that an address cannot have
            page = ""
        if not page.startswith(root):
            yield None
        elif file_name(page).suffix.lower() in _READABLE:
            yield page
