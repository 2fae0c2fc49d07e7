"""The type of what a handler may return."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterator
from typing import TypeAlias, TypeVar, Union

from starlette.responses import Response

from .file import File
from .reply import Headers, Reply

Body = TypeVar("Body")
Piece = bytes | str

Result: TypeAlias = Union[  # noqa: UP007 -- a generic alias begins with its variable
    Body,
    tuple[Body, int],
    tuple[Body, Headers],
    tuple[Body, int, Headers],
    Reply[Body],
    Reply[File],
    File,
    AsyncIterable[Piece],
    Iterator[Piece],
    Response,
]
"""What a handler may return: body, (body, status), (body, headers), (body, status, headers), a Reply, a File, a stream,
or a response of Starlette; the default status is the lowest documented 2xx."""
