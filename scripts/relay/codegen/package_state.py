"""Contract, package and types side by side, and what the record of the last run says of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from relay.contract.model import Contract, Operation
from relay.project.module_source import Function
from relay.project.package_source import TYPES, Sources
from relay.server.binding import function_name, slug

from .expected_signature import Signature, signature
from .handler_lookup import Handlers
from .renames import would_hide
from .types_module import MARK, Known, Record, Types, read_record, render, spec_seen_from


@dataclass(frozen=True)
class State:
    """What there is to compare; `spec` is where the contract stands.

    `done` are the renames that the record, as it is written, does not know yet.
    """

    contract: Contract
    sources: Sources
    types: Types
    spec: Path
    done: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @cached_property
    def handlers(self) -> Handlers:
        """What serves each operation."""
        return Handlers(self.contract, self.sources)

    @cached_property
    def types_path(self) -> Path:
        """Where the generated types are."""
        return self.sources.path(TYPES)

    @cached_property
    def types_found(self) -> str | None:
        """The generated types as they are; None where there are none."""
        source = self.sources.files.get(self.types_path)
        return None if source is None else source.decode("utf-8", "replace")

    @property
    def types_are_ours(self) -> bool:
        """Whether the file of the generated types is one, and not a person's of that name."""
        return not (self.types_found or "").strip() or (self.types_found or "").startswith(MARK)

    @cached_property
    def types_wanted(self) -> str:
        """The generated types as they should be."""
        return render(self.types, self._wanted_record(), spec_seen_from(self.sources.root, self.spec))

    @cached_property
    def record(self) -> Record | None:
        """The operations as they were when the types were generated."""
        found = None if self.types_found is None else read_record(self.types_found)
        return found and {
            key: replace(known, name=self.done.get((known.module, known.name), known.name))
            for key, known in found.items()
        }

    def known(self, operation: Operation) -> Known | None:
        """Return what the record says of an operation."""
        return (self.record or {}).get((operation.method, operation.path))

    @cached_property
    def signatures(self) -> Mapping[str, Signature]:
        """What the contract wants of each handler, by operation id."""
        return {
            operation.id: signature(operation, self.contract, self.types.names)
            for operation in self.contract.operations
        }

    def changed(self, changes: Mapping[Path, bytes]) -> State:
        """Return the state as it would be after some changes of files."""
        return replace(self, sources=self.sources.changed(changes))

    @cached_property
    def renamed(self) -> dict[tuple[str, str], Operation]:
        """The handlers, by module and name, whose operation has another name now than in the record."""
        found = {
            (known.module, known.name): operation
            for operation in self.contract.operations
            if (known := self.known(operation)) is not None
            and known.name != function_name(operation)
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
        """Whether a module means something else by an operation's new name already, and goes on to."""
        name = function_name(operation)
        source = self.sources.module(module)
        assert source is not None  # it has the handler
        return (name in source.bindings and (module, name) not in renamed) or would_hide(source, old, name)

    def function(self, module: str, name: str) -> Function | None:
        """Return a function that a module of the package defines itself."""
        source = self.sources.module(module)
        bound = source.bindings.get(name) if source is not None else None
        return bound if isinstance(bound, Function) else None

    @cached_property
    def moved(self) -> dict[str, tuple[str, Function]]:
        """The functions that would serve an operation, by its id, if their module were that of its tag."""
        by_name: dict[str, list[tuple[str, Function]]] = {}
        for module, function in self.handlers.stale:
            by_name.setdefault(function.name, []).append((module, function))
        return {
            operation.id: functions[0]
            for operation in self.handlers.missing()
            if len(functions := by_name.get(function_name(operation), [])) == 1
        }

    def likely(self, operation: Operation) -> str | None:
        """Return the function that may be an operation's handler under an old name.

        Where the record knows nothing of the two, nobody but a person can tell.
        """
        if self.known(operation) is not None:
            return None
        module = slug(operation.tag)
        explained = {(known.module, known.name) for known in (self.record or {}).values()}
        names = [
            function.name
            for name, function in self.handlers.stale
            if name == module and (name, function.name) not in explained
        ]
        near = difflib.get_close_matches(function_name(operation), names, n=1, cutoff=0.0)
        return near[0] if near else None

    def former(self, operation: Operation) -> Known | None:
        """Return what a missing operation was bound to under another name, if that is still there."""
        known = self.known(operation)
        if known is None or known.name == function_name(operation):
            return None
        source = self.sources.module(known.module)
        is_served = any(
            (slug(one.tag), function_name(one)) == (known.module, known.name)
            for one in self.contract.operations
        )
        return None if source is None or known.name not in source.bindings or is_served else known

    def new(self) -> Iterator[Operation]:
        """Give the operations that a stub is to be written for."""
        renamed = {operation.id for operation in self.renamed.values()}
        for operation in self.handlers.missing():
            is_old = operation.id in renamed or operation.id in self.moved or self.is_unbound(operation)
            if not is_old and self.likely(operation) is None and self.former(operation) is None:
                yield operation

    def is_unbound(self, operation: Operation) -> bool:
        """Whether an operation's module has its name in its source, and has it no more once it has run."""
        module = self.sources.module(slug(operation.tag))
        return module is not None and function_name(operation) in module.bindings.keys() - module.running

    def _wanted_record(self) -> Record:
        """Return the record to write: each operation that has its handler; of the others what was known."""
        wanted: Record = {}
        for operation in self.contract.operations:
            known = self.known(operation)
            handler = self.handlers.of(operation)
            key = operation.method, operation.path
            if handler is not None:
                arguments = dict.fromkeys(one.name for one in self.signatures[operation.id].arguments)
                if isinstance(handler, Function) and known is not None:  # those that a person has to remove
                    own = {argument.name for argument in handler.arguments}
                    arguments |= dict.fromkeys(name for name in known.arguments if name in own)
                wanted[key] = Known(slug(operation.tag), function_name(operation), tuple(arguments))
            elif operation.id in self.moved:
                module, function = self.moved[operation.id]
                wanted[key] = Known(module, function.name, known.arguments if known else ())
            elif known is not None:
                wanted[key] = known
        stale = {(module, function.name) for module, function in self.handlers.stale}
        for key, known in (self.record or {}).items():
            if (known.module, known.name) in stale:
                wanted.setdefault(key, known)
        return wanted
