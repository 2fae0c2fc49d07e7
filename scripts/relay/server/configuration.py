"""A class of settings: what each is and how it is read, and where it may be set.

First found wins: what a command's option gives, a variable, `.env`, a secret file. It is said without a
library of models, which would be a quarter of the service's memory and of its start.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from relay.contract.diagnostics import Diagnostic, SetupError

_FLAGS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}

T = TypeVar("T")


class SecretStr:
    """Text that neither `str` nor `repr` shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "SecretStr('…')"

    def get_secret_value(self) -> str:
        """Return the text itself."""
        return self._value


class Setting(NamedTuple):
    """One setting: what it is when nobody sets it, and what reads what somebody did set.

    `read` takes text, or the value of an option, and raises ValueError with what it has to be; the
    message does not hold what was given, which may be a secret in the wrong place.
    """

    default: Any
    read: Callable[[Any], Any]


def setting(default: Any, read: Callable[[Any], Any]) -> Any:
    """Declare a setting as the default of an attribute of a `Configuration`."""
    return Setting(default, read)


class Configuration:
    """Settings as attributes, each `RELAY_` and its name in capitals.

    A subclass declares more of them, or another default, by `setting`. Made by hand it takes what it is
    given and reads nothing else; `given` has the names. Raises SetupError with each that is wrong, and
    TypeError for one that does not exist.
    """

    settings: ClassVar[Mapping[str, Setting]] = {}
    given: frozenset[str]

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Setting)}
        cls.settings = {**cls.settings, **own}

    def __init__(self, **given: Any) -> None:
        if unknown := given.keys() - self.settings.keys():
            raise TypeError(f"{type(self).__name__} has no setting {', '.join(sorted(unknown))}")
        self.given = frozenset(name for name, value in given.items() if value is not None)
        problems = []
        for name, (default, read) in self.settings.items():
            try:
                setattr(self, name, read(given[name]) if name in self.given else default)
            except ValueError as exc:
                problems.append(Diagnostic(variable(name), str(exc)))
        if problems:
            raise SetupError(problems)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)
        return f"{type(self).__name__}({shown})"

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read settings from wherever they are set; `given`, if not None, go before everything else.

        Secret files are read from the folder `RELAY_SECRETS_DIR`, one file per setting, named like its
        variable in lower case (`relay_jwt_secret`). Raises SetupError with each setting that is wrong.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        try:
            files = cls._named(_secret_files())
            secrets = {name: file.read_text("utf-8").strip() for name, file in files.items()}
            found = {**secrets, **cls._named(_env_file()), **cls._named(_variables())}
        except (OSError, UnicodeDecodeError) as exc:
            where = f".env or {variable('secrets_dir')}"
            raise SetupError([Diagnostic(where, "a file of it cannot be read as text in UTF-8")]) from exc
        return cls(**{**found, **chosen})

    @classmethod
    def _named(cls, source: Mapping[str, T]) -> dict[str, T]:
        """Return what a source says of these settings, by their names; it may write them in either case."""
        by_name = {key.lower(): value for key, value in source.items()}
        known = {name: variable(name).lower() for name in cls.settings}
        return {name: by_name[key] for name, key in known.items() if key in by_name}


def variable(name: str) -> str:
    """Return how a setting is called where an operator sets it."""
    return f"RELAY_{name.upper()}"


def _variables() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if value}


def _env_file() -> dict[str, str]:
    if not Path(".env").is_file():
        return {}
    from dotenv import dotenv_values  # few have such a file, and who has none need not wait for it

    return {key: value for key, value in dotenv_values(".env", encoding="utf-8").items() if value}


def _secret_files() -> dict[str, Path]:
    folder = os.environ.get(variable("secrets_dir"))
    if not folder:
        return {}
    if not Path(folder).is_dir():
        raise SetupError([Diagnostic(variable("secrets_dir"), f"there is no folder {folder}")])
    return {file.name: file for file in Path(folder).iterdir()}


def text(value: Any) -> str:
    """Read text that is not empty."""
    if not value:
        raise ValueError("it must not be empty")
    return str(value)


def flag(value: Any) -> bool:
    """Read true or false."""
    try:
        return _FLAGS[str(value).lower()]
    except KeyError:
        raise ValueError("it must be true or false") from None


def whole(least: int, most: int | None = None) -> Callable[[Any], int]:
    """Return what reads a whole number within bounds."""
    bounds = f"of {least} or more" if most is None else f"from {least} to {most}"

    def read(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise ValueError(f"it must be a whole number {bounds}")
        return number

    return read


def seconds(most: float) -> Callable[[Any], float]:
    """Return what reads a number of seconds, not a negative one."""

    def read(value: Any) -> float:
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number <= most:  # which NaN is not, either
            raise ValueError(f"it must be a number of seconds from 0 to {most:g}")
        return number

    return read


def choice(*values: str) -> Callable[[Any], str]:
    """Return what reads one of several words, however they are capitalized."""

    def read(value: Any) -> str:
        if (word := str(value).lower()) not in values:
            raise ValueError(f"it must be {', '.join(values[:-1])} or {values[-1]}")
        return word

    return read


def parts(value: Any) -> tuple[str, ...]:
    """Split text at its commas; the values of an option come apart."""
    return tuple(value.split(",") if isinstance(value, str) else value)
