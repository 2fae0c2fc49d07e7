"""Resolve the renames that a user asks for: `relay regenerate --rename OLD=NEW`."""

from __future__ import annotations

from collections.abc import Iterable

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.contract.names import slug
from relay.project.module_source import Function

from .package_state import State
from .renames import Renames, would_hide


def requested_renames(state: State, pairs: Iterable[tuple[str, str]]) -> Renames:
    """Resolve `--rename` pairs of operationIds or function names; SetupError for unknown or ambiguous ones."""
    renames: dict[tuple[str, str], str] = {}
    problems: list[Diagnostic] = []
    for old, new in pairs:
        operation = next((one for one in state.contract.operations if new in (one.id, one.function)), None)
        if operation is None:
            problems.append(Diagnostic("--rename", f"the contract has no operation '{new}'"))
            continue
        places = _places(state, old, operation.module)
        if len(places) == 1:
            renames[places[0], _python_name(old)] = operation.function
        elif places:
            problems.append(
                Diagnostic("--rename", f"'{old}' is a function of {' and '.join(places)}; rename it by hand")
            )
        else:
            problems.append(Diagnostic("--rename", f"no module of the package has a function '{old}'"))
    for (module, old), new in renames.items():
        function = state.function(module, old)
        assert function is not None  # it was found there
        if function.is_repeated:
            where = display(function.module.path)
            problems.append(
                Diagnostic("--rename", f"{where} defines '{old}' several times; rename each by hand")
            )
        if would_hide(function.module, old, new):
            message = (
                f"{display(function.module.path)} uses '{new}' for something else in a function that uses "
                f"{old}(); rename that first"
            )
            problems.append(Diagnostic("--rename", message))
        if state.function(module, new) is not None and (module, new) not in renames:
            where = display(state.sources.path(module))
            problems.append(
                Diagnostic("--rename", f"{where} has a function '{new}' already; {old}() would hide it")
            )
    if problems:
        raise SetupError(problems)
    return renames


def _python_name(word: str) -> str:
    return word if word.isidentifier() else slug(word)


def _places(state: State, old: str, module: str) -> list[str]:
    """Return the modules that define a function; only the operation's own if that does."""
    found = [
        name
        for name, one in state.sources.operation_modules()
        if isinstance(one.bindings.get(_python_name(old)), Function)
    ]
    return [module] if module in found else found
