"""What a new handlers package exports in addition to its operations: errors, identity, verifiers, settings."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from relay.contract.model import Contract
from relay.contract.names import slug
from relay.project.settings import Settings
from relay.server.security import JWT_TYPES, scheme_type, schemes_in_use, scopes_in_use

from .error_module import Envelope
from .stubs import new_package
from .templating import render

_TEMPLATES = Path(__file__).parent / "templates"

KEY_OF_TESTS = "key-of-the-tests"
"""The credential that generated tests send for schemes that a package verifies itself."""


@dataclass(frozen=True, slots=True)
class KeyScheme:
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
        """What generated tests sign in with."""
        return f"tester:{KEY_OF_TESTS}" if self.is_basic else KEY_OF_TESTS


@dataclass(frozen=True, slots=True)
class Security:
    """How callers of a contract sign in."""

    has_tokens: bool
    keys: tuple[KeyScheme, ...]
    scopes: tuple[str, ...]
    has_several: bool
    """Whether an operation needs several credentials at once."""

    @classmethod
    def of(cls, contract: Contract) -> Security:
        """Read the security schemes that some operation asks for."""
        kinds = {name: scheme_type(contract.security_schemes[name]) for name in schemes_in_use(contract)}
        scopes = {
            scope for name in kinds if kinds[name] in JWT_TYPES for scope in scopes_in_use(contract, name)
        }
        keys: list[KeyScheme] = []
        for name, kind in kinds.items():
            if kind not in JWT_TYPES and not _names_a_function(contract.security_schemes[name]):
                taken = {*Settings.model_fields, *(one.setting for one in keys)}
                setting = _setting(slug(name).strip("_") or "api", taken)
                keys.append(KeyScheme(name, setting, kind == "http basic"))
        has_tokens = any(kind in JWT_TYPES for kind in kinds.values())
        has_several = any(len(one) > 1 for operation in contract.operations for one in operation.security)
        return cls(has_tokens, tuple(keys), tuple(sorted(scopes)), has_several)

    @property
    def is_used(self) -> bool:
        """Whether any operation asks for a credential."""
        return self.has_tokens or bool(self.keys)

    @property
    def claims(self) -> dict[str, str]:
        """The claims of a developer's token."""
        return {"sub": "developer"} | ({"scope": " ".join(self.scopes)} if self.scopes else {})


def _names_a_function(scheme: Mapping[str, Any]) -> bool:
    """Whether a security scheme names its verifier, as for Connexion: `x-apikeyInfoFunc`, `x-basicInfoFunc`."""
    return any(key.startswith("x-") and key.endswith("InfoFunc") for key in scheme)


def _setting(word: str, taken: Collection[str]) -> str:
    """Return the name of a settings field: `word` if it is free and an identifier, else a longer one."""
    wanted = [word, f"{word}_keys", *(f"{word}_keys_{number}" for number in range(2, len(taken) + 3))]
    for name in (f"key_{one}" if one[0].isdigit() else one for one in wanted):
        if name not in taken and not keyword.iskeyword(name) and not hasattr(Settings, name):
            return name
    raise AssertionError(word)  # there is one more name than are taken


def package_files(contract: Contract, security: Security, envelope: Envelope | None) -> Mapping[str, str]:
    """Return the modules of a handlers package that hold no operations, by file name."""
    exports = {
        "_collaborators": ["collaborators"] if security.keys else [],
        "_errors": ["render_error"] if envelope else [],
        "_identity": ["identify", *(["verifiers"] if security.keys else [])] if security.is_used else [],
        "_settings": ["Settings", "test_environment"] if security.keys else [],
    }
    chosen = {
        "__init__.py": True,
        "_collaborators.py": bool(security.keys),
        "_errors.py": bool(envelope) or security.is_used,
        "_identity.py": security.is_used,
        "_settings.py": bool(security.keys),
    }
    values = {
        "docstring": new_package(contract.title).strip(),
        "exported": sorted(chain(*exports.values()), key=lambda name: (name[0].islower(), name)),
        "exports": {module: names for module, names in exports.items() if names},
        "security": security,
        "envelope": envelope,
        "settings_name": _free_name(contract),
    }
    return {name: render(_TEMPLATES, name, **values) for name, is_needed in chosen.items() if is_needed}


def _free_name(contract: Contract) -> str:
    """Return the name by which handlers get the settings; no parameter of the contract has it."""
    taken = {name for one in contract.operations for name in one.arguments.values()}
    return "settings" if "settings" not in taken else "service_settings"
