"""What an operator sets of the host, and the verifier of tokens that follows from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from relay.contract.diagnostics import Diagnostic, SetupError

from .configuration import (
    Configuration,
    SecretStr,
    choice,
    flag,
    parts,
    seconds,
    setting,
    text,
    variable,
    whole,
)
from .keys import KeyProblem, Keys, KeySet, public_key, secret_key
from .tokens import MAX_LEEWAY, Policy, TokenVerifier


class HostSettings(Configuration):
    """Settings of the host.

    A package that needs more exports `Settings`, a subclass.
    """

    host: str = setting("127.0.0.1", text)
    """Address to listen on."""
    port: int = setting(2212, whole(0, 65535))
    """Port to listen on; 0 takes a free one."""
    spec: Path | None = setting(None, Path)
    """The contract: an OpenAPI 3.0 file."""
    handlers: str = setting("handlers", str)
    """The package whose functions serve it."""
    missing: tuple[str, ...] = setting(("fail",), parts)
    """What becomes of operations without a function: fail, stub or mock, by tag."""
    environment: Literal["development", "production"] = setting(
        "development", choice("development", "production")
    )
    """What it is served for; production takes no invented answers."""
    jwt_secret: SecretStr | None = setting(None, SecretStr)
    """HS256 secret, 32 bytes or more."""
    jwt_public_key: SecretStr | None = setting(None, SecretStr)
    """RSA, P-256 or Ed25519 public key in PEM, or the path of a file that holds it."""
    jwt_jwks: SecretStr | None = setting(None, SecretStr)
    """JSON Web Key Set: a file, or an https:// address."""
    jwt_issuer: str | None = setting(None, str)
    """The `iss` that tokens must have."""
    jwt_audience: str | None = setting(None, str)
    """The `aud` that tokens must have."""
    jwt_leeway: float = setting(0.0, seconds(MAX_LEEWAY))
    """Seconds that clocks may differ by when `exp` and `nbf` are checked."""
    jwt_type: str | None = setting(None, str)
    """The `typ` that tokens must have; by default none, `JWT` or `at+jwt`."""
    jwt_max_life: int = setting(31 * 86400, whole(0))
    """Longest life of a token in seconds, from `iat` if it has one; 0 for any."""
    jwt_remember: float = setting(60.0, seconds(300))
    """Seconds that a verified token is remembered; 0 for not at all."""
    body_limit: int = setting(65536, whole(0))
    """Largest request body in bytes."""
    max_in_flight: int = setting(256, whole(1))
    """Requests that are worked on at the same time; one more is 503."""
    response_violations: Literal["enforce", "report"] = setting("enforce", choice("enforce", "report"))
    """enforce answers 500 in place of a body that breaks the contract; report only tells."""
    metrics: bool = setting(default=True, read=flag)
    """Serve Prometheus metrics at /metrics."""
    metrics_bind: str | None = setting(None, str)
    """Address and port of their own for the metrics, such as 127.0.0.1:9464."""
    tracing: bool = setting(default=False, read=flag)
    """Send OpenTelemetry traces; OTEL_* variables say where."""
    openapi: bool = setting(default=True, read=flag)
    """Serve the contract at /openapi.json and /openapi.yaml."""
    docs: bool = setting(default=True, read=flag)
    """Serve Swagger UI at /docs."""
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", choice("debug", "info", "warning", "error")
    )
    """What is logged: this and what is worse."""
    log_format: Literal["auto", "console", "json"] = setting("auto", choice("auto", "console", "json"))
    """json, one object a line; or console; auto is console on a terminal."""


def token_verifier(settings: HostSettings) -> TokenVerifier | None:
    """Return what verifies bearer tokens; None when no key is set.

    Raises SetupError for a key that is weak, unreadable, or one of several families.
    """
    configured = {
        name: value
        for name in ("jwt_secret", "jwt_public_key", "jwt_jwks")
        if (value := getattr(settings, name)) is not None
    }
    if len(configured) > 1:
        names = " and ".join(map(variable, configured))
        raise SetupError([Diagnostic(names, "tokens are verified with one family of keys; keep one of them")])
    policy = Policy(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        type=settings.jwt_type,
        leeway=settings.jwt_leeway,
        max_life=settings.jwt_max_life,
        remember=settings.jwt_remember,
    )
    for name, value in configured.items():
        try:
            return TokenVerifier(_keys(name, value), policy)
        except KeyProblem as exc:
            raise SetupError([Diagnostic(variable(name), str(exc))]) from exc
    return None


def _keys(name: str, value: Any) -> Keys:
    text: str = value.get_secret_value()
    if name == "jwt_jwks":
        return KeySet(text)
    if name == "jwt_secret":
        return secret_key(text)
    if "-----BEGIN" not in text:
        try:
            text = Path(text).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise KeyProblem("it is neither a key in PEM nor a file that can be read") from exc
    return public_key(text)
