"""The base class of API errors, and the errors that validation raises.

Status, code and message are class attributes. Clients see the message, so it is fixed text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

from .violations import Violation

Headers = Mapping[str, str]


class ApiError(Exception):
    """An error with a public status, a stable code and a public message.

    Declare all three on a subclass and raise it from a handler, `identify` or a verifier. `headers` are sent
    with the response; no other exception can set headers. `members` are additional members of the body, as RFC 9457
    allows them: those of the class, unless the constructor gets others; they are public, too.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    message: ClassVar[str] = "The service failed to answer this request"

    members: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, headers: Headers | None = None, *, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.message)
        self.headers = headers or {}
        if members is not None:
            self.members = members

    def with_headers(self, headers: Headers) -> Self:
        """Set the headers of the response and return the error."""
        self.headers = headers
        return self


class InvalidRequest(ApiError):
    """Parameters or body violate the contract; `failures` lists each violation."""

    status, code, message = 400, "VALIDATION_ERROR", "The request does not match the contract"

    def __init__(self, failures: Iterable[Violation]) -> None:
        super().__init__()
        self.failures = tuple(failures)


class UnsupportedMediaType(ApiError):
    """The contract does not accept the body's media type, charset or encoding."""

    status, code, message = (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "The operation does not accept this media type or encoding",
    )


class ResponseViolation(ApiError):
    """The handler's result violates the contract; the client sees only a generic server error."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__()
        self.violations = violations

    @classmethod
    def at(cls, path: str, rule: str, message: str) -> ResponseViolation:
        """Return the error for one violation."""
        return cls([Violation(path, rule, message)])
