"""The compiled validators of documented responses."""

from __future__ import annotations

from typing import NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Response, Schema
from relay.validation import media_types as media
from relay.validation.binary_schemas import describes_text
from relay.validation.item_compiling import item_content
from relay.validation.item_content import ItemContent, PartContent
from relay.validation.results import HeaderDecoder
from relay.validation.schemas import SchemaCompiler
from relay.validation.validators import Validator

from .exchanges import Exchange


class Content(NamedTuple):
    """A documented media type; `describes_text` is False for a schema that no text conforms to.

    `items` is set for a list of items.
    """

    validator: Validator | None
    describes_text: bool
    items: ItemContent | PartContent | None = None

    @classmethod
    def of(cls, schema: Schema, pointer: Pointer, contract: Contract, compiler: SchemaCompiler) -> Content:
        """Compile the schema of a response at a pointer."""
        return cls(compiler.compile(schema, "response", pointer), describes_text(schema, contract))

    def judges(self, content_type: str) -> bool:
        """Return True for JSON, and for text unless the schema describes what the text stands for, such as rows."""
        name = media.essence(content_type)
        return (
            self.items is not None
            or media.is_json(name)
            or (name.startswith("text/") and self.describes_text)
        )


class ResponseValidators:
    """The compiled validators of one documented response."""

    def __init__(self, response: Response, contract: Contract, compiler: SchemaCompiler) -> None:
        self.pointer = response.pointer
        self.headers = HeaderDecoder(response, compiler)
        self.content = media.by_name(
            {
                name: Content.of(schema, (*response.pointer, "content", name), contract, compiler)._replace(
                    items=item_content(response, name, compiler)
                )
                for name, schema in response.content.items()
            }
        )

    def find(self, exchange: Exchange) -> Content | None:
        """Return the documented media type of an exchange."""
        return media.find(exchange.header("content-type") or "", self.content)
