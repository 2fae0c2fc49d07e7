"""Bodies that cannot be validated: XML, and others whose schema describes what the text or the bytes stand for.

OpenAPI 3.0 has no rule by which CSV becomes a list, or a picture an object; its `xml` keywords describe XML only
in part. Such bodies are handed over as they are, and the contract gets a warning.
"""

from __future__ import annotations

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from . import media_types as media
from .coercion import properties_of, stated_types_of
from .schemas import SchemaCompiler

RULE = "unvalidated-body"


def describes_text(schema: Schema, contract: Contract) -> bool:
    """Return True if a text may conform to a schema: it allows strings, or says nothing of types and properties."""
    types = stated_types_of(schema, contract)
    return "string" in types or (types <= {"null"} and not properties_of(schema, contract))


def is_validated(media_type: str, schema: Schema, contract: Contract) -> bool:
    """Return True if bodies of a media type can be validated, or their schema says nothing about them."""
    return media.is_json(media_type) or media.is_form(media_type) or describes_text(schema, contract)


def warn_unvalidated(media_type: str, contract: Contract, compiler: SchemaCompiler, pointer: Pointer) -> None:
    """Add the warning that a body is not validated, once for those that operations share."""
    key = (RULE, *contract.follow(pointer)[1])
    if key in compiler.memo:
        return
    compiler.memo[key] = True
    which = " that are neither JSON nor forms" if media.is_range(media_type) else ""
    message = f"bodies of {media_type}{which} are not validated against their schema; the handler gets and sends them as they are"
    compiler.problems.append(contract.warning(pointer, message, RULE))
