"""Splits one text into the items of a list or an object, in the styles that use separators.

The styles are those of OpenAPI 3.0.3, "Style Values", and follow RFC 6570 where its table is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from relay.contract.model import Parameter

from .coercion import Shape
from .raw_texts import DECODERS, same

Decode = Callable[[str], str]

SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}
"""The separators that a URL cannot contain: they are percent-encoded (OpenAPI 3.0.4, "Percent-Encoding")."""


class Malformed(ValueError):
    """The text is not in the parameter's style; `rule` is the rule of the violation."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


class _Text(NamedTuple):
    """A text that is to be split, and how its items are decoded."""

    text: str
    decode: Decode


@dataclass(frozen=True, slots=True)
class Splitter:
    """Splits the texts of one parameter into a text, a list or a mapping of texts."""

    name: str
    style: str
    shape: Shape
    explode: bool
    separator: str
    decode: Decode
    strips: bool
    """Whether spaces around an item are no part of it, as in headers."""

    @classmethod
    def of(cls, parameter: Parameter, shape: Shape) -> Splitter:
        """Return the splitter of a parameter in one shape."""
        style, explode = parameter.style, parameter.explode
        separator = SEPARATORS.get(style, ",")
        if explode and style in _PREFIXES:
            separator = _PREFIXES[style]
        strips = parameter.location == "header"
        decode = same if style == "cookie" else DECODERS[parameter.location]
        return cls(parameter.name, style, shape, explode, separator, decode, strips)

    def readings(self, written: str) -> list[Any]:
        """Return what a text as sent may mean, the likeliest first. Raises Malformed if it is not in the style.

        Where no separator is plain, one that is percent-encoded may be a separator as well, for clients that
        encode a whole value. A URL cannot contain spaces and pipes, so these are always taken for separators first.
        """
        decoded = self.decode(written)
        if decoded == written:
            return [self._split(written, same)]
        values: list[Any] = []
        malformed: Malformed | None = None
        for text in self._texts(written, decoded):
            try:
                value = self._split(*text)
            except Malformed as exc:
                malformed = malformed or exc
            else:
                values += [] if value in values else [value]
        if not values and malformed is not None:
            raise malformed
        return values

    def _texts(self, written: str, decoded: str) -> list[_Text]:
        plain = _Text(written, self.decode)
        if self.separator in written[self.style in _PREFIXES :]:
            return [plain]
        encoded = _Text(decoded, same)
        return [encoded, plain] if self.style in SEPARATORS else [plain, encoded]

    def _split(self, text: str, decode: Decode) -> Any:
        text = self._body(text, decode)
        if self.shape == "scalar":
            return decode(text)
        parts = text.split(self.separator) if text else []
        if self.strips:
            parts = [part.strip() for part in parts]
        if self.shape == "array":
            return [decode(self._item(part, decode)) for part in parts]
        return _mapping([tuple(map(decode, pair)) for pair in self._pairs(parts)])

    def _body(self, text: str, decode: Decode) -> str:
        """Return what follows the prefix of the style."""
        prefix = _PREFIXES.get(self.style, "")
        if not text.startswith(prefix):
            raise Malformed("style", f"the value is not in the style {self.style}")
        text = text.removeprefix(prefix)
        is_named = self.style == "matrix" and not (self.explode and self.shape != "scalar")
        return self._value(text, decode) if is_named else text

    def _item(self, part: str, decode: Decode) -> str:
        return self._value(part, decode) if self.style == "matrix" and self.explode else part

    def _value(self, text: str, decode: Decode) -> str:
        """Return the value of `name=value`, which is `name` if the value is empty (RFC 6570 section 3.2.7)."""
        name, _, value = text.partition("=")
        if decode(name) != self.name:
            raise Malformed("style", "each element must start with the parameter's name and '='")
        return value

    def _pairs(self, parts: list[str]) -> list[tuple[str, ...]]:
        if not self.explode:
            return [tuple(parts[index : index + 2]) for index in range(0, len(parts), 2)]
        if self.style == "matrix":
            parts = [part if "=" in part else f"{part}=" for part in parts]
        return [tuple(part.split("=", 1)) for part in parts]


_PREFIXES = {"label": ".", "matrix": ";"}


def _mapping(pairs: list[tuple[str, ...]]) -> dict[str, str]:
    if any(len(pair) != 2 for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
        raise Malformed("style", "an object must be written as unique names, each with a value")
    return {pair[0]: pair[1] for pair in pairs}
