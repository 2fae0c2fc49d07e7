"""Weak settings of a service in production."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic, Severity
from relay.server.app import Application


def weaknesses(application: Application) -> list[Diagnostic]:
    """Return a warning for each weak setting of a service in production."""
    if application.settings.environment != "production":
        return []
    return [Diagnostic(where, what, "weak", Severity.WARNING) for where, what in _weak(application)]


def _weak(application: Application) -> Iterator[tuple[str, str]]:
    settings = application.settings
    if application.jwt is not None:
        if settings.jwt_issuer is None:
            yield "RELAY_JWT_ISSUER", "not set: tokens of any issuer are accepted; set it"
        if settings.jwt_audience is None:
            yield "RELAY_JWT_AUDIENCE", "not set: tokens without an audience are accepted; set it"
    if settings.openapi:
        served = "the contract and Swagger UI are" if settings.docs else "the contract is"
        yield "RELAY_OPENAPI", f"{served} public; set it to false unless that is intended"
    if settings.metrics and not settings.metrics_bind:
        message = "every client can read the metrics; set RELAY_METRICS_BIND, or block /metrics at the proxy"
        yield "RELAY_METRICS", message
    if settings.log_level == "debug":
        yield "RELAY_LOG_LEVEL", "debug may log personal data; set it to info"
    if settings.response_violations == "report":
        message = "responses that violate the contract are sent; set it to enforce once the log shows none"
        yield "RELAY_RESPONSE_VIOLATIONS", message
    if getattr(settings, "store", "") is None:
        yield "RELAY_STORE", "not set: the data is in this user's data folder; name a store"
    for line in (binding.operation for binding in application.missing):
        yield (
            "RELAY_MISSING",
            f"{line} has no function and answers 501; write it, or remove it from the contract",
        )
