"""What an operator sets: `RELAY_*` variables, `.env`, secret files; first found wins, in that order.

A package that needs more exports `Settings`, a subclass of `HostSettings`.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from .keys import KeyProblem, Keys, KeySet, public_key, secret_key
from .problems import Problem, SetupError
from .tokens import MAX_LEEWAY, Policy, TokenVerifier

PREFIX = "RELAY_"


def _parts(value: Any) -> Any:
    """Split what a variable holds at its commas; an option's values come apart."""
    return tuple(value.split(",")) if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class HostSettings(BaseSettings):
    """Settings of the host; each is `RELAY_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(2212, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    spec: Path | None = Field(None, description="The contract: an OpenAPI 3.0 file.")
    handlers: str = Field("handlers", description="The package whose functions serve it.")
    missing: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)] = Field(
        ("fail",), description="What becomes of operations without a function: fail, stub or mock, by tag."
    )
    environment: Literal["development", "production"] = Field(
        "development", description="development or production; production takes no invented answers."
    )
    jwt_secret: SecretStr | None = Field(None, description="HS256 secret, 32 bytes or more.")
    jwt_public_key: SecretStr | None = Field(
        None, description="RSA, P-256 or Ed25519 public key in PEM, or the path of a file that holds it."
    )
    jwt_jwks: SecretStr | None = Field(None, description="JSON Web Key Set: a file, or an https:// address.")
    jwt_issuer: str | None = Field(None, description="The `iss` that tokens must have.")
    jwt_audience: str | None = Field(None, description="The `aud` that tokens must have.")
    jwt_leeway: float = Field(
        0.0,
        ge=0,
        le=MAX_LEEWAY,
        description="Seconds that clocks may differ by when `exp` and `nbf` are checked.",
    )
    jwt_type: str | None = Field(
        None, description="The `typ` that tokens must have; by default none, `JWT` or `at+jwt`."
    )
    jwt_max_life: int = Field(
        31 * 86400,
        ge=0,
        description="Longest life of a token in seconds, from `iat` if it has one; 0 for any.",
    )
    jwt_remember: float = Field(
        60.0, ge=0, le=300, description="Seconds that a verified token is remembered; 0 for not at all."
    )
    body_limit: int = Field(65536, ge=0, description="Largest request body in bytes.")
    max_in_flight: int = Field(
        256, ge=1, description="Requests that are worked on at the same time; one more is 503."
    )
    response_violations: Annotated[Literal["enforce", "report"], BeforeValidator(_lower)] = Field(
        "enforce",
        description="enforce answers 500 in place of a body that breaks the contract; report only tells.",
    )
    metrics: bool = Field(default=True, description="Serve Prometheus metrics at /metrics.")
    metrics_bind: str | None = Field(
        None, description="Address and port of their own for the metrics, such as 127.0.0.1:9464."
    )
    tracing: bool = Field(default=False, description="Send OpenTelemetry traces; OTEL_* variables say where.")
    openapi: bool = Field(default=True, description="Serve the contract at /openapi.json and /openapi.yaml.")
    docs: bool = Field(default=True, description="Serve Swagger UI at /docs.")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="debug, info, warning or error."
    )
    log_format: Annotated[Literal["auto", "console", "json"], BeforeValidator(_lower)] = Field(
        "auto", description="json, one object a line; or console; auto is console on a terminal."
    )


S = TypeVar("S", bound=HostSettings)


def load_settings(kind: type[S], **given: Any) -> S:
    """Read settings; `given`, such as options of a command, go before everything else.

    Secret files are read from the folder `RELAY_SECRETS_DIR`, one file per setting, named like its
    variable in lower case (`relay_jwt_secret`). Raises SetupError with each setting that is wrong.
    """
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise SetupError([Problem(f"{PREFIX}SECRETS_DIR", f"there is no folder {folder}")])
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # how it tells of a folder in a secret file's place
            return kind(**{"_secrets_dir": folder or None, **chosen})
    except ValidationError as exc:
        raise SetupError(
            Problem(f"{PREFIX}{'_'.join(map(str, error['loc'])).upper()}", error["msg"])
            for error in exc.errors()
        ) from exc
    except (SettingsError, UserWarning, OSError, UnicodeDecodeError) as exc:
        where = f".env or {PREFIX}SECRETS_DIR"
        raise SetupError([Problem(where, "a file of it cannot be read as text in UTF-8")]) from exc


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
        names = " and ".join(PREFIX + name.upper() for name in configured)
        raise SetupError([Problem(names, "tokens are verified with one family of keys; keep one of them")])
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
            raise SetupError([Problem(PREFIX + name.upper(), str(exc))]) from exc
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
