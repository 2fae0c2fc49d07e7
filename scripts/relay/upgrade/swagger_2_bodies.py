"""Swagger 2.0 → OpenAPI 3.0: bodies and forms become request bodies, types of parameters schemas, formats of lists styles."""

from typing import Any, NamedTuple

import jsonschema_rs

from relay.importer.text_tree import Entry, Map, Seq, copied, plain
from relay.validation.media_types import OCTETS

from .findings import Findings

JSON = "application/json"  # the media type where a document names none
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_OF_STRINGS = ("type", "format", "minLength", "pattern", "enum")
_TYPE_WORDS = frozenset(
    "type format items default maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern "
    "maxItems minItems uniqueItems enum multipleOf x-nullable".split()
)
"""Fields that a parameter or header has itself in 2.0, and its schema from 3.0 on."""

Part = tuple[Map, Map, Entry | None]
"""A parameter that is in the body, what its `$ref` leads to, and its text."""


class Style(NamedTuple):
    """How a list is written; None is the default of its place."""

    style: str | None = None
    explode: bool | None = None


_STYLES = {
    "query": {
        "csv": Style(None, explode=False),
        "multi": Style(),
        "ssv": Style("spaceDelimited"),
        "pipes": Style("pipeDelimited"),
    },
    "formData": {
        "csv": Style("form", explode=False),
        "multi": Style(),
        "ssv": Style("spaceDelimited", explode=False),
        "pipes": Style("pipeDelimited", explode=False),
    },
    "path": {"csv": Style()},
    "header": {"csv": Style()},
}
"""The styles of lists by `in` and `collectionFormat`."""


def schema_words(schema: Map) -> None:
    """Replace the words of a schema that 3.0 has under another name."""
    if "nullable" not in schema and isinstance(schema.get("x-nullable"), bool):
        schema.rename("x-nullable", "nullable")


def move_type(value: Map) -> None:
    """Move the type of a parameter or header into a schema, if it has none."""
    schema = value.gather(_TYPE_WORDS, "schema") if "schema" not in value else None
    if schema is not None:
        schema_words(schema)


def style_of(value: Map, where: str, findings: Findings) -> Style:
    """Return the style of a list, and remove its `collectionFormat`; what has no equal is reported."""
    written = value.get("collectionFormat")
    style = Style()
    if value.get("type") == "array":
        styles = _STYLES.get(where, {})
        name = written if isinstance(written, str) else "csv"
        if name not in styles:
            message = f"`collectionFormat: {name}` has no equal here, and the list is comma-separated now; change the clients, or take a string"
            findings.report("no-equal", value, "collectionFormat", message)
        style = styles.get(name) or styles.get("csv", style)
    items = value.get("items")
    while isinstance(items, Map):  # styles know nothing of lists in lists
        if items.get("type") == "array":
            message = "a list in a list has no style; take a string, and describe its syntax with `pattern`"
            findings.report("no-equal", items, "type", message)
        items.drop("collectionFormat")
        schema_words(items)
        items = items.get("items")
    value.drop("collectionFormat")
    return style


def media_types(written: Any) -> list[str]:
    """Return the media types of a list; none if it is no list."""
    return [one for one in written if isinstance(one, str)] if isinstance(written, list) else []


