"""What Encoding Objects say about parts of multipart: their media types and their headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract

from . import media_types as media
from .encoding_objects import DescribedParts, content_types
from .errors import ResponseViolation
from .parameters import ParameterDecoder
from .raw_texts import Raw
from .schemas import SchemaCompiler
from .violations import Violation


class PartRules(NamedTuple):
    """The media types and ranges that a part may have, every one if there are none, and its headers."""

    ranges: Mapping[str, bool]
    headers: Sequence[ParameterDecoder]

    @classmethod
    def of(
        cls, encoding: Mapping[str, Any], pointer: Pointer, contract: Contract, compiler: SchemaCompiler
    ) -> PartRules:
        """Compile the Encoding Object at a pointer."""
        headers = [
            ParameterDecoder(header, contract, compiler) for header in contract.headers(encoding, pointer)
        ]
        return cls(media.by_name(dict.fromkeys(content_types(encoding), True)), headers)

    def violations(self, media_type: str, headers: Mapping[str, str], at: str) -> Iterator[Violation]:
        """Yield where a part violates its encoding; `media_type` is empty if it declares none and need not."""
        if self.ranges and media_type and media.find(media_type, self.ranges) is None:
            listed = ", ".join(self.ranges)
            yield Violation(at, "contentType", f"the part's media type is not one of {listed}")
        for decoder in self.headers:
            name = decoder.parameter.name
            value = headers.get(name.lower())
            failures: list[Any] = []
            decoder.decode(Raw({} if value is None else {name: [value]}), {}, name, failures)
            for one in failures:
                yield Violation(at, one.violation.rule, f"header {name}: {one.violation.message}")

    def media_type(self) -> str:
        """Return what a part is sent as if the handler names no media type; empty if it is not documented.

        Raises ResponseViolation if only ranges are documented.
        """
        found = next((name for name in self.ranges if not media.is_range(name)), "")
        if self.ranges and not found:
            message = "the contract names only ranges of media types for the part; return a Reply with its media_type"
            raise ResponseViolation([Violation("", "contentType", message)])
        return found


class RulesByPosition(NamedTuple):
    """The rules of the first parts of a body, and those of all others."""

    first: Sequence[PartRules]
    others: PartRules

    @classmethod
    def of(cls, pointer: Pointer, contract: Contract, compiler: SchemaCompiler) -> RulesByPosition:
        """Compile `prefixEncoding` and `itemEncoding` of the Media Type Object at a pointer."""
        described = DescribedParts.of(*contract.follow(pointer), {}, contract)
        first = [PartRules.of(one.encoding, one.at, contract, compiler) for one in described.first]
        return cls(first, PartRules.of(described.others.encoding, described.others.at, contract, compiler))

    def at(self, number: int) -> PartRules:
        """Return the rules of a part."""
        return self.first[number] if number < len(self.first) else self.others
