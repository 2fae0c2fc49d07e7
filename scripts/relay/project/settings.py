"""The settings of a service: their definitions, their sources, and a check for unknown names."""

# One module: what warns of a source of settings has to know it as the class does.

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from dotenv import dotenv_values
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import address_message

from .project import Project, check_regular, current_project, find_project, variable
from .tables import Limits, read_limits, read_names

SECRETS_DIR = "RELAY_SECRETS_DIR"  # the variable that names the folder of secret files

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SECTIONS = ("contract", "breaking", "lint")
"""Tables within [tool.relay] that commands read; they are not settings."""

MAX_LEEWAY = 30  # the largest clock difference in seconds
_PREFIX = "RELAY_"
_OTHER_VARIABLES = (SECRETS_DIR, "RELAY_JWT_PRIVATE_KEY")
"""Variables that are not settings of a service: the folder of secrets, and the key of contract tests."""
_TOOL_PREFIXES = ("RELAY_TEST_", "RELAY_BENCH_")  # prefixes of variables that test suites and benchmarks use


def _split(value: Any) -> Any:
    """Split the text of a variable at its commas; options and TOML provide lists."""
    return tuple(value.split(",")) if isinstance(value, str) else value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    networks = tuple(filter(None, map(str.strip, value)))
    try:
        _ = [*map(ip_network, networks)]
    except ValueError as exc:
        message = "must be addresses and networks, such as 10.0.0.0/8, separated by commas"
        raise ValueError(message) from exc
    return networks


def _file(value: Any) -> Any:
    if isinstance(value, str) and (message := address_message(value)):
        raise ValueError(message)
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _from_table(kind: type, name: str) -> BeforeValidator:
    """Return a validator that accepts only what a table of pyproject.toml was read to."""

    def check(value: Any) -> Any:
        if not isinstance(value, kind):
            raise ValueError(f"cannot be a variable; write the table [tool.relay.{name}] of pyproject.toml")  # noqa: TRY004 -- pydantic reports it
        return value

    return BeforeValidator(check)


_Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
_FilePath = Annotated[Path | None, BeforeValidator(_file)]
_LOWER = BeforeValidator(_lower)


