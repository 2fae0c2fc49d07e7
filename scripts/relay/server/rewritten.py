"""Validates responses that a middleware of a package may have changed on their way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relay.validation.errors import ResponseViolation
from relay.validation.http import HeaderList, Response, header
from relay.validation.responses import ResponseEncoder
from relay.validation.results import Parts

_OF_THE_SERVER = (b"content-length", b"transfer-encoding", b"connection")


class RewrittenResponse:
    """The messages of a response, which are kept until its body is complete, validated, then sent.

    What a handler's result was encoded to is not validated again. Of a stream that a middleware makes, status and
    headers are validated. `violated` gets a violation, and raises it unless it is only reported.
    """

    def __init__(
        self, encoder: ResponseEncoder, send: Any, violated: Callable[[ResponseViolation], None]
    ) -> None:
        self._encoder = encoder
        self._send = send
        self._violated = violated
        self._encoded: Response | None = None
        self._start: Any = None
        self._body = bytearray()
        self._passes = False

    def expect(self, response: Any) -> None:
        """Accept a response that is valid already; all of a file or a stream."""
        if isinstance(response, Response):
            self._encoded = response
        else:
            self._passes = True

    async def send(self, message: Any) -> None:
        """Take one message of the response (ASGI 3). Raises ResponseViolation."""
        if self._passes:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
        elif message.get("more_body") and self._encoded is None:
            self._passes = True
            self._check(None)
            await self._send(self._start)
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_whole(bytes(self._body))

    async def _send_whole(self, body: bytes) -> None:
        if not self._is_as_encoded(body):
            self._check(body)
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})

    def _is_as_encoded(self, body: bytes) -> bool:
        """Return True for the status, the media type and the body of the handler's result."""
        response, headers = self._encoded, self._start["headers"]
        return (
            response is not None
            and header(headers, b"content-encoding") is None
            and self._start["status"] == response.status
            and header(headers, b"content-type") == header(response.headers, b"content-type")
            and body == b"".join([response.body, *response.more])
        )

    def _check(self, body: bytes | None) -> None:
        """Report a response that the contract does not document; None is the body of a stream."""
        try:
            self._validate(body, self._start["headers"])
        except ResponseViolation as violation:
            self._violated(violation)

    def _validate(self, body: bytes | None, headers: HeaderList) -> None:
        if header(headers, b"content-encoding") is not None:
            message = "the body is compressed before it is validated; give the middleware an earlier position"
            raise ResponseViolation.at("", "content", message)
        lines = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in headers
            if name not in _OF_THE_SERVER
        ]
        parts = Parts(body, self._start["status"], lines, None)
        if body is None:
            self._encoder.head(parts)
        else:
            self._encoder.encode_written(parts)
