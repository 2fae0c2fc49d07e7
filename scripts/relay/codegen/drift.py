"""Find all differences between contract, handlers and generated types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, SourceLocation
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.project.module_source import Function, raised_recursion_limit
from relay.project.package_source import TYPES, read_sources
from relay.project.syntax import dotted
from relay.server.functions import missing_handler_message

from .handler_lookup import Named, Unread, is_plain
from .missing_hooks import missing_renderer
from .named_handlers import named_findings, names_any_module, served_note
from .package_state import State
from .raised_errors import undocumented_errors
from .signature_diff import Comparison, collaborator_names
from .types_module import first_difference, generate_types

RUN = "run `relay regenerate`"


@raised_recursion_limit()
def check(state: State) -> list[Diagnostic]:
    """Return all differences between contract, handlers and types, and notes on what cannot be read."""
    return [
        *_modules(state),
        *_operations(state),
        *served_note(
            sum(isinstance(one, Named) for one in state.handlers.by_operation.values()), state.contract
        ),
        *_stale(state),
        *_signatures(state),
        *_types(state),
        *_unknown_types(state),
        *undocumented_errors(state.handlers),
        *filter(None, [missing_renderer(state.handlers)]),
    ]


def comparisons(state: State) -> Iterator[tuple[Comparison, Function]]:
    """Yield each handler that can be read, with its comparison."""
    collaborators = collaborator_names(state.sources)
    package, classes = state.sources.package, state.types.classes
    for operation in state.contract.operations:
        handler = state.handlers.of(operation)
        if isinstance(handler, Function):
            known = state.known(operation)
            given = frozenset(known.arguments if known else ())
            wanted = state.signatures[operation.id]
            yield Comparison(operation, wanted, package, classes, collaborators, given), handler


def _modules(state: State) -> Iterator[Diagnostic]:
    for name in ["", *(name for name, _ in state.sources.operation_modules())]:
        module = state.sources.module(name)
        if module is not None and module.fault is not None:
            place, what = module.fault
            yield Diagnostic(place, f"{what}; nothing in it was compared or changed", "unreadable-module")


def _operations(state: State) -> Iterator[Diagnostic]:
    renamed = {operation.id: key for key, operation in state.renamed.items()}
    missing = {operation.id for operation in state.handlers.missing()}
    for operation in state.contract.operations:
        where = _where(state, operation)
        handler = state.handlers.of(operation)
        if operation.id in renamed:
            module, old = renamed[operation.id]
            function = state.function(module, old)
            assert function is not None  # it was found to be renamed
            message = (
                f"the handler of {operation} is now called {operation.function}: rename {old}(), or {RUN}"
            )
            yield Diagnostic(function.place, message, "renamed-handler", other=where)
        elif operation.id in state.moved:
            _, function = state.moved[operation.id]
            target = display(state.sources.path(operation.module))
            message = f"move {function.name}() to {target}: the tag of {operation} names that module"
            yield Diagnostic(function.place, message, "moved-handler", other=where)
        elif operation.id in missing:
            yield _missing(state, operation)
        elif isinstance(handler, Unread):
            place = handler.module.place(handler.node) if handler.node else handler.module.end
            message = (
                f"the signature of {operation.function}(), the handler of {operation}, "
                "cannot be read from source; it was not compared"
            )
            yield Diagnostic(place, message, "unread-handler", Severity.INFO, where)


def _where(state: State, operation: Operation) -> SourceLocation:
    return state.contract.place(operation.pointer)


def _missing(state: State, operation: Operation) -> Diagnostic:
    path = state.sources.path(operation.module)
    module = state.sources.module(operation.module)
    message = missing_handler_message(operation, display(path))
    old, former = state.likely_handler(operation), state.former(operation)
    if state.is_unbound(operation):
        message += ": the module has that name in its source, but not after import"
    elif former is not None:
        file = display(state.sources.path(former.module))
        message += f"; its old name is {former.name} in {file}: rename it there by hand"
    elif old is None:
        message += f", or {RUN}, which writes a stub"
    else:
        message += (
            f"; if {old}() is its old name, run `relay regenerate --rename {old}={operation.function}`, "
            f"else write {operation.function}() next to it"
        )
    place = module.end if module else display(path)
    return Diagnostic(place, message, "missing-handler", other=_where(state, operation))


def _stale(state: State) -> Iterator[Diagnostic]:
    moved = {function.node for _, function in state.moved.values()}
    formers = map(state.former, state.handlers.missing())
    former = {(known.module, known.name) for known in formers if known is not None}
    served = {(known.module, known.name): key for key, known in (state.record or {}).items()}
    left_out = state.contract.left_out
    for module, function in state.handlers.stale:
        key, name = (module, function.name), f"{function.name}()"
        if key in state.renamed or key in former or function.node in moved:
            continue
        if key not in served:
            message = f"{name} serves no operation; as a helper, its name may start with '_'"
            yield Diagnostic(function.place, message, "helper", Severity.INFO)
            continue
        method, path = served[key]
        was = f"{method.upper()} {path}"
        if any(one.path == path and one.method in ("", method) for one in left_out):
            message = f"{name} is not served: {was} has an error, which `relay lint` shows"
            yield Diagnostic(function.place, message, "not-served", Severity.INFO)
        else:
            message = f"{name} serves no operation any more ({was} was removed): delete it, or start its name with '_'"
            yield Diagnostic(function.place, message, "stale-handler")


def _signatures(state: State) -> Iterator[Diagnostic]:
    for comparison, function in comparisons(state):
        where = _where(state, comparison.operation)
        plain = is_plain(state.sources, function)
        if not plain:
            message = (
                f"the decorators of {function.name}(), the handler of {comparison.operation}, may change "
                "its signature; the signature in source was compared"
            )
            yield Diagnostic(function.place, message, "unread-handler", Severity.INFO, where)
        for difference in comparison.differences(function):
            severity = Severity.ERROR if difference.is_certain and plain else Severity.INFO
            place = function.module.place(difference.node)
            several = f"; {function.name}() is defined several times: change each" * function.is_repeated
            yield Diagnostic(place, difference.message + several, difference.rule, severity, where)


def _unknown_types(state: State) -> Iterator[Diagnostic]:
    whole = f"{state.sources.package}.{TYPES}"
    for name, path in state.sources.paths.items():
        if TYPES.encode() not in state.sources.files[path] or path == state.types_path:
            continue
        module = state.sources.module(name)
        assert module is not None  # it has a path
        for alias in module.imports_from(whole):
            if (wanted := dotted(alias.name)) not in state.types.classes:
                message = f"{wanted} is not a type of the contract: import another one, or remove the import"
                yield Diagnostic(module.place(alias), message, "unknown-type")


def _types(state: State) -> Iterator[Diagnostic]:
    file = display(state.types_path)
    if state.types_found is None:
        operations, named = state.contract.operations, state.handlers.named
        if any(one.id not in named and not isinstance(state.handlers.of(one), Named) for one in operations):
            yield Diagnostic(file, f"the contract's types are missing: {RUN}", "types-missing")
    elif not state.types_are_ours:
        message = "this file name is reserved for the generated types: rename your module"
        yield Diagnostic(SourceLocation(file, 1, 1), message, "types-not-generated")
    elif (line := first_difference(state.types_found, state.types_wanted)) is not None:
        message = f"the generated types do not match the contract: {RUN}"
        yield Diagnostic(SourceLocation(file, line, 1), message, "types-outdated")


def find_drift(path: Path, contract: Contract, package: str, root: Path) -> list[Diagnostic]:
    """Return where the contract that was read from `path` and a package disagree.

    `root` is searched for the package first. Raises SetupError for a package that cannot be read, or that does not
    exist though the contract names no module of the project.
    """
    sources = read_sources(package, root)
    if not sources.folder.is_dir():
        if names_any_module(contract, root, package):
            return named_findings(contract, root, package)
        message = f"there is no package '{package}' here; `relay regenerate` writes it"
        raise SetupError([Diagnostic("RELAY_HANDLERS", message)])
    return check(State(contract, sources, generate_types(contract), path))