class Settings(BaseSettings):
    """Settings of a service; each is read from the variable `RELAY_` and its name in capitals.

    The first source that has a value wins: a command's option or an argument, a variable, `.env`, a
    secret file, `[tool.relay]` of pyproject.toml. A handlers package that needs more settings exports a
    subclass called `Settings`.
    """

    model_config = SettingsConfigDict(
        env_prefix="RELAY_",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        validate_by_name=True,
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=2212, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    spec: _FilePath = Field(default=None, description="The contract: an OpenAPI file (3.0, 3.1 or 3.2).")
    contract_root: _FilePath = Field(
        default=None,
        description="Folder within which the contract may refer to other files; by default the contract's own.",
    )
    handlers: str = Field(default="handlers", description="The package whose functions serve the contract.")
    missing: _Words = Field(
        default=("fail",), description="Policy for operations without a function: fail, stub or mock, by tag."
    )
    strict: bool = Field(
        default=False,
        description="Refuse to start if the contract has errors; production always does. Otherwise operations that cannot be served answer 501.",
    )
    names: Annotated[ChosenNames, NoDecode, _from_table(ChosenNames, "names")] = Field(
        default_factory=ChosenNames,
        description="Names of functions, modules and arguments, by those of the contract.",
    )
    environment: Annotated[Literal["development", "production"], _LOWER] = Field(
        default="development", description="production refuses mocks, reload and recording."
    )
    jwt_secret: SecretStr | None = Field(default=None, description="HS256 secret, 32 bytes or more.")
    jwt_public_key: SecretStr | None = Field(
        default=None, description="RSA, P-256 or Ed25519 public key in PEM, or the path of a file with it."
    )
    jwt_jwks: SecretStr | None = Field(
        default=None, description="JSON Web Key Set: a file, or an https:// address."
    )
    jwt_issuer: str | None = Field(default=None, description="The `iss` that tokens must have.")
    jwt_audience: str | None = Field(default=None, description="The `aud` that tokens must have.")
    jwt_leeway: float = Field(
        default=0.0,
        ge=0,
        le=MAX_LEEWAY,
        description="Clock difference in seconds that `exp` and `nbf` allow.",
    )
    jwt_type: str | None = Field(
        default=None, description="The `typ` that tokens must have; by default none, `JWT` or `at+jwt`."
    )
    jwt_max_life: int = Field(
        default=31 * 86400,
        ge=0,
        description="Longest life of a token in seconds, from `iat` if present; 0 for any.",
    )
    jwt_cache_seconds: float = Field(
        default=60.0,
        ge=0,
        le=300,
        validation_alias=AliasChoices("RELAY_JWT_CACHE_SECONDS", "RELAY_JWT_REMEMBER"),
        description="Seconds for which a verified token is cached; 0 turns the cache off.",
    )
    body_limit: int = Field(
        default=65536,
        ge=0,
        description="Largest request body in bytes: JSON, text, forms without files, and the other fields of forms with files.",
    )
    file_limit: int = Field(
        default=16777216, ge=0, description="Largest binary body, and largest form with files, in bytes."
    )
    limits: Annotated[Limits, NoDecode, _from_table(Limits, "limits")] = Field(
        default_factory=Limits, description="Largest bodies, by operation and media type."
    )
    trusted_proxies: Annotated[_Words, AfterValidator(_networks)] = Field(
        default=(),
        description="Addresses and networks of proxies whose X-Forwarded-* or Forwarded fields `relay.Request` reads.",
    )
    max_in_flight: int = Field(
        default=256, ge=1, description="Requests that are processed at the same time; one more gets 503."
    )
    handler_seconds: float = Field(
        default=30.0,
        ge=0,
        description="Seconds that a handler, `identify` or a verifier may take; 0 for any time.",
    )
    cors_origins: _Words = Field(
        default=(),
        description="Origins whose pages may call the service, or `*` without credentials. Mocks allow those of this machine.",
    )
    threads: int = Field(
        default=40,
        ge=1,
        le=1000,
        description="Plain functions that run at the same time: as many handlers, verifiers and `identify`, and parts of "
        "`scope` before and after its `yield`.",
    )
    read_only: Annotated[Literal["ignore", "refuse"], _LOWER] = Field(
        default="ignore",
        description="ignore drops `readOnly` properties from requests before the handler; refuse answers 400.",
    )
    unknown_query: Annotated[Literal["ignore", "refuse"], _LOWER] = Field(
        default="ignore",
        description="ignore accepts query parameters that the contract does not have; refuse answers 400.",
    )
    refuse_nul: bool = Field(default=False, description="Answer 400 to NUL in the text of a request.")
    response_violations: Annotated[Literal["enforce", "report"], _LOWER] = Field(
        default="enforce",
        description="enforce answers 500 instead of a body that violates the contract; report only logs it.",
    )
    metrics: bool = Field(default=True, description="Serve Prometheus metrics at /metrics.")
    metrics_bind: str | None = Field(
        default=None, description="Separate address and port for the metrics, such as 127.0.0.1:9464."
    )
    tracing: bool = Field(default=False, description="Send OpenTelemetry traces; OTEL_* variables say where.")
    openapi: bool = Field(default=True, description="Serve the contract at /openapi.json and /openapi.yaml.")
    docs: bool = Field(default=True, description="Serve Swagger UI at /docs.")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _LOWER] = Field(
        default="info",
        description="Lowest level that is logged by Relay and the project's modules; libraries log warnings.",
    )
    log_format: Annotated[Literal["auto", "console", "json"], _LOWER] = Field(
        default="auto", description="json, one object a line; or console; auto is console on a terminal."
    )

    def __init__(self, **given: Any) -> None:
        names = {name for name in given if not name.startswith("_")}
        if unknown := names - type(self).model_fields.keys():
            raise TypeError(f"{type(self).__name__} has no setting {', '.join(sorted(unknown))}")
        super().__init__(**given)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- it would read the working directory
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read `.env` of the project's folder, and the project's pyproject.toml as the last source."""
        project = find_project()
        file = (project.folder if project else Path.cwd()) / ".env"
        check_regular(file)  # python-dotenv would wait for a pipe
        env_file = DotEnvSettingsSource(settings_cls, env_file=file)
        table = InitSettingsSource(settings_cls, init_kwargs=_table(project, cls) if project else {})
        return init_settings, env_settings, env_file, file_secret_settings, table

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read settings from all sources; `given` wins, None in it counts as not given.

        Secret files are read from the folder `RELAY_SECRETS_DIR`, one file per setting, named like its
        variable in either case. Raises SetupError with every setting that is wrong, and TypeError for a
        name in `given` that is not a setting.
        """
        folder = os.environ.get(SECRETS_DIR)
        if folder and (problems := list(_unreadable(Path(folder), cls))):
            raise SetupError(problems)
        chosen = {name: value for name, value in given.items() if value is not None}
        try:
            return cls(**{"_secrets_dir": folder or None, **chosen})
        except ValidationError as exc:
            raise SetupError(map(_diagnostic, exc.errors(include_url=False, include_input=False))) from None
        except (SettingsError, OSError, UnicodeDecodeError) as exc:
            raise SetupError([Diagnostic(".env", "cannot be read as text in UTF-8")]) from exc


