"""Contracts of OpenAPI 3.2 with bodies of parts, and such bodies as bytes."""

import asyncio
from types import SimpleNamespace
from typing import Any

from relay.validation.http import Request
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder
from relay.validation.results import Parts
from relay.validation.schemas import SchemaCompiler

from .compiled import read
from .hosting import contract, operation


def by_position(schema: Any, first: Any = (), others: Any = None) -> dict[str, Any]:
    """Return a Media Type or Encoding Object of an array whose items are parts."""
    words = {"prefixEncoding": [*first], "itemEncoding": others}
    return {"schema": schema} | {word: value for word, value in words.items() if value}


def mirror(media_type: str, media_object: Any, version: str = "3.2.0") -> SimpleNamespace:
    """Compile an operation that takes and returns a media type: `take` and `give`, and the problems."""
    content = {media_type: media_object}
    documented = operation(
        "mirror",
        requestBody={"required": True, "content": content},
        responses={"200": {"description": "", "content": content}},
    )
    whole = read(contract({"/p": {"post": documented}}, openapi=version))
    (mirrored,) = whole.operations
    compiler = SchemaCompiler(whole)
    decoder = RequestDecoder(mirrored, mirrored.arguments, compiler)
    encoder = ResponseEncoder(mirrored, compiler)

    def take(body: bytes, content_type: str) -> Any:
        return decoder.decode(Request({}, b"", [(b"content-type", content_type.encode())], body))["body"]

    def give(value: Any) -> tuple[bytes, str]:
        sent = asyncio.run(encoder.encode_parts(Parts(value)))
        return b"".join([sent.body, *sent.more]), dict(sent.headers)[b"content-type"].decode("latin-1")

    return SimpleNamespace(take=take, give=give, problems=compiler.take_problems(), encoder=encoder)


def multipart(*parts: tuple[str, bytes], boundary: str = "b") -> bytes:
    """Return the bytes of parts, each with a media type, or with header lines, and a content."""
    found = b""
    for head, content in parts:
        line = f"Content-Type: {head}" if head and ":" not in head else head
        lines = [f"--{boundary}", *filter(None, [line]), "", ""]
        found += "\r\n".join(lines).encode() + content + b"\r\n"
    return found + f"--{boundary}--\r\n".encode()
