"""`relay drift`: whether contract, handlers and generated types are still one."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from .findings import conclude, format_option
from .options import chosen, handlers_option, spec_option
from .output import setup_errors, tools_installed


@click.command(epilog="Example: relay drift --spec api.yaml --handlers shop")
@spec_option
@handlers_option
@format_option
def drift(*, spec: Path | None, handlers: str | None, form: str) -> None:
    """Tell where contract, handlers and types disagree.

    The package is read, never imported. What is told: operations without a handler and handlers without
    an operation, arguments and annotations that are not the contract's, types that are out of date, and
    failures that the contract does not document as they would be answered. Exit code 1 when it is any.
    """
    gc.disable()  # what is read is kept to the end; collecting among it doubles the time of a run
    with setup_errors(), tools_installed():
        from handlers._host.contract import load_contract
        from handlers._host.problems import Problem, SetupError

        from .scaffolding.checking import check
        from .scaffolding.generated import generate_types
        from .scaffolding.sources import read_sources
        from .scaffolding.state import State

        path, package = chosen(spec, handlers)
        sources = read_sources(package)
        if not sources.folder.is_dir():
            message = f"there is no package '{package}' here; `relay regenerate` makes it"
            raise SetupError([Problem("RELAY_HANDLERS", message)])
        contract = load_contract(path)
        state = State(contract, sources, generate_types(contract), path)
        findings = check(state)
    if not findings and form == "text":
        count = len(contract.operations)
        click.echo(f"relay drift: {count} operation{'s' * (count != 1)}, handlers and types agree")
    else:
        conclude("drift", findings, form)
