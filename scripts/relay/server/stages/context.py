"""The stage that makes `connexion.request` and `connexion.context` work in handlers."""

from __future__ import annotations

from typing import Any

from relay.server.framework import ContextAPI, ContextMiddleware, ContextOperation

from .linking import following


class _ContextAPI(ContextAPI):
    def make_operation(self, operation: Any) -> ContextOperation:
        """Return Connexion's own part of the stage, linked to the handler."""
        return ContextOperation(following(self, operation.operation_id), operation=operation)


class Context(ContextMiddleware):
    """Connexion's stage."""

    api_cls = _ContextAPI
