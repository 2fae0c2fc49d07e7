"""JSON and YAML files read strictly, for commands that a handlers package adds: public names."""

from relay.contract.documents import Document, Pointer, read_document
from relay.validation.json_strict import NotJson, parse_json

__all__ = ["Document", "NotJson", "Pointer", "parse_json", "read_document"]
