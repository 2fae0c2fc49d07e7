"""Compares request bodies, responses and their headers."""

from collections.abc import Iterator

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, RequestBody, Response, Schema
from relay.contract.operations import documenting
from relay.contract.schema_words import COMBINING
from relay.validation import media_types as media
from relay.validation.schemas import Direction

from .changes import Difference, Places
from .parameter_diff import by_name, compare_headers, schema_of
from .part_diff import compare_parts, without_files
from .pointer_names import canonical
from .schema_diff import SchemaComparison

_SCHEMAS = frozenset(["schema", "itemSchema"])


def compare_bodies(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Yield the differences of the request body."""
    at = Places(old.pointer, new.pointer) / "requestBody"
    if old.body and new.body:
        at = schemas.canonical(Places(old.body.pointer, new.body.pointer))
        if old.body.required != new.body.required:
            word = "required" if new.body.required else "optional"
            yield Difference(f"request-body-became-{word}", f"the request body is now {word}", *at)
        yield from _contents(at, old.body, new.body, schemas, "request")
    elif old.body:
        yield Difference("request-body-removed", "the request body was removed", *at, "old")
    elif new.body and new.body.required:
        yield Difference("request-body-required-added", "a required request body was added", *at)
    elif new.body:
        yield Difference("request-body-added", "an optional request body was added", *at)


def compare_responses(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Yield the differences of each response; a status without its own is compared by its range or `default`."""
    pairs: dict[Places, tuple[Response, Response]] = {}
    for status in dict.fromkeys([*old.responses, *new.responses]):
        before, after = documenting(old.responses, status), documenting(new.responses, status)
        is_removed, why = after is None, "was added" if before is None else "was removed"
        if before and after:
            pairs[schemas.canonical(Places(before.pointer, after.pointer))] = before, after
            is_removed = status in old.responses
            is_other = is_removed != (status in new.responses)
            why = _other_key(status, before, after, schemas, is_removed=is_removed) if is_other else ""
        if why:
            kind = "success" if status.startswith("2") else "error"
            rule = f"response-{kind}-{'removed' if is_removed else 'added'}"
            at = Places(old.pointer, new.pointer) / "responses" / status
            yield Difference(rule, f"the status {status} {why}", *at, "old" if is_removed else "new")
    for at, (before, after) in pairs.items():
        yield from _contents(at, before, after, schemas, "response")
        yield from compare_headers(by_name(before.headers), by_name(after.headers), at, schemas)


def _other_key(
    status: str, old: Response, new: Response, schemas: SchemaComparison, *, is_removed: bool
) -> str:
    """Return what happened to a status that gained or lost its own key; "" if the other key says the same."""
    key = (new if is_removed else old).pointer[-1]
    if (status.startswith("2") and key != "default") or _same(old, new, schemas):
        return ""
    if is_removed:
        return f"is no longer documented separately, and {key} describes it differently"
    return f"is now documented separately, and {key} described it differently"


def _same(old: Response, new: Response, schemas: SchemaComparison) -> bool:
    at = schemas.canonical(Places(old.pointer, new.pointer))
    raw = schemas.raw(at)
    if raw[0].get("description") != raw[1].get("description"):
        return False
    before, after = _schemas(schemas.old, at.old, old), _schemas(schemas.new, at.new, new)
    return before.keys() == after.keys() and all(
        schemas.same(Places(before[key], after[key])) for key in before
    )


def _schemas(contract: Contract, at: Pointer, response: Response) -> dict[tuple[str, str, bool], Pointer]:
    """Return the pointer of the schema of each media type and header of a response."""
    found = {
        (keyword, essence, True): (*at, "content", name, keyword)
        for essence, name in media.by_name({name: name for name in response.content}).items()
        for keyword in (["schema", "itemSchema"] if name in response.items else ["schema"])
    }
    for name, header in by_name(response.headers).items():
        found["header", name, header.required] = schema_of(canonical(contract, header.pointer), header)
    return found


def _contents(
    at: Places,
    old: RequestBody | Response,
    new: RequestBody | Response,
    schemas: SchemaComparison,
    direction: Direction,
) -> Iterator[Difference]:
    """Yield the differences of media types; in a request, a media type may be covered by a range."""
    at /= "content"
    old_names, new_names = (media.by_name({name: name for name in one.content}) for one in (old, new))
    for essence, name in old_names.items():
        kept = media.find(essence, new_names) if direction == "request" else new_names.get(essence)
        if kept is None:
            what = f"the media type {name} was removed"
            yield Difference(f"{direction}-media-type-removed", what, (*at.old, name), at.new, "old")
        else:
            inner = Places((*at.old, name), (*at.new, kept))
            yield from _content(inner, essence, schemas, direction)
            if essence.startswith("multipart/"):
                yield from compare_parts(inner, schemas, direction)
    for name in [new_names[essence] for essence in new_names if essence not in old_names]:
        what = f"the media type {name} was added"
        yield Difference(f"{direction}-media-type-added", what, at.old, (*at.new, name))


def _content(
    at: Places, essence: str, schemas: SchemaComparison, direction: Direction
) -> Iterator[Difference]:
    """Yield the differences of a body, or of its items; those of a body that became a stream are one."""
    old, new = (one.keys() & _SCHEMAS for one in schemas.raw(at))
    is_stream = "itemSchema" in old | new
    if is_stream and old != new:
        yield from _other_schemas(at, old, new, direction)
    if "itemSchema" in old & new:
        yield from schemas.differences(at / "itemSchema", direction)
    are_binary = not media.is_json(essence) and all(map(_is_binary, schemas.raw(at / "schema")))
    if not are_binary and ("schema" in old & new or not is_stream):
        found = schemas.differences(at / "schema", direction)
        is_form = direction == "request" and essence.startswith("multipart/")
        yield from without_files(found, at, schemas) if is_form else found


def _other_schemas(at: Places, old: set[str], new: set[str], direction: Direction) -> Iterator[Difference]:
    """Report a schema of a body, or of its items, that the other contract does not have."""
    added, removed = ("` and `".join(sorted(one)) for one in (new - old, old - new))
    if added and removed:
        what = f"`{removed}` was replaced by `{added}`"
    else:
        verb = "were" if len(old ^ new) > 1 else "was"
        what = f"`{added or removed}` {verb} {'added' if added else 'removed'}"
    kind = "type" if "itemSchema" in old ^ new else "keyword"
    if added if direction == "request" else removed:
        verb = "narrowed" if direction == "request" else "widened"
        yield Difference(f"{direction}-{kind}-{verb}", what, *at)


def _is_binary(schema: Schema) -> bool:
    """Return True for a schema of bytes; 3.0 says so by `format: binary`, later versions by an empty schema."""
    is_described = any(word in schema for word in ("type", "enum", *COMBINING, "not"))
    return not is_described or schema.get("format") == "binary"
