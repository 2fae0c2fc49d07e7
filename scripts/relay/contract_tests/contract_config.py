"""[tool.relay.contract]: who calls, what is promised beyond the contract, and which responses are waived."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

from relay.contract.diagnostics import Diagnostic, SetupError, SourceLocation
from relay.contract.documents import Document, read_document
from relay.project.project import Project, Section

FILE = "[tool.relay.contract]"
"""The table of pyproject.toml that configures contract tests, unless --config names a YAML file."""

_TEXT = {"type": "string", "pattern": r"\S"}
_TEXTS = {"type": "array", "items": _TEXT}


def _entries(required: Sequence[str], *others: str) -> dict[str, Any]:
    record = {"type": "object", "additionalProperties": False, "required": required}
    return {"type": "array", "items": record | {"properties": dict.fromkeys((*required, *others), _TEXT)}}


SHAPE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "identities": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "claims": {"type": "object"},
                    "variables": {"type": "object", "additionalProperties": _TEXT},
                    "signs-in": {"type": "boolean"},
                    "refused": _TEXTS,
                },
            },
        },
        "stricter": {"type": "object", "additionalProperties": {"type": "object"}},
        "secrets": _TEXTS,
        "waivers": _entries(["status", "reason"], "operation", "media-type"),
        "accepted": _entries(["rule", "reason"], "operation", "case"),
    },
}
_MISSING = {"status": "which response is waived", "rule": "which finding is accepted", "reason": "why"}
_TYPES = {
    "object": "a mapping of names to values",
    "array": "a list",
    "string": "text; put it in quotes",
    "boolean": "true or false",
}

Place = SourceLocation | str  # where an entry is: in a file, or in a table of pyproject.toml


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller.

    `claims` go into a token that is signed with the service's key; `variables` name, by security scheme,
    environment variables that hold a credential as it is. `signs_in` is False for one that has to get 401.
    `refused` are the ids of operations that answer it 403.
    """

    name: str
    claims: Mapping[str, Any] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    signs_in: bool = True
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Waiver:
    """A response that the coverage does not require, and the reason.

    `operation` is an operation's id; None for any. `status` is a key of its responses, `media_type` one
    of theirs, None for any.
    """

    operation: str | None
    status: str
    media_type: str | None
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Accepted:
    """A known finding that is not an error, and the reason.

    `rule` is its rule id; `operation` an operation's id, `case` a pattern for whom the request was
    signed in as (`token of * without exp`), each None for any.
    """

    rule: str
    operation: str | None
    case: str | None
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of contract tests.

    `stricter` lays keywords over schemas of `components/schemas`, by name; `secrets` names environment
    variables whose values must not come out anywhere.
    """

    identities: tuple[Identity, ...] = ()
    stricter: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    accepted: tuple[Accepted, ...] = ()


def find_config(given: Path | None, project: Project) -> Config:
    """Read the YAML file that is given, else the project's table; SetupError as `read_config`."""
    return read_config(read_document(given) if given is not None else project.section("contract"))


def read_config(document: Document | Section) -> Config:
    """Read a configuration; raise SetupError with every error and its place."""
    data = document.data
    if problems := list(_problems(document)):
        raise SetupError(problems)

    def places(name: str) -> Iterator[tuple[Mapping[str, str], Place]]:
        return ((one, document.place((name, str(at)))) for at, one in enumerate(data.get(name, ())))

    return Config(
        tuple(_identity(name, value) for name, value in data.get("identities", {}).items()),
        data.get("stricter", {}),
        tuple(data.get("secrets", ())),
        tuple(
            Waiver(one.get("operation"), one["status"], one.get("media-type"), one["reason"], place)
            for one, place in places("waivers")
        ),
        tuple(
            Accepted(one["rule"], one.get("operation"), one.get("case"), one["reason"], place)
            for one, place in places("accepted")
        ),
    )


def _problems(document: Document | Section) -> Iterator[Diagnostic]:
    for error in jsonschema_rs.Draft202012Validator(SHAPE).iter_errors(document.data):
        pointer = tuple(map(str, error.instance_path))
        yield Diagnostic(document.place(pointer), _message(_name(error.instance_path), error.kind), "setup")


def _name(path: Sequence[str | int]) -> str:
    written = "".join(f"[{token}]" if isinstance(token, int) else f".{token}" for token in path)
    return written.removeprefix(".") or "the file"


def _message(name: str, kind: Any) -> str:
    match kind.name:
        case "required":
            return f"{name} has no {kind.property}; say {_MISSING[kind.property]}"
        case "additionalProperties":
            unknown = ", ".join(f"'{key}'" for key in sorted(kind.unexpected))
            return f"{name} has the unknown key {unknown}; check its spelling and place"
        case "pattern":
            return f"{name} is empty; fill it in, or remove it"
        case _:
            return f"{name} must be {' or '.join(_TYPES[one] for one in kind.types)}"


def _identity(name: str, value: Mapping[str, Any]) -> Identity:
    return Identity(
        name,
        value.get("claims"),
        value.get("variables", {}),
        value.get("signs-in", True),
        frozenset(value.get("refused", ())),
    )