RENAMED = {"jwt_remember": "jwt_cache_seconds"}  # settings by their former names, which are still read


def _diagnostic(error: ErrorDetails) -> Diagnostic:
    """Report which setting is invalid and why, never its value."""
    name = str(error["loc"][0]) if error["loc"] else "settings"
    message = error["msg"].removeprefix("Value error, ")
    return Diagnostic(name if name.isupper() else variable(name), message[:1].lower() + message[1:])


def token_keys(settings: Settings) -> dict[str, SecretStr]:
    """Return the configured keys that verify bearer tokens, by setting; a service may have one."""
    values = {name: getattr(settings, name) for name in ("jwt_secret", "jwt_public_key", "jwt_jwks")}
    return {name: value for name, value in values.items() if value is not None}


class Chosen(NamedTuple):
    """A project, its contract, its handlers package, the folder that the contract may read, and chosen names."""

    project: Project
    spec: Path
    handlers: str
    contract_root: Path | None
    names: ChosenNames


def chosen(spec: Path | None = None, handlers: str | None = None) -> Chosen:
    """Return what the current project works with, without an import.

    Raises SetupError if there is no project, and for invalid settings.
    """
    project = current_project(spec)
    settings = Settings.load(spec=spec, handlers=handlers)
    assert settings.spec is not None  # every project has one
    return Chosen(project, settings.spec, settings.handlers, settings.contract_root, settings.names)


def unknown_names(project: Project, kind: type[Settings]) -> list[Diagnostic]:
    """Return a warning for each name in a source of settings that is not a setting, with the nearest one."""
    known = [*map(variable, kind.model_fields), *_OTHER_VARIABLES]
    keys = [*(name.replace("_", "-") for name in kind.model_fields), *SECTIONS]
    unknown = [key for key in project.table if key.replace("_", "-") not in keys]
    found = [(project.file, f"tool.relay.{key}: {_hint(key, keys)}") for key in unknown]
    found += [
        (where, _hint(name, known))
        for name, _, _, where in _given(project.folder)
        if name.startswith(_PREFIX) and name not in known and not name.startswith(_TOOL_PREFIXES)
    ]
    return [Diagnostic(where, what, "unknown-setting", Severity.WARNING) for where, what in found]