class Bodies:
    """Makes request bodies."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.shared: dict[int, Entry] = {}  # the text of each shared parameter, by the id of its object
        self.in_forms: set[int] = set()
        """The shared parameters that a form has as a field with its comments, for which flow style has no lines."""

    def body(self, parameter: Map, consumes: list[str]) -> None:
        """Make a request body of a parameter that is the body."""
        parameter.drop("in")
        if parameter.get("name") == "body":
            parameter.drop("name")
        elif "name" in parameter:
            parameter.rename("name", "x-body-name")
        if parameter.get("schema") is None:
            parameter["schema"] = Map(is_flow=True)
        _distribute(parameter, consumes or [JSON])

    def form(self, operation: Map, fields: list[Part], consumes: list[str]) -> Map:
        """Make a request body of the fields of a form."""
        has_file = any(target.get("type") == "file" for _, target, _ in fields)
        is_flow = operation.is_flow
        body, content, schema, properties, encoding = (Map(is_flow=is_flow) for _ in range(5))
        required = Seq(is_flow=is_flow)
        for holder, target, entry in fields:
            is_shared = holder is not target
            field = copied(target) if is_shared else target
            name = str(field.get("name", ""))
            if field.get("required") is True:
                required.add(name)
            self._field(field, name, encoding)
            if is_shared:
                properties.keep(entry, name)
                if not is_flow:
                    properties.keep(self.shared.get(id(target)), name, is_empty=True)
                    self.in_forms.add(id(target))
            properties.put(name, field, None if is_shared else entry)
        schema["type"] = "object"
        if required:
            schema["required"] = required
            body["required"] = True
        schema["properties"] = properties
        types = [one for one in consumes if one in (_FORM, _MULTIPART)]
        for number, name in enumerate(types or [_MULTIPART if has_file else _FORM]):
            content[name] = Map({"schema": copied(schema) if number else schema}, is_flow=is_flow)
            if encoding:
                content[name]["encoding"] = copied(encoding)
        body["content"] = content
        return body

    def _field(self, field: Map, name: str, encoding: Map) -> None:
        """Make a property of a field; how a list is written goes to the encoding."""
        style = style_of(field, "formData", self._findings)
        for key in ("in", "name", "required"):
            field.drop(key)
        if field.get("allowEmptyValue") is True and not _takes_empty(field):
            message = "a field of a form cannot be empty unless its schema accepts an empty string; take such a string, or leave it out"
            self._findings.report("no-equal", field, "allowEmptyValue", message)
        field.drop("allowEmptyValue")
        _as_binary(field)
        schema_words(field)
        if style.style is not None:
            encoding[name] = Map(style._asdict(), is_flow=encoding.is_flow)


def _takes_empty(field: Map) -> bool:
    """Return True for a file, and for a field whose schema accepts an empty string."""
    if field.get("type") == "file":
        return True
    schema = {key: plain(field[key]) for key in _OF_STRINGS if key in field}
    try:
        return bool(jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(""))
    except ValueError:  # a keyword that is wrong, and is ignored where the contract is served
        return bool(field.get("type", "string") == "string")


def _as_binary(schema: Map) -> None:
    """Make a schema of bytes of one with `type: file`."""
    if schema.get("type") == "file":
        schema["type"] = "string"
        schema.drop("format")
        schema.put("format", "binary", before=schema.following("type"))


def with_content(response: Map, produces: list[str]) -> None:
    """Move the schema and the examples of a response into its content."""
    schema = response.get("schema")
    if isinstance(schema, Map) and schema.get("type") == "file":
        _as_binary(schema)
        produces = [OCTETS] if produces == [JSON] else produces
    examples = response.get("examples")
    examples = examples if isinstance(examples, Map) else Map()
    if schema is not None or examples:
        types = [*produces] if schema is not None else []
        types += [name for name in examples if name not in types and not name.startswith("x-")]
        content = _distribute(response, types)
        for name in types:
            examples.move(name, content[name], "example")
    if not examples:
        response.drop("examples", is_empty=True)


def _distribute(owner: Map, types: list[str]) -> Map:
    """Move the schema of an object into a Media Type Object for each media type, at its place, or that of its examples."""
    content = Map({name: Map(is_flow=owner.is_flow) for name in types}, is_flow=owner.is_flow)
    has_schema = owner.get("schema") is not None
    owner.put("content", content, before="schema" if has_schema else "examples")
    if has_schema:
        schema, entry = owner.take("schema")
        for number, name in enumerate(types):
            content[name].put("schema", copied(schema) if number else schema, entry)
    return content
