"""Settings that serve, and that an operator should think of before the internet does."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic, Severity
from relay.server.app import Application


def weaknesses(application: Application) -> list[Diagnostic]:
    """Return a warning for each weak setting; only production is held to this."""
    if application.settings.environment != "production":
        return []
    return [Diagnostic(where, what, "weak", Severity.WARNING) for where, what in _weak(application)]


def _weak(application: Application) -> Iterator[tuple[str, str]]:
    settings = application.settings
    if application.jwt is not None:
        if settings.jwt_issuer is None:
            yield "RELAY_JWT_ISSUER", "not set: who issued a token is not looked at; set it"
        if settings.jwt_audience is None:
            yield "RELAY_JWT_AUDIENCE", "not set: a token for nobody in particular is taken; set it"
    if settings.openapi:
        served = "the contract and Swagger UI are" if settings.docs else "the contract is"
        yield "RELAY_OPENAPI", f"{served} served to everybody; set it to false unless that is meant"
    if settings.metrics and not settings.metrics_bind:
        told = "set RELAY_METRICS_BIND, or keep /metrics from them at the proxy"
        yield "RELAY_METRICS", f"metrics are served to whoever reaches the service; {told}"
    if settings.log_level == "debug":
        yield "RELAY_LOG_LEVEL", "debug may write down what others may not read; set it to info"
    if settings.response_violations == "report":
        told = "bodies that break the contract go out; set it to enforce once the log is quiet"
        yield "RELAY_RESPONSE_VIOLATIONS", told
    if getattr(settings, "store", "") is None:
        yield "RELAY_STORE", "not set: the data lies in this user's own folder; say where it is to be"
    for line in (binding.operation for binding in application.missing):
        yield (
            "RELAY_MISSING",
            f"{line} has no function and answers 501; write it, or take it from the contract",
        )
