"""Compares request bodies, responses and their headers."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, RequestBody, Response
from relay.contract.schema_words import COMBINING
from relay.validation import media_types as media
from relay.validation.schemas import Direction

from .changes import Difference
from .form_files import FormFiles
from .header_diff import by_name, compare_headers
from .parameter_diff import schema_of
from .part_diff import compare_parts
from .pointer_names import canonical, raw
from .schema_diff import SchemaComparison

_SCHEMAS = ("schema", "itemSchema")


def compare_bodies(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Yield the differences of the request body."""
    old_at, new_at = (*old.pointer, "requestBody"), (*new.pointer, "requestBody")
    if old.body and new.body:
        yield from _both_bodies(old.body, new.body, schemas)
    elif old.body:
        yield Difference("request-body-removed", "the request body was removed", old_at, new_at, "old")
    elif new.body and new.body.required:
        yield Difference("request-body-required-added", "a required request body was added", old_at, new_at)
    elif new.body:
        yield Difference("request-body-added", "an optional request body was added", old_at, new_at)


def _both_bodies(old: RequestBody, new: RequestBody, schemas: SchemaComparison) -> Iterator[Difference]:
    old_at, new_at = canonical(schemas.old, old.pointer), canonical(schemas.new, new.pointer)
    if new.required and not old.required:
        yield Difference("request-body-became-required", "the request body is now required", old_at, new_at)
    if old.required and not new.required:
        yield Difference("request-body-became-optional", "the request body is now optional", old_at, new_at)
    yield from _contents(old_at, new_at, old, new, schemas, "request")


