"""Keys of the ASGI scope by which the stages of a request work together."""

from __future__ import annotations

from dataclasses import dataclass

ARGUMENTS = "relay.arguments"
"""The arguments of the handler by name, decoded from the request."""

BODY = "relay.body"
"""The part of the body that has been read; absent for an operation without one."""

CONNECTION = "relay.connection"
"""The `Connection` of the request; absent for another server than Relay's."""

PROGRESS = "relay.progress"
"""How far the response is, a `Progress`; copies of the scope share it."""

RESPONSE = "relay.response"
"""The operation's part of the stage that validates responses; absent before a request reaches it."""

REWRITTEN = "relay.rewritten"
"""The validator of a response that a middleware of the package may change."""


@dataclass(slots=True, eq=False)
class Connection:
    """The state of a connection, which does not refer to the connection, so that a request keeps none alive."""

    is_lost: bool = False


@dataclass(slots=True, eq=False)
class Progress:
    """The `status` of a response that has begun, and of the logged error that `failed` it; else 0."""

    status: int = 0
    failed: int = 0
    is_complete: bool = False
