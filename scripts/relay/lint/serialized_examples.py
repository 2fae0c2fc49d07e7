"""Finds what reads the texts of examples (`serializedValue`, OpenAPI 3.2) of a part of a contract."""

from __future__ import annotations

from relay.contract.model import Contract
from relay.validation.query_strings import ReadText, body_reader, parameter_reader
from relay.validation.schemas import SchemaCompiler

from .schema_sites import Node


def text_reader(node: Node, contract: Contract, compiler: SchemaCompiler) -> ReadText | None:
    """Return what reads the texts of examples of a parameter, a header or a media type; None if nothing does.

    That is so for the content of a parameter that is not a whole query, too.
    """
    if node.kind == "parameter":
        return parameter_reader(contract.parameter(node.pointer), contract, compiler)
    if not node.is_in_parameter:
        return body_reader(node.media_type or "", node.value, contract, compiler)
    if node.used_at[-4:-3] != ("parameters",):
        return None
    parameter = contract.parameter(node.used_at[:-2])
    return parameter_reader(parameter, contract, compiler) if parameter.location == "querystring" else None
