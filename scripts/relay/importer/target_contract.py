"""The contract to import into: read it, edit its text, and validate the result against OpenAPI."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Document, display, parse_source
from relay.contract.loading import build_contract, faultless, resolved
from relay.contract.model import Contract

from .merge import Merge
from .pages import Source
from .text_edit import rewrite
from .yaml_text import block, inline


class Target:
    """A contract's file; `document` and `contract` are None while it is missing or empty."""

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        """Read the file; other files that it refers to must be within `folder`, as for `load_contract`."""
        self.path = resolved(path)
        self._folder = folder
        self.name = display(path)
        self.source = read_file(self.path)
        self.document: Document | None = None
        self.contract: Contract | None = None
        lines = [line.strip() for line in self.source.splitlines()]
        if any(line and not line.startswith(b"#") and line != b"---" for line in lines):
            self.document, self.contract = self._parsed(self.source)

    def refuse_as_source(self, sources: Iterable[Source]) -> None:
        """Raise SetupError if the contract is one of the sources: it would be recorded as its own source."""
        files = (source.location for source in sources if isinstance(source.location, Path))
        if any(file.resolve() == self.path for file in files):
            message = "is the contract itself; name the pages that its operations come from"
            raise SetupError([Diagnostic(self.name, message)])

    def _content_with(self, wanted: dict[str, Any]) -> bytes:
        """Return the file's bytes, edited to contain `wanted`; SetupError if that is not possible."""
        if self.document is not None:
            return rewrite(self.document, wanted)
        is_json = self.path.suffix == ".json"
        start = self.source if not self.source or self.source.endswith(b"\n") else self.source + b"\n"
        return start + (inline(wanted, 0) + "\n" if is_json else block(wanted)).encode()

    def merged(self, merge: Merge) -> tuple[bytes, Contract | None, list[Diagnostic]]:
        """Return the file's bytes after a merge, and its contract, or why it is none although its parts were valid.

        The bytes are those of the file if the merge is refused. Raises SetupError if the file cannot be edited.
        """
        if merge.refused:
            return self.source, None, merge.refused
        content = self._content_with(merge.wanted)
        try:
            return content, self._parsed(content)[1], []
        except SetupError as exc:
            no_longer = "would no longer be a valid contract"
            problems = [
                Diagnostic(
                    self.name, f"{no_longer}: {one.message}; change the page or the contract first", one.rule
                )
                for one in exc.problems
            ]
            return content, None, problems

    def _parsed(self, content: bytes) -> tuple[Document, Contract]:
        document, problems = parse_source(self.path, content)
        if problems:
            raise SetupError(problems)
        return document, faultless(build_contract(document, (), self._folder))


def read_file(path: Path) -> bytes:
    """Return a file's content, empty if it does not exist; SetupError if it cannot be read."""
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as exc:
        raise SetupError(
            [Diagnostic(display(path), f"cannot be read: {exc.strerror}", "unreadable")]
        ) from exc
