"""The contract that is imported into: read, edited, held against OpenAPI once more, and replaced whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import Document, display, parse_source
from relay.contract.loading import build_contract
from relay.contract.model import Contract

from .pages import Source
from .text_edit import rewrite
from .yaml_text import block, inline


class Target:
    """A contract's file; `document` and `contract` are None while it is missing or empty."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.name = display(path)
        self.source = read_file(self.path)
        self.document: Document | None = None
        self.contract: Contract | None = None
        if not _is_blank(self.source):
            self.document, self.contract = self._understood(self.source)

    def refuse_itself(self, sources: Iterable[Source]) -> None:
        """Raise SetupError where the contract is a source: it would be recorded as where it came from."""
        if any(
            isinstance(source.location, Path) and source.location.resolve() == self.path for source in sources
        ):
            raise SetupError(
                [Diagnostic(self.name, "is the contract itself; name where its operations come from")]
            )

    def holding(self, wanted: dict[str, Any]) -> bytes:
        """Return the file's bytes as they have to be to hold `wanted`; SetupError where that cannot be."""
        if self.document is not None:
            return rewrite(self.document, wanted)
        is_json = self.path.suffix == ".json"
        begun = self.source if not self.source or self.source.endswith(b"\n") else self.source + b"\n"
        return begun + (inline(wanted, 0) + "\n" if is_json else block(wanted)).encode()

    def contract_of(self, content: bytes) -> Contract:
        """Read what is to become the file; SetupError where it is no contract."""
        return self._understood(content)[1]

    def breaches(self, content: bytes) -> list[Diagnostic]:
        """Tell why what is to become the file is no contract, though its parts were."""
        try:
            self.contract_of(content)
        except SetupError as exc:
            return [
                Diagnostic(self.name, f"would not be a contract any more: {problem.message}; change the page or the contract first", problem.rule, Severity.ERROR)
                for problem in exc.problems
            ]  # fmt: skip
        return []

    def _understood(self, content: bytes) -> tuple[Document, Contract]:
        document, problems = parse_source(self.path, content)
        if problems:
            raise SetupError(problems)
        return document, build_contract(document)


def read_file(path: Path) -> bytes:
    """Return what a file holds, nothing where there is none; SetupError where it cannot be read."""
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as exc:
        raise SetupError(
            [Diagnostic(display(path), f"cannot be read: {exc.strerror}", "unreadable")]
        ) from exc


def _is_blank(source: bytes) -> bool:
    """Whether a YAML file holds nothing but comments."""
    return all(
        not line or line.startswith(b"#") or line == b"---" for line in map(bytes.strip, source.splitlines())
    )
