"""The headers of a documented response: from their examples, else from their schemas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from relay.contract.model import Parameter, Response
from relay.validation.http import ALWAYS, is_field
from relay.validation.parameters import parameter_reader
from relay.validation.results import HeaderDecoder
from relay.validation.style_writing import pairs

from .judging import examples
from .samples import Sampler
from .schema_parts import NoSample, SchemaPart

_OF_THE_SERVER = {
    *("connection", "content-encoding", "content-length", "date", "transfer-encoding"),
    *(name.decode() for name, _ in ALWAYS),
}
"""Headers that the server sets, or that say how a body is encoded; their examples are not sent."""


def header_texts(response: Response, sampler: Sampler) -> dict[str, str]:
    """Return the values of the headers that are required or have a valid example. Raises NoSample."""
    found: dict[str, str] = {}
    for header in response.headers:
        name = header.name.lower()
        if name in _OF_THE_SERVER and not header.required:
            continue
        decoder = HeaderDecoder([header], sampler.compiler)
        for text in header_candidates(header, sampler):
            if is_field(name, text) and not decoder.violations([(name, text)]):
                found[header.name] = text
                break
        else:
            if header.required:
                raise NoSample(f"no value was found for the header {header.name}; add a valid example")
    return found


def header_candidates(header: Parameter, sampler: Sampler) -> Iterator[str]:
    """Yield values of a header that may be valid: of its examples, and of its schema if it is required."""
    raw, pointer = sampler.contract.follow(header.pointer)
    read, media_type = None, header.media_type
    if media_type is None:
        read = parameter_reader(header, sampler.compiler)
    else:
        raw, pointer = raw["content"][media_type], (*pointer, "content", media_type)
    part = SchemaPart(header.schema, (*pointer, "schema"))
    for _, value, at in examples(sampler.contract, raw, pointer, read):
        if sampler.example(value, part, at):
            yield pairs(header, value)[0][1]
    if header.required or sampler.has_example(part):
        with suppress(NoSample):
            yield pairs(header, sampler.sample(header.schema, part.pointer))[0][1]
