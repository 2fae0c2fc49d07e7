"""One difference between a handler and its contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.project.module_source import Argument

from .annotations import Type
from .expected_signature import ExpectedArgument

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between a handler's signature and the contract.

    `argument` is the handler's, `wanted` the contract's, where there is one; `type` is the annotation that
    resolves it. `is_certain` is False if the source alone does not show whether this is an error.
    """

    rule: str
    message: str
    node: cst.CSTNode
    argument: Argument | None = None
    wanted: ExpectedArgument | None = None
    type: Type | None = None
    is_certain: bool = True
