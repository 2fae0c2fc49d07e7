"""Warnings for what a project's code asks of Connexion in vain: Relay does not use its application object."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.contract.documents import display
from relay.contract.model import Contract
from relay.contract.parsed import IS_TEMPLATE, TEMPLATE

MAX_FILES = 200

_RESOLVERS = "resolvers are not used: give each operation its function as operationId, `module.function`"
_CALLS = {
    "FlaskApp": "FlaskApp is not used: Relay serves the contract itself, and Flask's `request` and `g` do not exist",
    "RestyResolver": _RESOLVERS,
    "MethodResolver": _RESOLVERS,
    "MethodViewResolver": _RESOLVERS,
    "RelativeResolver": _RESOLVERS,
    "add_middleware": "it is not called: export `middleware` from a handlers package",
    "add_error_handler": "it is not called: export `errors` or `render_error` from a handlers package",
    "add_url_rule": "it is not called: describe the path in the contract",
}
_OPTIONS = {
    "validator_map": "validators of one's own are not used: the contract's schemas are validated as they are",
    "security_map": "security handlers are not used: export `verifiers` from a handlers package",
    "jsonifier": "it is not used: return values that JSON has, or dates, UUIDs and decimals",
    "uri_parser_class": "it is not used: `style` and `explode` of each parameter say how it is read",
    "lifespan": "it is not run: export `collaborators` from a handlers package",
    "base_path": "it is not used: write it in `servers` of the contract",
    "auth_all_paths": "it is not used: a path that is not in the contract is a 404",
    "strict_validation": "it is not used: set RELAY_UNKNOWN_QUERY=refuse",
    "resolver_error": "it is not used: start with --missing stub",
}


def connexion_notes(folder: Path | None) -> list[Diagnostic]:
    """Return a warning for each kind of use of Connexion that has no effect; looks into the modules of one folder."""
    found: dict[str, Diagnostic] = {}
    for file in sorted(folder.glob("*.py"))[:MAX_FILES] if folder else ():
        for line, message in _uses(file):
            place = SourceLocation(display(file), line, 1)
            found.setdefault(message, Diagnostic(place, message, "not-carried-over", Severity.WARNING))
    return [*found.values()]


def template_notes(contract: Contract) -> Iterator[Diagnostic]:
    """Yield a warning for the first text that a template would fill, in the title or the servers of a contract."""
    info = ((("info", name), value) for name, value in contract.document["info"].items())
    servers = contract.document.get("servers") or []
    urls = ((("servers", str(at), "url"), one["url"]) for at, one in enumerate(servers))
    for pointer, value in (*info, *urls):
        if pointer[-1] != "description" and isinstance(value, str) and TEMPLATE.search(value):
            yield contract.warning(pointer, IS_TEMPLATE, "not-carried-over")
            return


def _uses(file: Path) -> Iterator[tuple[int, str]]:
    try:
        nodes = [*ast.walk(ast.parse(file.read_bytes()))]
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if any(_imports_connexion(node) for node in nodes):
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        for node in calls:
            yield from _use(node)
        added = [node for node in calls if _name(node) == "add_api"]
        if len({ast.unparse(node.args[0]) for node in added if node.args}) > 1:
            message = "add_api: a process serves one contract; start another process for the other one"
            yield added[1].lineno, message


def _imports_connexion(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=aliases):
            names = [alias.name for alias in aliases]
        case ast.ImportFrom(module=str(module), level=0):
            names = [module]
        case _:
            names = []
    return any(name.partition(".")[0] == "connexion" for name in names)


def _use(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = "FlaskApp" if ast.unparse(node.func) == "connexion.App" else _name(node)
    if name in _CALLS:
        reason = _CALLS[name]
        yield node.lineno, reason if reason.startswith(name) else f"{name}: {reason}"
    if name in ("add_api", "AsyncApp", "FlaskApp", "ConnexionMiddleware"):
        for option in node.keywords:
            is_off = isinstance(option.value, ast.Constant) and option.value.value in (False, None)
            if option.arg in _OPTIONS and not is_off:
                yield option.value.lineno, f"{option.arg}=: {_OPTIONS[option.arg]}"


def _name(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
