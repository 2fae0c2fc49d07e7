"""Files of a handlers package that hold no operations: all of a new package, and what an existing one lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import libcst as cst

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.documents import display
from relay.project.module_source import Function
from relay.project.package_source import TYPES, Sources
from relay.server.error_bodies import ErrorBodies
from relay.server.errors import problem_details
from relay.validation.schemas import SchemaCompiler

from .formatting import Ruff
from .handler_lookup import Handlers, resolve
from .package_files import Security, derive_envelope, package_files
from .package_state import State


def missing_hooks(state: State, layout: Ruff) -> Mapping[Path, bytes]:
    """Return the files to write.

    A new package gets what it exports: `render_error`, and `verifiers` with their settings. An existing one gets
    `render_error` where its errors violate the contract, and `verifiers` if it was generated and no person has added
    a module of this kind; its `__init__.py` is changed only if it has no more than a docstring.
    """
    sources = state.sources
    # Relay verifies tokens without a package.
    security = replace(Security.of(state.contract), has_tokens=False)
    is_bare = _is_bare(sources)
    has_own = any(name.startswith("_") and name != TYPES for name in sources.paths)
    is_generated = is_bare and bool(state.types_found) and state.types_are_ours and not has_own
    if not sources.files or (is_generated and security.keys):
        return _formatted(state, layout, security)
    if "_errors" in sources.paths or missing_renderer(state.handlers) is None:
        return {}
    files = _formatted(state, layout, replace(security, keys=()))
    return {path: text for path, text in files.items() if is_bare or path.name != "__init__.py"}


def missing_renderer(handlers: Handlers) -> Diagnostic | None:
    """Return the finding that a package without `render_error` needs one: its errors are problem details.

    None if the contract documents them, or no error in a form that can be written.
    """
    contract, sources = handlers.contract, handlers.sources
    if resolve(sources, "", "render_error") is not None:
        return None
    found = next(ErrorBodies(contract, SchemaCompiler(contract), problem_details).findings(), None)
    if found is None or derive_envelope(contract) is None:
        return None
    return replace(found, message=f"{found.message}: {_how_to_render(sources)}", severity=Severity.ERROR)


def _how_to_render(sources: Sources) -> str:
    package = display(sources.paths.get("", sources.folder / "__init__.py"))
    errors = sources.module("_errors")
    if errors is None:
        return "run `relay regenerate`, which writes a render_error()"
    if isinstance(errors.bindings.get("render_error"), Function):
        return f"add `from ._errors import render_error` to {package}"
    return f"write a render_error() into {display(errors.path)}, and import it in {package}"


def hook_actions(state: State, changes: Mapping[Path, bytes]) -> Iterator[str]:
    """Yield one line on each file that is written to an existing package, or that a new one has for this contract."""
    for path in changes:
        if path in state.sources.files:
            yield f"updated {display(path)}"
        elif path.name == "_settings.py":
            names = ", ".join(one.variable for one in Security.of(state.contract).keys)
            yield f"created {display(path)}: {names} lists accepted credentials; without it, each is refused (401)"
        elif path.name != "__init__.py":
            yield f"created {display(path)}"


def _formatted(state: State, layout: Ruff, security: Security) -> dict[Path, bytes]:
    files = package_files(state.contract, security, derive_envelope(state.contract))
    pieces = layout.formatted(list(files.values()))
    return {
        state.sources.folder / name: f"{piece.strip()}\n".encode()
        for name, piece in zip(files, pieces, strict=True)
    }


def _is_bare(sources: Sources) -> bool:
    """Return True if `__init__.py` has nothing but a docstring and comments, as a generated one."""
    module = sources.module("")
    if module is None:
        return True
    return module.fault is None and all(
        isinstance(part, cst.SimpleStatementLine)
        and all(isinstance(one, cst.Expr) and isinstance(one.value, cst.SimpleString) for one in part.body)
        for part in module.tree.body
    )
