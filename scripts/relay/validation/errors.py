"""The base of the error family, and the errors that validation raises.

Status, code and message are data on the class; the message is public, so it is fixed text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from .parameters import Located
from .schemas import Violation

Headers = Mapping[str, str]


class ApiError(Exception):
    """A failure that a client may know of: its status, a stable code and a public sentence.

    Declare the three on a subclass and raise it from a handler, `identify` or a verifier. `headers` are
    sent with the response; no other exception chooses headers.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    message: ClassVar[str] = "The service failed to answer this request"

    def __init__(self, headers: Headers | None = None) -> None:
        super().__init__(self.message)
        self.headers = headers or {}

    def with_headers(self, headers: Headers) -> Self:
        """Set the headers of the response and return the error."""
        self.headers = headers
        return self


class InvalidRequest(ApiError):
    """Parameters or body do not match the contract; `failures` lists each violation."""

    status, code, message = 400, "VALIDATION_ERROR", "The request does not match the contract"

    def __init__(self, failures: Iterable[Located]) -> None:
        super().__init__()
        self.failures = tuple(failures)


class UnsupportedMediaType(ApiError):
    """The body is of no media type, charset or encoding that the contract takes."""

    status, code, message = 415, "UNSUPPORTED_MEDIA_TYPE", "The operation does not take this kind of body"


class ResponseViolation(ApiError):
    """What the handler returned breaks the contract; the client learns only that we failed."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__()
        self.violations = violations

    @classmethod
    def undocumented(cls, status: int) -> ResponseViolation:
        """The status itself is the breach."""
        return cls([Violation("", "status", f"the contract documents no status {status}")])