def compare_responses(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Yield the differences of each response; a status without its own is compared by its range or `default`."""
    pairs: dict[tuple[Pointer, Pointer], tuple[Response, Response]] = {}
    for status in dict.fromkeys([*old.responses, *new.responses]):
        before, after = _covering(old, status), _covering(new, status)
        old_at = (*old.pointer, "responses", status)
        new_at = (*new.pointer, "responses", status)
        kind = "success" if status.startswith("2") else "error"
        if before and after:
            pairs[canonical(schemas.old, before.pointer), canonical(schemas.new, after.pointer)] = (
                before,
                after,
            )
            yield from _compare_coverage(status, old, new, schemas)
        elif before:
            yield Difference(
                f"response-{kind}-removed", f"the status {status} was removed", old_at, new_at, "old"
            )
        else:
            yield Difference(f"response-{kind}-added", f"the status {status} was added", old_at, new_at)
    for (old_at, new_at), (before, after) in pairs.items():
        yield from _contents(old_at, new_at, before, after, schemas, "response")
        headers = by_name(before.headers), by_name(after.headers)
        yield from compare_headers(old_at, new_at, *headers, schemas)


def _compare_coverage(
    status: str, old: Operation, new: Operation, schemas: SchemaComparison
) -> Iterator[Difference]:
    """Report a status that gained or lost its own key, if its response differs from the one of the other key.

    A success status covered by a range is still a success; differences of its body are reported there.
    """
    before, after = _covering(old, status), _covering(new, status)
    if before is None or after is None or (status in old.responses) == (status in new.responses):
        return
    old_at, new_at = (*old.pointer, "responses", status), (*new.pointer, "responses", status)
    is_success = status.startswith("2")
    kind = "success" if is_success else "error"
    key = (after if status in old.responses else before).pointer[-1]
    if (is_success and key != "default") or _same(before, after, schemas):
        return
    if status in old.responses:
        what = f"the status {status} is no longer documented separately, and {key} describes it differently"
        yield Difference(f"response-{kind}-removed", what, old_at, new_at, "old")
    else:
        what = f"the status {status} is now documented separately, and {key} described it differently"
        yield Difference(f"response-{kind}-added", what, old_at, new_at)


def _same(old: Response, new: Response, schemas: SchemaComparison) -> bool:
    """Return True if two responses are equal, including their description, which can distinguish success and failure."""
    old_at, new_at = canonical(schemas.old, old.pointer), canonical(schemas.new, new.pointer)
    if raw(schemas.old, old_at).get("description") != raw(schemas.new, new_at).get("description"):
        return False
    before, after = _schemas(schemas.old, old_at, old), _schemas(schemas.new, new_at, new)
    return before.keys() == after.keys() and all(schemas.same(before[key], after[key]) for key in before)


def _schemas(contract: Contract, new_at: Pointer, response: Response) -> dict[tuple[str, str, bool], Pointer]:
    """Return the pointer of the schema of each media type and header of a response."""
    names = media.by_name({name: name for name in response.content})
    found = {
        ("body" if keyword == "schema" else "item", essence, True): (*new_at, "content", name, keyword)
        for essence, name in names.items()
        for keyword in (["schema", "itemSchema"] if name in response.items else ["schema"])
    }
    for name, header in by_name(response.headers).items():
        found["header", name, header.required] = schema_of(canonical(contract, header.pointer), header)
    return found


def _covering(operation: Operation, status: str) -> Response | None:
    """Return the response documented for a status, a range (`4XX`) or `default`."""
    by_key = operation.responses
    return by_key.get(status) or by_key.get(f"{status[0]}XX") or by_key.get("default")


def _contents(
    old_at: Pointer,
    new_at: Pointer,
    old: RequestBody | Response,
    new: RequestBody | Response,
    schemas: SchemaComparison,
    direction: Direction,
) -> Iterator[Difference]:
    """Yield the differences of media types; in a request, a media type may be covered by a range."""
    old_names, new_names = (media.by_name({name: name for name in one.content}) for one in (old, new))
    for essence, name in old_names.items():
        kept = media.find(essence, new_names) if direction == "request" else new_names.get(essence)
        here = (*old_at, "content", name)
        if kept is None:
            what = f"the media type {name} was removed"
            yield Difference(f"{direction}-media-type-removed", what, here, (*new_at, "content"), "old")
        else:
            there = (*new_at, "content", kept)
            yield from _content(here, there, essence, schemas, direction)
            if essence.startswith("multipart/"):
                yield from compare_parts(here, there, schemas, direction)
    for essence, name in new_names.items():
        if essence not in old_names:
            what = f"the media type {name} was added"
            yield Difference(
                f"{direction}-media-type-added", what, (*old_at, "content"), (*new_at, "content", name)
            )


def _content(
    old_at: Pointer, new_at: Pointer, essence: str, schemas: SchemaComparison, direction: Direction
) -> Iterator[Difference]:
    """Yield the differences of a body, or of its items; those of a body that became a stream are one."""
    old, new = (
        {*_SCHEMAS} & raw(one, at).keys() for one, at in ((schemas.old, old_at), (schemas.new, new_at))
    )
    is_stream = "itemSchema" in old | new
    if is_stream and old != new:
        yield from _other_schemas(old_at, new_at, old, new, direction)
    if "itemSchema" in old & new:
        yield from schemas.differences((*old_at, "itemSchema"), (*new_at, "itemSchema"), direction)
    are_binary = _is_binary(essence, old_at, schemas.old) and _is_binary(essence, new_at, schemas.new)
    if are_binary or (is_stream and "schema" not in old & new):
        return
    found = schemas.differences((*old_at, "schema"), (*new_at, "schema"), direction)
    if direction == "request" and essence.startswith("multipart/"):
        files = FormFiles(schemas.old, old_at, schemas.new, new_at)
        found = [one for one in found if files.concerns(one)]
    yield from found


def _other_schemas(
    old_at: Pointer, new_at: Pointer, old: set[str], new: set[str], direction: Direction
) -> Iterator[Difference]:
    """Report a schema of a body, or of its items, that the other contract does not have."""
    added, removed = ("` and `".join(sorted(one)) for one in (new - old, old - new))
    if added and removed:
        what = f"`{removed}` was replaced by `{added}`"
    else:
        verb = "were" if len(old ^ new) > 1 else "was"
        what = f"`{added or removed}` {verb} {'added' if added else 'removed'}"
    kind = "type" if "itemSchema" in old ^ new else "keyword"
    if direction == "request" and added:
        yield Difference(f"request-{kind}-narrowed", what, old_at, new_at)
    if direction == "response" and removed:
        yield Difference(f"response-{kind}-widened", what, old_at, new_at)


def _is_binary(essence: str, at: Pointer, contract: Contract) -> bool:
    """Return True if a body has no text; 3.0 says so by `format: binary`, later versions by an empty schema."""
    schema = raw(contract, (*at, "schema"))
    is_described = any(word in schema for word in ("type", "enum", *COMBINING, "not"))
    return not media.is_json(essence) and (not is_described or schema.get("format") == "binary")
