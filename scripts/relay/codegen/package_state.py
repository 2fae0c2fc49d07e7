"""The state to compare: contract, package, generated types, and the record of the last run."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from relay.contract.model import Contract, Operation
from relay.project.module_source import Function
from relay.project.package_source import TYPES, Sources

from .argument_usage import would_hide
from .expected_signature import Signature, signature
from .handler_lookup import Handlers, Named
from .types_module import MARK, Record, RecordedOperation, Types, display_path, read_record, render


@dataclass(frozen=True)
class State:
    """The inputs of a comparison; `spec` is the contract's path.

    `applied_renames` maps (module, old name) to the new name, for renames that the record does not
    contain yet.
    """

    contract: Contract
    sources: Sources
    types: Types
    spec: Path
    applied_renames: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @cached_property
    def handlers(self) -> Handlers:
        """The handler of each operation."""
        return Handlers(self.contract, self.sources)

    @cached_property
    def types_path(self) -> Path:
        """The path of the generated types."""
        return self.sources.path(TYPES)

    @cached_property
    def types_found(self) -> str | None:
        """The current text of the generated types; None if there is no such file."""
        source = self.sources.files.get(self.types_path)
        return None if source is None else source.decode("utf-8", "replace")

    @property
    def types_are_ours(self) -> bool:
        """True if the types file is generated (or empty), and not a hand-written file of that name."""
        return not (self.types_found or "").strip() or (self.types_found or "").startswith(MARK)

    @cached_property
    def types_wanted(self) -> str:
        """The text that the generated types should have."""
        return render(self.types, self._wanted_record(), display_path(self.sources.root, self.spec))

    @cached_property
    def record(self) -> Record | None:
        """The operations as they were when the types were generated; None if there is no record."""
        found = None if self.types_found is None else read_record(self.types_found)
        return found and {
            key: known._replace(name=self.applied_renames.get((known.module, known.name), known.name))
            for key, known in found.items()
        }

    def known(self, operation: Operation) -> RecordedOperation | None:
        """Return the recorded entry of an operation."""
        return (self.record or {}).get((operation.method, operation.path))

    @cached_property
    def signatures(self) -> Mapping[str, Signature]:
        """The signature that the contract requires of each handler, by operation id."""
        return {
            operation.id: signature(operation, self.contract, self.types.names, self.types.headers)
            for operation in self.contract.operations
        }

    def changed(self, changes: Mapping[Path, bytes]) -> State:
        """Return the state after some file changes."""
        return replace(self, sources=self.sources.changed(changes))

    @cached_property
    def renamed(self) -> dict[tuple[str, str], Operation]:
        """The handlers, by module and name, whose operation has a new name since the record was written."""
        found = {
            (known.module, known.name): operation
            for operation in self.contract.operations
            if (known := self.known(operation)) is not None
            and known.name != operation.function
            and (function := self.function(known.module, known.name)) is not None
            and not function.is_repeated
        }
        while blocked := [key for key, operation in found.items() if self._is_taken(*key, operation, found)]:
            for key in blocked:
                del found[key]
        return found

    def _is_taken(
        self, module: str, old: str, operation: Operation, renamed: Mapping[tuple[str, str], Operation]
    ) -> bool:
        """Return True if a module uses an operation's new name for something else, also after the renames."""
        name = operation.function
        source = self.sources.module(module)
        assert source is not None  # it has the handler
        return (name in source.bindings and (module, name) not in renamed) or would_hide(source, old, name)

    def function(self, module: str, name: str) -> Function | None:
        """Return a function that a module of the package defines (not one that it imports)."""
        source = self.sources.module(module)
        bound = source.bindings.get(name) if source is not None else None
        return bound if isinstance(bound, Function) else None

    @cached_property
    def moved(self) -> dict[str, tuple[str, Function]]:
        """The functions that have an operation's name but are in another module than its tag, by operation id."""
        by_name: dict[str, list[tuple[str, Function]]] = {}
        for module, function in self.handlers.stale:
            by_name.setdefault(function.name, []).append((module, function))
        return {
            operation.id: functions[0]
            for operation in self.handlers.missing()
            if len(functions := by_name.get(operation.function, [])) == 1
        }

    def likely_handler(self, operation: Operation) -> str | None:
        """Return the function that may be an operation's handler under an old name.

        This is a guess, made only where the record contains neither of the two; a person has to confirm it.
        """
        if self.known(operation) is not None:
            return None
        explained = {(known.module, known.name) for known in (self.record or {}).values()}
        stale = [(module, function.name) for module, function in self.handlers.stale]
        names = [
            name for module, name in stale if module == operation.module and (module, name) not in explained
        ]
        # On the first run, any function may be the handler; later most are helpers.
        cutoff = 0.0 if self.record is None else 0.6
        return next(iter(difflib.get_close_matches(operation.function, names, n=1, cutoff=cutoff)), None)

    def former(self, operation: Operation) -> RecordedOperation | None:
        """Return the recorded handler of a missing operation, if it still exists under its old name."""
        known = self.known(operation)
        if known is None or known.name == operation.function:
            return None
        source = self.sources.module(known.module)
        serving = {(one.module, one.function) for one in self.contract.operations}
        is_there = source is not None and known.name in source.bindings
        return known if is_there and (known.module, known.name) not in serving else None

    def new(self) -> Iterator[Operation]:
        """Yield the operations that need a stub."""
        renamed = {operation.id for operation in self.renamed.values()}
        for operation in self.handlers.missing():
            is_old = operation.id in renamed or operation.id in self.moved or self.is_unbound(operation)
            if not is_old and self.likely_handler(operation) is None and self.former(operation) is None:
                yield operation

    def is_unbound(self, operation: Operation) -> bool:
        """Return True if an operation's module defines its name in source, but does not have it after import."""
        module = self.sources.module(operation.module)
        return module is not None and operation.function in module.bindings.keys() - module.running

    def _wanted_record(self) -> Record:
        """Return the record to write: each operation with a handler, and the old entries of the others."""
        wanted: Record = {}
        for operation in self.contract.operations:
            known = self.known(operation)
            handler = self.handlers.of(operation)
            key = operation.method, operation.path
            if handler is not None and not isinstance(handler, Named):
                arguments = dict.fromkeys(one.name for one in self.signatures[operation.id].arguments)
                if isinstance(handler, Function) and known is not None:  # a person has to remove these
                    own = {argument.name for argument in handler.arguments}
                    arguments |= dict.fromkeys(name for name in known.arguments if name in own)
                wanted[key] = RecordedOperation(operation.module, operation.function, tuple(arguments))
            elif operation.id in self.moved:
                module, function = self.moved[operation.id]
                wanted[key] = RecordedOperation(module, function.name, known.arguments if known else ())
            elif known is not None:
                wanted[key] = known
        stale = {(module, function.name) for module, function in self.handlers.stale}
        for key, known in (self.record or {}).items():
            if (known.module, known.name) in stale:
                wanted.setdefault(key, known)
        return wanted
