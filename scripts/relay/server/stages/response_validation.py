"""The stage that validates a response."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from relay.server.endpoint import ContractOperation, ServedOperation
from relay.server.errors import NotAcceptable
from relay.server.framework import ContextMiddleware, ResponseValidationMiddleware, compiled, following
from relay.server.results import as_connexion_sends_it
from relay.server.scope_keys import RESPONSE, REWRITTEN
from relay.server.sending import Outgoing, add_defaults
from relay.validation.errors import Headers, ResponseViolation
from relay.validation.http import ALWAYS, Response, header
from relay.validation.responses import ResponseEncoder
from relay.validation.results import Parts

if TYPE_CHECKING:
    from relay.server.error_responses import RenderedError

_OF_THE_SERVER = (b"content-length", b"transfer-encoding", b"connection")


class Encoding:
    """An operation whose results are validated and serialised once: inner stages ask for it by the scope."""

    def __init__(self, app: Any, served: ServedOperation) -> None:
        self._app = app
        self._encoder = served.endpoint.encoder
        self._results = served.results
        self._may_refuse = self._encoder.may_refuse
        self._operation = served.endpoint.operation
        self._observer = served.observer
        self._reports_only = served.reports_only
        documents_204 = self._operation.response(204) is not None
        self._none_is_204 = served.endpoint.binding.is_named and (documents_204 or self._reports_only)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one request on (ASGI 3). Raises NotAcceptable, before the function is called."""
        scope[RESPONSE] = self
        if self._may_refuse and not self._encoder.is_acceptable(scope["headers"]):
            raise NotAcceptable
        await self._app(scope, receive, send)

    def encode_usual(self, result: Any, _scope: Any) -> Response | None:
        """Return the response of a valid body that is sent as most are; None for any other result."""
        if self._none_is_204 and result is None:
            return None
        with suppress(ResponseViolation):
            response = self._encoder.encode_usual(result)
            if response is not None:
                response.headers.extend(ALWAYS)
            return response
        return None

    async def encode(self, result: Any, scope: Any) -> Outgoing:
        """Return the response of a result. Raises ResponseViolation, unless that is only reported."""
        headers, method = scope["headers"], scope["method"]
        if self._none_is_204:
            result = as_connexion_sends_it(result)
        try:
            response = await self._results.encode(result, headers, method)
        except ResponseViolation as exc:
            response = await self._unvalidated(result, exc, scope)
        add_defaults(response.headers)
        return response

    async def _unvalidated(self, result: Any, violation: ResponseViolation, scope: Any) -> Outgoing:
        """Report a violation, and return the response nevertheless. Raises ResponseViolation, with the result closed."""
        try:
            self._report_or_raise(violation, scope)
            return await self._results.encode(result, scope["headers"], scope["method"], is_validated=False)
        except ResponseViolation:
            await self._results.discard(result)
            raise

    def check_error(self, error: RenderedError, headers: Headers | None, scope: Any) -> None:
        """Raise ResponseViolation for an undocumented client error; one without content may have any body."""
        status, body = error.response.status, error.body
        documented = self._operation.response(status)
        if documented is not None and not documented.content:
            body = None
        try:
            self._encoder.encode_body(body, status, headers, error.media_type)
        except ResponseViolation as violation:
            self._report_or_raise(violation, scope)

    def _report_or_raise(self, violation: ResponseViolation, scope: Any) -> None:
        if not self._reports_only:
            raise violation
        self._observer.violated(violation, scope)


@dataclass(slots=True)
class RewrittenResponse:
    """A response that is validated when it is complete, unless it is as its result was encoded."""

    _encoder: ResponseEncoder
    _send: Any
    _violated: Callable[[ResponseViolation], None]
    _encoded: Response | None = None
    _start: Any = None
    _body: bytearray = field(default_factory=bytearray)
    _passes: bool = False

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
                if not self._is_as_encoded():
                    self._check(bytes(self._body))
                await self._send(self._start)
                await self._send({"type": "http.response.body", "body": bytes(self._body)})

    def _is_as_encoded(self) -> bool:
        response, headers = self._encoded, self._start["headers"]
        return (
            response is not None
            and header(headers, b"content-encoding") is None
            and self._start["status"] == response.status
            and header(headers, b"content-type") == header(response.headers, b"content-type")
            and self._body == b"".join([response.body, *response.more])
        )

    def _check(self, body: bytes | None) -> None:
        """Report a response that the contract does not document; None is the body of a stream."""
        headers = self._start["headers"]
        lines = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in headers
            if name not in _OF_THE_SERVER
        ]
        parts = Parts(body, self._start["status"], lines, None)
        try:
            if header(headers, b"content-encoding") is not None:
                message = (
                    "the body is compressed before it is validated; give the middleware an earlier position"
                )
                raise ResponseViolation.at("", "content", message)
            (self._encoder.head if body is None else self._encoder.encode_written)(parts)
        except ResponseViolation as violation:
            self._violated(violation)


class Rechecking(Encoding):
    """An operation whose responses pass middlewares of the package, which may change them."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Validate what leaves the inner stages (ASGI 3). Raises ResponseViolation, too."""
        violated = partial(self._report_or_raise, scope=scope)
        scope[REWRITTEN] = rewritten = RewrittenResponse(self._encoder, send, violated)
        await super().__call__(scope, receive, rewritten.send)

    def encode_usual(self, result: Any, scope: Any) -> Response | None:
        """Return a response, which is not validated again."""
        response = super().encode_usual(result, scope)
        if response is not None:
            scope[REWRITTEN].expect(response)
        return response

    async def encode(self, result: Any, scope: Any) -> Outgoing:
        """Return a response, which is not validated again."""
        response = await super().encode(result, scope)
        scope[REWRITTEN].expect(response)
        return response


def _encoding(api: Any, operation: ContractOperation) -> Any:
    """Return the operation's part of the stage; a mock response is valid when it is made."""
    is_next = isinstance(api.next_app, ContextMiddleware)
    return (Encoding if is_next else Rechecking)(following(api, operation.operation_id), operation.served)


ResponseValidation = compiled(ResponseValidationMiddleware, _encoding)
