"""Secrets that others may read, write or guess: errors in production, warnings in development."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values
from pydantic import SecretStr

from relay.contract.diagnostics import Diagnostic, SetupError, Severity
from relay.contract.documents import display

from .project import Project, current_project, variable
from .settings import Settings, is_secret, secret_files

Service = TypeVar("Service", bound=Settings)

MIN_DISTINCT = 8  # the fewest different bytes of a token secret; 32 random letters and digits have 19 or more
_PUBLIC_KEYS = ("jwt_public_key", "jwt_jwks")
_EXAMPLES = re.compile(
    r"a-string-secret-at-least-256-bits-long|your-256-bit-secret|change-?me", re.IGNORECASE
)
_LONGEST_REPEATED = 64  # characters
_SHORT = 32  # bytes; HS256 takes no shorter secret


def exposures(project: Project, settings: Settings) -> list[Diagnostic]:
    """Return what is wrong with the secrets of a service, as errors for production."""
    severity = Severity.ERROR if settings.environment == "production" else Severity.WARNING
    found = [*_files(project, settings), *_weak_secret(settings)]
    return [Diagnostic(where, what, "exposed", severity) for where, what in dict.fromkeys(found)]


def load_trusted(kind: type[Service]) -> tuple[Service, list[Diagnostic]]:
    """Return the settings of a command that moves secrets, and warnings about exposed secrets.

    Raises SetupError for invalid settings, for a `.env` that others may have written, and in production for
    exposed secrets: those that others may read, change or guess.
    """
    project = current_project()
    env_file = project.folder / ".env"
    if problem := writable_by_others(env_file):
        raise SetupError([Diagnostic(display(env_file), problem)])
    settings = kind.load()
    found = exposures(project, settings)
    if errors := [one for one in found if one.severity is Severity.ERROR]:
        raise SetupError(errors)
    return settings, found


def writable_by_others(file: Path) -> str | None:
    """Say that others may change a file, by its owner or its mode; None if it is only ours, or absent."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return _foreign_owner(status) or _writable_mode(file, status)


def secret_exposures(file: Path) -> Iterator[str]:
    """Yield how others may change or read a secret file.

    The group may read a file of another owner if that is how this process reads it, as with `fsGroup`. An
    orchestrator mounts files of root for everybody in the container, on a read-only file system of their own.
    """
    status = file.stat()
    is_mounted = status.st_dev != Path("/").stat().st_dev and os.statvfs(file).f_flag & os.ST_RDONLY
    if status.st_uid == 0 and is_mounted:
        return
    # The process has access by its group only; root reads every file.
    is_our_group = status.st_gid in (os.getegid(), *os.getgroups())
    is_groups = os.geteuid() not in (0, status.st_uid) and is_our_group
    if not is_groups and (problem := _foreign_owner(status)):
        yield problem
        return
    if problem := _writable_mode(file, status):
        yield problem
    if status.st_mode & (stat.S_IROTH if is_groups else stat.S_IROTH | stat.S_IRGRP):
        who = "others" if is_groups else "group or others"
        yield f"{who} may read this secret (mode {stat.S_IMODE(status.st_mode):03o}); chmod 600 {display(file)}"


def _foreign_owner(status: os.stat_result) -> str | None:
    if status.st_uid in (0, os.geteuid()):
        return None
    return f"belongs to another user (uid {status.st_uid}), who may change it; copy it"


def _writable_mode(file: Path, status: os.stat_result) -> str | None:
    mode = stat.S_IMODE(status.st_mode)
    is_writable = mode & (stat.S_IWGRP | stat.S_IWOTH)
    return (
        f"group or others may change it (mode {mode:03o}); chmod 600 {display(file)}" if is_writable else None
    )


def _files(project: Project, settings: Settings) -> Iterator[tuple[str, str]]:
    env_file = project.folder / ".env"
    if problem := writable_by_others(env_file):
        yield display(env_file), problem
    for file in _secret_files(project, settings):
        yield from ((display(file), problem) for problem in secret_exposures(file))


def _secret_files(project: Project, settings: Settings) -> Iterator[Path]:
    """Yield the files that contain secrets: .env, those of RELAY_SECRETS_DIR, and those that settings name."""
    kind = type(settings)
    secrets = [name for name in kind.model_fields if is_secret(kind, name) and name not in _PUBLIC_KEYS]
    names = {variable(name) for name in secrets}
    env_file = project.folder / ".env"
    if env_file.is_file() and names & {name.upper() for name in dotenv_values(env_file)}:
        yield env_file
    yield from (file for file in secret_files(names) if file.is_file())
    values = (getattr(settings, name) for name in secrets)
    for value in (one for one in values if isinstance(one, SecretStr)):
        named = os.path.expanduser(value.get_secret_value().strip())  # noqa: PTH111 -- any text, also one that is no path
        if os.path.isfile(named):  # noqa: PTH113 -- as above: False for a text that is too long
            yield Path(named)


def _weak_secret(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.jwt_secret and (reason := weakness(settings.jwt_secret.get_secret_value())):
        message = f"{reason}, so tokens can be forged; make one with `openssl rand -base64 48`"
        yield variable("jwt_secret"), message


def weakness(secret: str) -> str | None:
    """Return why a token secret can be guessed; None for one that seems to be random, or is reported as too short."""
    if len(secret.encode()) < _SHORT:
        return None
    if (distinct := len({*secret.encode()})) < MIN_DISTINCT:
        return f"it has only {distinct} different byte{'s' * (distinct != 1)}"
    periods = range(1, min(len(secret) // 2, _LONGEST_REPEATED) + 1)
    if any(secret[period:] == secret[:-period] for period in periods):
        return "it repeats one text"
    if _EXAMPLES.search(secret):
        return "it is a public example"
    return None
