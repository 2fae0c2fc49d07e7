"""One compiled operation: authenticates, validates the request, calls the handler, validates the response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relay.contract.model import Contract
from relay.project.settings import Settings
from relay.validation.errors import ResponseViolation
from relay.validation.http import ALWAYS, RECEIVE, HeaderList, Request, Response
from relay.validation.requests import Arguments, RequestDecoder
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler

from .binding import Binding, accepted_names, with_collaborators
from .deadline import Deadline
from .errors import OperationNotImplemented, RenderError, report
from .guard import read_body, send_response
from .missing_handlers import MissingHandlerPolicy
from .observability import Observer
from .security import Authenticator

if TYPE_CHECKING:
    from relay.mock import Mock


class Endpoint:
    """The ASGI application of one operation."""

    __slots__ = (
        "_authenticate",
        "_body_limit",
        "_deadline",
        "_decoder",
        "_encoder",
        "_handler",
        "_mock",
        "_observer",
        "_render_error",
        "_reports_only",
        "_wants",
        "binding",
    )

    def __init__(
        self,
        binding: Binding,
        contract: Contract,
        compiler: SchemaCompiler,
        *,
        settings: Settings,
        render_error: RenderError,
        observer: Observer,
    ) -> None:
        self.binding = binding
        self._render_error = render_error
        self._observer = observer
        self._body_limit = settings.body_limit
        self._deadline = Deadline(settings.handler_seconds)
        self._reports_only = settings.response_violations == "report"
        self._decoder = RequestDecoder(binding.operation, binding.names, compiler, contract)
        self._encoder = ResponseEncoder(binding.operation, contract, compiler)
        self._mock: Mock | None = None
        accepted = accepted_names(binding.function)
        self._wants = frozenset({"caller", "claims"}) if accepted is None else accepted & {"caller", "claims"}

    def mock(self, contract: Contract, compiler: SchemaCompiler) -> None:
        """Prepare the mock responses, if the operation has them; it uses the validators of all operations."""
        if self.binding.missing is MissingHandlerPolicy.MOCK:
            from relay.mock import Mock  # not imported in production, which has no mocks

            self._mock = Mock(self.binding.operation, contract, compiler, self._encoder)

    def connect(self, authenticate: Authenticator | None, collaborators: Mapping[str, Any]) -> None:
        """Pass the authenticator and the collaborators, which exist only while the service runs."""
        self._authenticate = authenticate
        self._handler = with_collaborators(self.binding.function, collaborators)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""
        claims = caller = None
        decoder = self._decoder
        if self._authenticate is not None:
            authenticating = self._authenticate(scope["headers"], scope["query_string"])
            watched = None if decoder.has_body else scope.get(RECEIVE)  # a body must not be lost
            claims, caller = await self._deadline.run(authenticating, watched)
        if decoder.has_no_input:
            arguments = {}
        else:
            body = await read_body(scope, receive, self._body_limit) if decoder.has_body else b""
            arguments = decoder.decode(
                Request(scope["path_params"], scope["query_string"], scope["headers"], body)
            )
        if "caller" in self._wants:
            arguments["caller"] = caller
        if "claims" in self._wants:
            arguments["claims"] = claims
        response = (
            self._mocked(self._mock, scope["headers"])
            if self._mock is not None
            else await self._handled(arguments, scope)
        )
        response.headers.extend(ALWAYS)
        await send_response(send, response)

    @staticmethod
    def _mocked(mock: Mock, headers: HeaderList) -> Response:
        """Return the mock response that the headers select. Raises OperationNotImplemented if it has no value."""
        response = mock.answer(headers)
        if response is None:
            raise OperationNotImplemented
        return response

    async def _handled(self, arguments: Arguments, scope: Any) -> Response:
        """Call the handler and return its response, validated against the contract."""
        try:
            result = await self._deadline.run(self._handler(**arguments), scope.get(RECEIVE))
        except NotImplementedError as exc:
            raise OperationNotImplemented from exc
        except Exception as exc:
            self._check_error(exc, scope)
            raise
        try:
            return await self._encoder.encode(result)
        except ResponseViolation as exc:
            self._report_or_raise(exc, scope)
        return self._encoder.encode_unvalidated(result)

    def _check_error(self, exc: Exception, scope: Any) -> None:
        """Raise ResponseViolation for a handler's 4xx error that violates the contract.

        The body of an error that is documented without content is not compared.
        """
        found = report(exc)
        if found is not None and found.status < 500:
            body, media_type = self._render_error(found)
            documented = self.binding.operation.response(found.status)
            if documented is not None and not documented.content:
                body = None
            try:
                self._encoder.encode_body(body, found.status, getattr(exc, "headers", None), media_type)
            except ResponseViolation as violation:
                self._report_or_raise(violation, scope)

    def _report_or_raise(self, violation: ResponseViolation, scope: Any) -> None:
        """Report a violation if RELAY_RESPONSE_VIOLATIONS=report; otherwise raise it."""
        if not self._reports_only:
            raise violation
        self._observer.violated(violation, scope)
