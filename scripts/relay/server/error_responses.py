"""Converts any exception to an error response: the only place where errors are rendered."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from relay.validation import media_types as media
from relay.validation.errors import ApiError, ResponseViolation
from relay.validation.http import ALWAYS, OPERATION, HeaderList, Response, is_field

from .errors import OWN_CLIENT_ERRORS, ErrorReport, OperationNotImplemented, RenderOperationError, report
from .foreign_errors import ErrorTranslator
from .observability import Observer
from .scope_keys import PROGRESS, RESPONSE

_log = logging.getLogger("relay")

_INTERNAL = ErrorReport(ApiError.status, ApiError.code, ApiError.message)


class RenderedError(NamedTuple):
    """An error response, and the body and media type that it was made of."""

    response: Response
    body: Any
    media_type: str


class ErrorResponses:
    """Records each error and renders it as the package does, or as the contract documents it."""

    def __init__(
        self, render_error: RenderOperationError, translate: ErrorTranslator, observer: Observer
    ) -> None:
        self._render_error = render_error
        self._translate = translate
        self.observer = observer

    def of(self, exc: BaseException, scope: Any) -> Response:
        """Return the response for an exception; a 500 without a body if the package's renderer fails.

        A client error that a handler raises must be documented, as every other response of a handler, unless the
        response has begun: then no other is sent.
        """
        operation, validation = scope.get(OPERATION), scope.get(RESPONSE)
        progress = scope[PROGRESS]
        if validation is not None and isinstance(exc, NotImplementedError):  # as a stub raises it
            exc = OperationNotImplemented().with_traceback(exc.__traceback__)
        else:
            exc = self._translate(exc)
        try:
            rendered = self._rendered(exc, operation)
            is_own = isinstance(exc, OWN_CLIENT_ERRORS)
            is_sent = not progress.status
            if validation is not None and rendered.response.status < 500 and is_sent and not is_own:
                try:
                    validation.check_error(rendered, getattr(exc, "headers", None), scope)
                except ResponseViolation as violation:
                    exc = violation
                    rendered = self._rendered(violation, operation)
        except Exception:  # noqa: BLE001 -- the client gets a response in any case
            _log.exception("the package's failure cannot be rendered")
            rendered = RenderedError(Response(500, list(ALWAYS), b""), None, "")
        if progress.status and not progress.is_complete:
            progress.failed = rendered.response.status
        self.observer.failed(exc, scope)
        return rendered.response

    def _rendered(self, exc: BaseException, operation: str | None) -> RenderedError:
        known = report(exc)
        found = known or _INTERNAL
        # The exception of another library may have the headers of an upstream response, such as cookies.
        headers = _encoded(getattr(exc, "headers", {})) if known else []
        body, media_type = self._render_error(found, operation)
        is_text = isinstance(body, str) and media.essence(media_type).startswith("text/")
        written = body.encode() if is_text else orjson.dumps(body)
        lines = [(b"content-type", media_type.encode()), *headers, *ALWAYS]
        return RenderedError(Response(found.status, lines, written), body, media_type)


def _encoded(headers: Mapping[str, str]) -> HeaderList:
    """Return an error's headers as bytes; raise ValueError for an invalid header."""
    lines = {name.lower(): value for name, value in headers.items()}
    if not all(is_field(name, value) for name, value in lines.items()):
        raise ValueError("the error has invalid headers")
    return [(name.encode(), value.encode("latin-1")) for name, value in lines.items()]
