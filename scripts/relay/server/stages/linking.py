"""Links an operation's part of a stage to its part of the next one."""

from __future__ import annotations

from typing import Any

from relay.server.framework import RoutedAPI, RoutedMiddleware


def following(api: RoutedAPI[Any], operation_id: str) -> Any:
    """Return what an operation's part of `api` passes its requests to.

    If the next stage does nothing but look the operation up, this is the operation's part of it: the look-up
    takes half a microsecond. Inner stages are built before outer ones.
    """
    stage: Any = api.next_app
    if type(stage).__call__ is not RoutedMiddleware.__call__:
        return stage
    parts: RoutedAPI[Any] = stage.apis[api.base_path][-1]
    return parts.operations[operation_id]