def _table(project: Project, kind: type[Settings]) -> dict[str, Any]:
    """Return the settings of [tool.relay], with the paths of contract and folder made absolute."""
    table = {key.replace("-", "_"): value for key, value in project.table.items() if key not in SECTIONS}
    if secret := [name for name in table if is_secret(kind, name)]:
        message = f"tool.relay.{secret[0]} is a secret; set {variable(secret[0])} or a secret file instead"
        raise SetupError([Diagnostic(project.file, message)])
    if isinstance(root := table.get("contract_root"), str):
        table["contract_root"] = project.folder / root
    if "names" in table:
        table["names"] = read_names(project.section("names"))
    if "limits" in table:
        table["limits"] = read_limits(project.section("limits"))
    return {**table, "spec": project.spec}


def secret_files(names: Iterable[str] | None = None) -> Iterator[Path]:
    """Yield what RELAY_SECRETS_DIR contains for these variables, in either case; by default for all of Relay."""
    folder = Path(os.environ.get(SECRETS_DIR) or os.devnull)
    if not folder.is_dir():
        return
    wanted = None if names is None else frozenset(names)
    for file in folder.iterdir():
        name = file.name.upper()
        if name.startswith(_PREFIX) if wanted is None else name in wanted:
            yield file


def _unreadable(folder: Path, kind: type[Settings]) -> Iterator[Diagnostic]:
    """Report a secrets folder that does not exist, and each entry that is not a text file."""
    try:
        next(folder.iterdir(), None)
    except OSError as exc:
        is_absent = isinstance(exc, FileNotFoundError | NotADirectoryError)
        message = f"there is no folder {folder}" if is_absent else f"{folder} cannot be read: {exc.strerror}"
        yield Diagnostic(SECRETS_DIR, message)
        return
    for file in secret_files(map(variable, kind.model_fields)):
        try:
            file.read_text("utf-8")
        except OSError as exc:
            yield Diagnostic(str(file), f"cannot be read as a secret: {exc.strerror}; it must be a file")
        except UnicodeDecodeError:
            yield Diagnostic(str(file), "cannot be read as a secret: it must be text in UTF-8")


def is_secret(kind: type[Settings], name: str) -> bool:
    """Return True for a setting whose value is a secret."""
    found = kind.model_fields.get(name)
    return found is not None and "SecretStr" in str(found.annotation)


def is_table(kind: type[Settings], name: str) -> bool:
    """Return True for a setting that only a table of pyproject.toml can hold."""
    found = kind.model_fields.get(name)
    return found is not None and found.annotation in (ChosenNames, Limits)


def setting_origin(kind: type[Settings], name: str) -> str:
    """Return the source that a setting of the current project is read from, in words: `/srv/.env`, `the default`."""
    project = find_project()
    for given, value, source, _ in _given(project.folder if project else Path.cwd()):
        if given == variable(name) and value:
            return source
    return project.file if project and name in _table(project, kind) else "the default"


def _given(folder: Path) -> Iterator[tuple[str, str | None, str, str]]:
    """Yield each variable and secret file: its name in capitals, its value, its source, and where it is."""
    yield from ((key.upper(), value, "the environment", key) for key, value in os.environ.items())
    env_file = folder / ".env"
    values = dotenv_values(env_file, encoding="utf-8") if env_file.is_file() else {}
    yield from ((key.upper(), value, str(env_file), f".env: {key}") for key, value in values.items())
    yield from (
        (file.name.upper(), "a secret", str(file), str(file)) for file in secret_files() if file.is_file()
    )


def _hint(name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown; suggest its replacement or the nearest known name."""
    lower = name.removeprefix(_PREFIX).lower()
    if lower in RENAMED:
        return f"is now called {variable(RENAMED[lower])}"
    close = difflib.get_close_matches(name, known, 1, 0.6)
    return "unknown setting" + (f"; did you mean {close[0]}?" if close else "")
