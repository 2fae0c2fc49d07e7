"""multipart/form-data bodies (RFC 7578) → fields; in memory, since the edge bounds a body."""

from __future__ import annotations

import io

from python_multipart.multipart import Field, File, parse_form


def decode_multipart(body: bytes, content_type: str) -> dict[str, list[str | bytes]]:
    """Return each field's values in order: text for fields, bytes for files.

    Raises ValueError for a body that is not what its Content-Type says, or text that is not UTF-8.
    """
    fields: dict[str, list[str | bytes]] = {}

    def on_field(field: Field) -> None:
        fields.setdefault(_name(field.field_name), []).append((field.value or b"").decode())

    def on_file(file: File) -> None:
        file.file_object.seek(0)
        fields.setdefault(_name(file.field_name), []).append(file.file_object.read())
        file.close()

    headers = {"Content-Type": content_type.encode("latin-1"), "Content-Length": str(len(body)).encode()}
    parse_form(headers, io.BytesIO(body), on_field, on_file)
    return fields


def _name(raw: bytes | None) -> str:
    if not raw:
        raise ValueError("a part without a name")
    return raw.decode()
