"""Follows JSON pointers of a contract, and describes them in messages: `request body.tags[]`."""

from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.contract.pointers import chain, found_at, target_of


def follow(contract: Contract, pointer: Pointer) -> tuple[Any, Pointer]:
    """Return the value at a pointer, {} if there is none, and its own pointer: each `$ref` on the path is resolved."""
    value: Any = contract.document
    at: Pointer = ()
    for token in pointer:
        value, at = found_at(value, (token,), {}), (*at, token)
        if target_of(value) is not None:
            at = chain(contract.document, at)[-1]
            value = found_at(contract.document, at, {})
    return value, at


def canonical(contract: Contract, pointer: Pointer) -> Pointer:
    """Return the pointer of the definition of the value at a pointer."""
    return follow(contract, pointer)[1]


def raw(contract: Contract, pointer: Pointer) -> Any:
    """Return the value at a pointer, with each `$ref` on the path resolved; {} if there is none."""
    return follow(contract, pointer)[0]


_WORDS = {
    "requestBody": "request",
    "responses": "{}",
    "headers": " header {}",
    "content": " body",
    "allOf": "",
    "schema": "",
    "properties": ".{}",
    "items": "[]",
    "additionalProperties": ".*",
    "anyOf": " anyOf/{}",
    "oneOf": " oneOf/{}",
    "itemSchema": "[]",
    "prefixItems": "[{}]",
    "unevaluatedItems": "[]",
    "unevaluatedProperties": ".*",
    "patternProperties": ".*",
    "contentSchema": "",
    "$defs": "/$defs/{}",
    "encoding": ".{}",
    "prefixEncoding": "[{}]",
    "itemEncoding": "[]",
}
_WITHOUT_NAME = frozenset(
    (
        "requestBody schema itemSchema items additionalProperties unevaluatedItems unevaluatedProperties "
        "contentSchema itemEncoding"
    ).split()
)


def described(contract: Contract, pointer: Pointer) -> tuple[str | None, str]:
    """Return the component that contains a value, and the path from there: `Pet`, `.tags[]`.

    In an operation the component is None, and the path starts with the part of the message:
    `request body.tags[]`, `200 header X-Count`, `query parameter limit`.
    """
    match pointer:
        case ("components", _, name, *rest):
            return name, _path(rest)
        case (
            ("paths", _, "parameters", _, *rest)
            | ("paths", _, _, "parameters", _, *rest)
            | ("paths", _, "additionalOperations", _, "parameters", _, *rest)
        ):
            parameter = raw(contract, pointer[: len(pointer) - len(rest)])
            return None, f"{parameter['in']} parameter {parameter['name']}{_path(rest)}"
        case ("paths", _, "additionalOperations", _, *rest) | ("paths", _, _, *rest):
            return None, _path(rest)
    return None, ""


def _path(tokens: list[str]) -> str:
    words = ""
    while tokens and (word := _WORDS.get(tokens[0])) is not None:
        length = 1 if tokens[0] in _WITHOUT_NAME else 2
        if len(tokens) < length:
            break
        words += word.format(*tokens[1:length])
        tokens = tokens[length:]
    return words
