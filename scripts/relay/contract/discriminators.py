"""Which schemas the mapping of a discriminator leads to (OpenAPI 3.0.3, "Discriminator Object")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .documents import Pointer
from .pointers import found_at, parse_pointer


def mapping_of(schema: Mapping[str, Any]) -> dict[str, str]:
    """Return the mapping of a schema's discriminator, without what is no reference; {} if it has none."""
    discriminator = schema.get("discriminator")
    mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
    if not isinstance(mapping, dict):
        return {}
    return {value: target for value, target in mapping.items() if isinstance(target, str)}


def targets_of(schema: Mapping[str, Any]) -> list[str]:
    """Return what the mapping of a schema's discriminator leads to, and its `defaultMapping` (OpenAPI 3.2)."""
    found = [*mapping_of(schema).values()]
    discriminator = schema.get("discriminator")
    default = discriminator.get("defaultMapping") if isinstance(discriminator, dict) else None
    return [*found, default] if isinstance(default, str) else found


def mapped_pointer(target: str) -> Pointer:
    """Return the pointer that a target in the mapping of a bundle means: a local reference, or a component's name."""
    return parse_pointer(target[1:]) if target.startswith("#") else ("components", "schemas", target)


def mapped_schemas(schema: Mapping[str, Any], document: Any) -> dict[str, tuple[Pointer, Any]]:
    """Return the pointer and the schema of each value of a mapping, without those that lead nowhere."""
    pointers = {value: mapped_pointer(target) for value, target in mapping_of(schema).items()}
    found = {value: (pointer, found_at(document, pointer)) for value, pointer in pointers.items()}
    return {value: target for value, target in found.items() if isinstance(target[1], dict)}
