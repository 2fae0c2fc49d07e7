"""One operation, compiled: request → authenticated, validated, handled, validated → answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .auth import Authenticator
from .binding import Binding, accepted_names, with_collaborators
from .contract import Contract
from .edge import ALWAYS, read_body, send_answer
from .errors import OperationNotImplemented, RenderError, report
from .messages import Answer, Request
from .missing import Missing
from .mocking import Mock
from .requests import Arguments, RequestDecoder
from .responses import ResponseEncoder
from .schemas import SchemaCompiler


class Endpoint:
    """The ASGI application of one operation."""

    __slots__ = (
        "_authenticate",
        "_body_limit",
        "_decoder",
        "_encoder",
        "_handler",
        "_mock",
        "_render_error",
        "_wants",
        "binding",
    )

    def __init__(
        self,
        binding: Binding,
        contract: Contract,
        compiler: SchemaCompiler,
        *,
        body_limit: int,
        render_error: RenderError,
    ) -> None:
        self.binding = binding
        self._render_error = render_error
        self._body_limit = body_limit
        self._decoder = RequestDecoder(binding.operation, binding.names, compiler, contract)
        self._encoder = ResponseEncoder(binding.operation, contract, compiler)
        self._mock = (
            Mock(binding.operation, contract, compiler, self._encoder)
            if binding.missing is Missing.MOCK
            else None
        )
        accepted = accepted_names(binding.function)
        self._wants = frozenset({"caller", "claims"}) if accepted is None else accepted & {"caller", "claims"}

    def connect(self, authenticate: Authenticator | None, collaborators: Mapping[str, Any]) -> None:
        """Give the endpoint what exists only while the service runs."""
        self._authenticate = authenticate
        self._handler = with_collaborators(self.binding.function, collaborators)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        claims = caller = None
        if self._authenticate is not None:
            claims, caller = await self._authenticate(scope["headers"], scope["query_string"])
        decoder = self._decoder
        if decoder.wants_nothing:
            arguments = {}
        else:
            body = await read_body(scope, receive, self._body_limit) if decoder.wants_body else b""
            arguments = decoder.decode(
                Request(scope["path_params"], scope["query_string"], scope["headers"], body)
            )
        if "caller" in self._wants:
            arguments["caller"] = caller
        if "claims" in self._wants:
            arguments["claims"] = claims
        answer = await self._handled(arguments) if self._mock is None else self._mock.answer(scope["headers"])
        answer.headers.extend(ALWAYS)
        await send_answer(send, answer)

    async def _handled(self, arguments: Arguments) -> Answer:
        """Return what the handler answers, held to the contract."""
        try:
            result = await self._handler(**arguments)
        except NotImplementedError as exc:
            raise OperationNotImplemented from exc
        except Exception as exc:
            self._hold_to_contract(exc)
            raise
        return self._encoder.encode(result)

    def _hold_to_contract(self, exc: Exception) -> None:
        """Raise ResponseViolation for a failure that the handler chose and the contract does not know."""
        found = report(exc)
        if found is not None and found.status < 500:
            body, media_type = self._render_error(found)
            self._encoder.encode_body(body, found.status, getattr(exc, "headers", None), media_type)
