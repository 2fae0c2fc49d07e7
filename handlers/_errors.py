"""The service's error class, and the contract's envelope for all errors."""

from relay import ApiError, ErrorReport

from ._types import CallsErrorResponse


class NotSignedIn(ApiError):
    """The token is valid, but its user is unknown or may not sign in.

    `reason` is for logs and metrics, never for the client: `nobody`, `unknown-user` or `disabled`.
    """

    status, code, message = 401, "UNAUTHENTICATED", "A valid credential is required"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


def render_error(report: ErrorReport) -> tuple[CallsErrorResponse, str]:
    """Return an error in the contract's envelope (#/components/schemas/CallsErrorResponse).

    `error` is a sentence; if there are contract violations to list, it is the object form.
    """
    if report.details:
        error = {"code": report.code, "message": report.message, "details": [*map(dict, report.details)]}
        return {"success": False, "error": error, "code": report.code}, "application/json"  # type: ignore[typeddict-item]  # the details are plain strings
    return {"success": False, "error": report.message, "code": report.code}, "application/json"
