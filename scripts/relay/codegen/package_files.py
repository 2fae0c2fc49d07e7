"""The exports of a new handlers package in addition to its operations: errors, identity, verifiers, settings.

Its files are made of Jinja templates; `render_error` has the errors that the contract documents as Python source.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self

from relay.contract.model import Contract
from relay.contract.names import slug
from relay.project.settings import Settings
from relay.server.error_shapes import ErrorShapes, documented_statuses
from relay.server.error_templates import PROBLEM, PROBLEM_TYPE, ErrorTemplate, Place, source
from relay.server.security import JWT_TYPES, scheme_type, schemes_in_use, scopes_in_use
from relay.validation.schemas import SchemaCompiler

from .stubs import written_docstring

_TEMPLATES = Path(__file__).parent / "templates"

KEY_OF_TESTS = "key-of-the-tests"
"""The credential that generated tests send for schemes that a package verifies itself."""


class KeyScheme(NamedTuple):
    """A security scheme that the package verifies itself: its name, and the setting that has its keys."""

    name: str
    setting: str
    is_basic: bool

    @property
    def variable(self) -> str:
        """The variable that the setting is read from."""
        return f"RELAY_{self.setting.upper()}"

    @property
    def test_credential(self) -> str:
        """The credentials that generated tests sign in with."""
        return f"tester:{KEY_OF_TESTS}" if self.is_basic else KEY_OF_TESTS


@dataclass(frozen=True, slots=True)
class Security:
    """How callers of a contract sign in."""

    has_tokens: bool
    keys: tuple[KeyScheme, ...]
    scopes: tuple[str, ...]
    has_several: bool
    """True if an operation needs several credentials at once."""

    @classmethod
    def of(cls, contract: Contract) -> Security:
        """Read the security schemes that some operation asks for."""
        kinds = {name: scheme_type(contract.security_schemes[name]) for name in schemes_in_use(contract)}
        tokens = [name for name, kind in kinds.items() if kind in JWT_TYPES]
        scopes = sorted({scope for name in tokens for scope in scopes_in_use(contract, name)})
        keys: list[KeyScheme] = []
        for name, kind in kinds.items():
            # A scheme may name its verifier, as for Connexion: `x-apikeyInfoFunc`.
            words = contract.security_schemes[name]
            is_named = any(key.startswith("x-") and key.endswith("InfoFunc") for key in words)
            if kind not in JWT_TYPES and not is_named:
                taken = {*Settings.model_fields, *(one.setting for one in keys)}
                setting = _setting(slug(name).strip("_") or "api", taken)
                keys.append(KeyScheme(name, setting, kind == "http basic"))
        has_several = any(len(one) > 1 for operation in contract.operations for one in operation.security)
        return cls(bool(tokens), tuple(keys), tuple(scopes), has_several)

    @property
    def is_used(self) -> bool:
        """True if any operation asks for a credential."""
        return self.has_tokens or bool(self.keys)

    @property
    def claims(self) -> dict[str, str]:
        """The claims of a developer's token."""
        return {"sub": "developer"} | ({"scope": " ".join(self.scopes)} if self.scopes else {})


def _setting(word: str, taken: Collection[str]) -> str:
    """Return the name of a settings field: `word` if it is free and an identifier, else a longer one."""
    wanted = [word, f"{word}_keys", *(f"{word}_keys_{number}" for number in range(2, len(taken) + 3))]
    for name in (f"key_{one}" if one[0].isdigit() else one for one in wanted):
        if name not in taken and not keyword.iskeyword(name) and not hasattr(Settings, name):
            return name
    raise AssertionError(word)  # there is one more name than are taken


def package_files(contract: Contract, security: Security, envelope: Envelope | None) -> Mapping[str, str]:
    """Return the modules of a handlers package that hold no operations, by file name."""
    has_keys = bool(security.keys)
    exports = {
        "_collaborators": ["collaborators"] if has_keys else [],
        "_errors": ["render_error"] if envelope else [],
        "_identity": ["identify", *(["verifiers"] if has_keys else [])] if security.is_used else [],
        "_settings": ["Settings", "test_environment"] if has_keys else [],
    }
    modules = [
        name for name, exported in exports.items() if exported or (name == "_errors" and security.is_used)
    ]
    taken = {name for one in contract.operations for name in one.arguments.values()}
    values = {
        "docstring": written_docstring(f"Handlers of {contract.title}"),
        "exported": sorted(chain(*exports.values()), key=lambda name: (name[0].islower(), name)),
        "exports": {module: names for module, names in exports.items() if names},
        "security": security,
        "envelope": envelope,
        "settings_name": "settings" if "settings" not in taken else "service_settings",
    }
    names = ["__init__.py", *(f"{name}.py" for name in modules)]
    return {name: render(_TEMPLATES, name, **values) for name in names}


def render(folder: Path, template: str, /, **values: Any) -> str:
    """Return a file made of a template in `folder`; a template that lacks a value is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=False,  # noqa: S701 -- source code, no HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # As Python, TOML and YAML read it.
    environment.filters["quoted"] = partial(json.dumps, ensure_ascii=False)
    return environment.get_template(f"{template}.j2").render(values)


_OTHERS = (418, 422, 429, 502, 504)
"""Statuses that ranges and `default` document; the first stands for every status that is not listed."""


class Branch(NamedTuple):
    """The body of some statuses as Python source, without and with the details of a request's errors."""

    statuses: tuple[int, ...]
    plain: str
    detailed: str | None
    media_type: str

    @classmethod
    def of(cls, template: ErrorTemplate, statuses: Iterable[int] = ()) -> Self:
        """Write the branch of a template."""
        detailed = None if template.detailed is None else source(template.detailed)
        return cls(tuple(statuses), source(template.plain), detailed, template.media_type)


class Envelope(NamedTuple):
    """The bodies of errors by status; the last branch, without statuses, is for every other one."""

    branches: tuple[Branch, ...]

    @property
    def has_phrases(self) -> bool:
        """True if a body has the phrase of its status."""
        return any("HTTPStatus(" in branch.plain for branch in self.branches)


def derive_envelope(contract: Contract) -> Envelope | None:
    """Return the envelope of a contract's errors; None if it documents none, or only problem details."""
    statuses = sorted({*documented_statuses(contract), *_OTHERS})
    shapes = ErrorShapes(contract, SchemaCompiler(contract), statuses)
    problem = ErrorTemplate(PROBLEM, {**PROBLEM, "errors": Place.DETAILS}, PROBLEM_TYPE)
    usual = shapes.common(_OTHERS[0]) or problem
    by_template: dict[str, tuple[ErrorTemplate, list[int]]] = {}
    for status in shapes.statuses:
        template = shapes.common(status)
        if template is not None and template != usual:
            by_template.setdefault(repr(template), (template, []))[1].append(status)
    if not by_template and usual == problem:
        return None  # what Relay renders by itself
    branches = [Branch.of(template, statuses) for template, statuses in by_template.values()]
    return Envelope((*branches, Branch.of(usual)))
