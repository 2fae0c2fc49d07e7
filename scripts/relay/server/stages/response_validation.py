"""The stage that validates a response."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from relay.server.endpoint import ServedOperation
from relay.server.errors import NotAcceptable
from relay.server.framework import ContextMiddleware, ResponseValidationAPI, ResponseValidationMiddleware
from relay.server.result_kinds import as_connexion_sends_it
from relay.server.rewritten import RewrittenResponse
from relay.server.scope_keys import RESPONSE, REWRITTEN
from relay.server.sending import Outgoing, add_defaults
from relay.server.specification import ContractOperation
from relay.validation.errors import Headers, ResponseViolation
from relay.validation.http import ALWAYS, Response

from .linking import following

if TYPE_CHECKING:
    from relay.server.error_responses import RenderedError


class Encoding:
    """An operation whose results are validated and serialised once: inner stages ask for it by the scope."""

    __slots__ = (
        "_app",
        "_encoder",
        "_may_refuse",
        "_none_is_204",
        "_observer",
        "_operation",
        "_reports_only",
        "_results",
    )

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
        """Return the response of a handler's result.

        Raises ResponseViolation, unless violations are only reported and the result can be serialised.
        """
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
            return await self._results.encode_unvalidated(result, scope["headers"], scope["method"])
        except ResponseViolation:
            await self._results.discard(result)
            raise

    def check_error(self, error: RenderedError, headers: Headers | None, scope: Any) -> None:
        """Raise ResponseViolation for a client error of a handler that the contract does not document.

        The body of an error that is documented without content is not compared.
        """
        status, body = error.response.status, error.body
        documented = self._operation.response(status)
        if documented is not None and not documented.content:
            body = None
        try:
            self._encoder.encode_body(body, status, headers, error.media_type)
        except ResponseViolation as violation:
            self._report_or_raise(violation, scope)

    def _report_or_raise(self, violation: ResponseViolation, scope: Any) -> None:
        """Report a violation if RELAY_RESPONSE_VIOLATIONS=report; otherwise raise it."""
        if not self._reports_only:
            raise violation
        self._observer.violated(violation, scope)


class Rechecking(Encoding):
    """An operation whose responses pass middlewares of the package, which may change them."""

    __slots__ = ()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Validate what leaves the inner stages (ASGI 3). Raises ResponseViolation, too."""
        violated = partial(self._report_or_raise, scope=scope)
        scope[REWRITTEN] = rewritten = RewrittenResponse(self._encoder, send, violated)
        await super().__call__(scope, receive, rewritten.send)

    def encode_usual(self, result: Any, scope: Any) -> Response | None:
        """Do as any operation; the response is not validated again."""
        response = super().encode_usual(result, scope)
        if response is not None:
            scope[REWRITTEN].expect(response)
        return response

    async def encode(self, result: Any, scope: Any) -> Outgoing:
        """Return the response of a handler's result, which is not validated again."""
        response = await super().encode(result, scope)
        scope[REWRITTEN].expect(response)
        return response


class _ResponseValidationAPI(ResponseValidationAPI):
    def make_operation(self, operation: ContractOperation) -> Any:  # type: ignore[override]  # as the specification makes it
        """Return the operation's part of the stage; a mock response is valid when it is made."""
        app = following(self, operation.operation_id)
        is_next = isinstance(self.next_app, ContextMiddleware)
        return (Encoding if is_next else Rechecking)(app, operation.served)


class ResponseValidation(ResponseValidationMiddleware):
    """Validates the responses of handlers, and of middlewares of a package behind it."""

    api_cls = _ResponseValidationAPI
