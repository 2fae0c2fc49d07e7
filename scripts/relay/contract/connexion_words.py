"""The words of Connexion in a contract: the Python path of an operation's function, and the names of arguments.

Connexion finds the function of an operation by a dotted operationId, `api.pets.get_pet`, or by
`x-openapi-router-controller: api.pets` in front of the operationId. It names a parameter's argument as the
contract spells it, `petId`, or with `pythonic_params` in snake case; the body's is `x-body-name`, or `body`.
"""

from __future__ import annotations

import builtins
import keyword
import re

from .model import Contract, Operation
from .names import argument_word

CONTROLLER = "x-openapi-router-controller"
BODY_NAME = "x-body-name"


def python_path(operation: Operation, contract: Contract) -> str:
    """Return the dotted name of an operation's function as Connexion reads it: `api.pets.get_pet`; '' for none."""
    raw = contract.raw(operation)
    item = contract.resolve(contract.document["paths"][operation.path])
    controller = raw.get(CONTROLLER, item.get(CONTROLLER))
    name = raw.get("operationId")
    if not isinstance(name, str):
        return ""
    path = f"{controller}.{name}" if isinstance(controller, str) else name
    return path if is_python_path(path) else ""


def is_python_path(text: str) -> bool:
    """Return True for a module and a name in it, `module.name`."""
    parts = text.split(".")
    return len(parts) > 1 and all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)


def body_names(operation: Operation, contract: Contract) -> tuple[str, ...]:
    """Return the names that the body's argument may have: `x-body-name` of the body, or of a schema, and `body`."""
    raw = contract.resolve(contract.raw(operation).get("requestBody"))
    if not isinstance(raw, dict):
        return ()
    places = [raw, *(operation.body.content.values() if operation.body else ())]
    found = (sanitized(name) for one in places if isinstance(name := one.get(BODY_NAME), str))
    return tuple(dict.fromkeys([*filter(None, found), "body"]))


def spellings(name: str) -> tuple[str, ...]:
    """Return the names that Connexion may give to a parameter's argument, the default first."""
    snake = _underscored(name)
    shadowing = snake in vars(builtins) or keyword.iskeyword(snake)
    pythonic = sanitized(f"{snake}_" if shadowing else snake)
    return tuple(dict.fromkeys(filter(None, (sanitized(name), pythonic, argument_word(name)))))


def sanitized(name: str) -> str:
    """Return a name without the characters that no identifier has: `$top` → `top`, `filter[a]` → `filter_a`."""
    plain = re.sub(r"[^0-9a-zA-Z_]", "", re.sub(r"\[(?!\])", "_", name))
    return re.sub(r"^[^a-zA-Z_]+", "", plain)


def _underscored(name: str) -> str:
    """Return a name in snake case as Connexion's `pythonic_params` has it: `HTTPServer` → `http_server`."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).replace("-", "_").lower()
