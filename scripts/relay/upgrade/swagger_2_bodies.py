"""Swagger 2.0 → OpenAPI 3.0: bodies and fields of forms become request bodies, schemas of responses their content."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from .findings import Findings
from .swagger_2_types import schema_words, style_of
from .tree import Entry, Map, Seq, copied, plain

JSON = "application/json"
"""The media type where a document names none."""

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_OCTETS = "application/octet-stream"
_OF_STRINGS = ("type", "format", "minLength", "pattern", "enum")


def media_types(written: Any) -> list[str]:
    """Return the media types of a list; none if it is no list."""
    return [one for one in written if isinstance(one, str)] if isinstance(written, list) else []


class Bodies:
    """Makes request bodies."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.shared: dict[int, Entry] = {}
        """The text of each shared parameter, by the id of its object."""

        self.in_forms: set[int] = set()
        """The shared parameters that a form has as a field with its comments, for which flow style has no lines."""

    def body(self, parameter: Map, consumes: list[str]) -> None:
        """Make a request body of a parameter that is the body."""
        parameter.drop("in")
        if parameter.get("name") == "body":
            parameter.drop("name")
        elif "name" in parameter:
            parameter.rename("name", "x-body-name")
        schema = parameter.get("schema")
        if schema is None:
            schema = Map(is_flow=True)
            parameter["schema"] = schema
        _distribute(parameter, consumes or [JSON])

    def form(self, operation: Map, fields: list[tuple[Map, Map, Entry | None]], consumes: list[str]) -> Map:
        """Make a request body of the fields of a form."""
        has_file = any(target.get("type") == "file" for _, target, _ in fields)
        types = [one for one in consumes if one in (FORM, MULTIPART)]
        is_flow = operation.is_flow
        schema = Map({"type": "object"}, is_flow=is_flow)
        properties, encoding = Map(is_flow=is_flow), Map(is_flow=is_flow)
        required = Seq(is_flow=is_flow)
        for holder, target, entry in fields:
            field = copied(target) if holder is not target else target
            name = str(field.get("name", ""))
            if field.get("required") is True:
                required.add(name)
            self._field(field, name, encoding)
            if holder is not target:
                properties.keep(entry, name)
                if not is_flow:
                    properties.keep(self.shared.get(id(target)), name, is_empty=True)
                    self.in_forms.add(id(target))
            properties.put(name, field, entry if holder is target else None)
        if required:
            schema["required"] = required
        schema["properties"] = properties
        content = Map(is_flow=is_flow)
        for number, name in enumerate(types or [MULTIPART if has_file else FORM]):
            media = Map({"schema": copied(schema) if number else schema}, is_flow=is_flow)
            if encoding:
                media["encoding"] = copied(encoding)
            content[name] = media
        body = Map(is_flow=is_flow)
        if required:
            body["required"] = True
        body["content"] = content
        return body

    def _field(self, field: Map, name: str, encoding: Map) -> None:
        """Make a property of a field; how a list is written goes to the encoding."""
        style = style_of(field, "formData", self._findings)
        for key in ("in", "name", "required"):
            field.drop(key)
        if field.get("allowEmptyValue") is True and not _takes_empty(field):
            message = "a field of a form cannot be empty unless its schema accepts an empty string; take such a string, or leave it out"
            self._findings.no_equal(field, "allowEmptyValue", message)
        field.drop("allowEmptyValue")
        as_binary(field)
        schema_words(field)
        if style.style is not None:
            encoding[name] = Map({"style": style.style, "explode": style.explode}, is_flow=encoding.is_flow)


def _takes_empty(field: Map) -> bool:
    """Return True for a file, and for a field whose schema accepts an empty string."""
    if field.get("type") == "file":
        return True
    schema = {key: plain(field[key]) for key in _OF_STRINGS if key in field}
    try:
        return bool(jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(""))
    except ValueError:  # a keyword that is wrong, and is ignored where the contract is served
        return bool(field.get("type", "string") == "string")


def as_binary(schema: Map) -> None:
    """Make a schema of bytes of one with `type: file`."""
    if schema.get("type") == "file":
        schema["type"] = "string"
        after = list(schema)[list(schema).index("type") + 1 :]
        schema.drop("format")
        schema.put("format", "binary", before=next((key for key in after if key in schema), None))


def with_content(response: Map, produces: list[str]) -> None:
    """Move the schema and the examples of a response into its content."""
    schema = response.get("schema")
    if isinstance(schema, Map) and schema.get("type") == "file":
        as_binary(schema)
        produces = [_OCTETS] if produces == [JSON] else produces
    examples = response.get("examples")
    examples = examples if isinstance(examples, Map) else Map()
    if schema is None and not examples:
        response.drop("examples", is_empty=True)
        return
    types = [*produces] if schema is not None else []
    types += [name for name in examples if name not in types and not name.startswith("x-")]
    content = _distribute(response, types) if schema is not None else _empty_content(response, types)
    for name in types:
        if name in examples:
            examples.move(name, content[name], "example")
    if not examples:
        response.drop("examples", is_empty=True)


def _distribute(owner: Map, types: list[str]) -> Map:
    """Move the schema of an object into a Media Type Object for each media type, at its place."""
    content = Map(is_flow=owner.is_flow)
    owner.put("content", content, before="schema")
    schema, entry = owner.take("schema")
    for number, name in enumerate(types):
        media = Map(is_flow=owner.is_flow)
        media.put("schema", copied(schema) if number else schema, entry)
        content[name] = media
    return content


def _empty_content(owner: Map, types: list[str]) -> Map:
    content = Map({name: Map(is_flow=owner.is_flow) for name in types}, is_flow=owner.is_flow)
    owner.put("content", content, before="examples")
    return content
