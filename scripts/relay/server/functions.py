"""What Relay needs to know of a function of a project: the arguments that it names and requires, and where it is."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args

from relay.contract.diagnostics import SourceLocation
from relay.contract.documents import display
from relay.validation.uploads import Upload

from .threads import Function

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def required_names(function: Function) -> list[str]:
    """Return the parameters without a default."""
    return [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in VARIADIC
    ]


CONTEXT_ARGUMENTS = frozenset({"user", "token_info", "context_"})
"""What Connexion knows of a request; a function gets it if it names it, and nothing else has the name."""


def named_arguments(function: Function) -> frozenset[str]:
    """Return the parameters that a function names."""
    parameters = inspect.signature(function).parameters.values()
    return frozenset(one.name for one in parameters if one.kind not in VARIADIC)


def code_place(function: Function) -> SourceLocation | str:
    """Return the source location of a function; its name if it has no code object."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__qualname__", repr(function))
    return SourceLocation(display(Path(code.co_filename)), code.co_firstlineno, 1)


def takes_upload(function: Function) -> bool:
    """Return True if the annotation of `body` names relay.Upload: the class, its name in a string, or a union with it."""
    body = inspect.signature(function).parameters.get("body")
    annotation = None if body is None else body.annotation
    if isinstance(annotation, str):
        return re.search(r"\bUpload\b", annotation) is not None
    return annotation is Upload or Upload in get_args(annotation)
