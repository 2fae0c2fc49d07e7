"""What goes over the wire beside parameters: request bodies, responses and their headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, Parameter, RequestBody, Response, Schema
from relay.validation.media_types import by_name, find
from relay.validation.schemas import Direction

from .changes import Difference
from .parameter_diff import schema_of
from .pointer_names import canonical, raw
from .schema_diff import SchemaComparison


def compare_bodies(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Tell what happened to the request body."""
    was, at = (*old.pointer, "requestBody"), (*new.pointer, "requestBody")
    if old.body and new.body:
        yield from _both_bodies(old.body, new.body, schemas)
    elif old.body:
        yield Difference("request-body-removed", "no body is read any more", was, at, "old")
    elif new.body and new.body.required:
        yield Difference("request-body-required-added", "there is a body now, and it is required", was, at)
    elif new.body:
        yield Difference("request-body-added", "there may be a body now", was, at)


def _both_bodies(old: RequestBody, new: RequestBody, schemas: SchemaComparison) -> Iterator[Difference]:
    was, at = canonical(schemas.old, old.pointer), canonical(schemas.new, new.pointer)
    if new.required and not old.required:
        yield Difference("request-body-became-required", "a body is required now", was, at)
    if old.required and not new.required:
        yield Difference("request-body-became-optional", "a body is optional now", was, at)
    yield from _contents(was, at, old.content, new.content, schemas, "request")


def compare_responses(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Tell what happened to each response; one that a range or `default` covers is compared with that."""
    pairs: dict[tuple[Pointer, Pointer], tuple[Response, Response]] = {}
    for status in dict.fromkeys([*old.responses, *new.responses]):
        before, after = _covering(old, status), _covering(new, status)
        was = (*old.pointer, "responses", status)
        at = (*new.pointer, "responses", status)
        kind = "success" if status.startswith("2") else "error"
        if before and after:
            pairs[canonical(schemas.old, before.pointer), canonical(schemas.new, after.pointer)] = (
                before,
                after,
            )
            yield from _own_or_not(status, old, new, schemas)
        elif before:
            yield Difference(f"response-{kind}-removed", f"the status {status} is gone", was, at, "old")
        else:
            yield Difference(f"response-{kind}-added", f"the status {status} is new", was, at)
    for (was, at), (before, after) in pairs.items():
        yield from _contents(was, at, before.content, after.content, schemas, "response")
        yield from _headers(was, at, before, after, schemas)


def _own_or_not(
    status: str, old: Operation, new: Operation, schemas: SchemaComparison
) -> Iterator[Difference]:
    """Tell of a status that another key covers now, or did, where that says something else of it.

    A success that a range covers is still one, and what its body lost is told of that.
    """
    before, after = _covering(old, status), _covering(new, status)
    if before is None or after is None or (status in old.responses) == (status in new.responses):
        return
    was, at = (*old.pointer, "responses", status), (*new.pointer, "responses", status)
    is_success = status.startswith("2")
    kind = "success" if is_success else "error"
    key = (after if status in old.responses else before).pointer[-1]
    if (is_success and key != "default") or _same(before, after, schemas):
        return
    if status in old.responses:
        what = f"the status {status} is no longer told by itself, and {key} says something else of it"
        yield Difference(f"response-{kind}-removed", what, was, at, "old")
    else:
        what = f"the status {status} is told by itself now, and {key} said something else of it"
        yield Difference(f"response-{kind}-added", what, was, at)


def _same(old: Response, new: Response, schemas: SchemaComparison) -> bool:
    """Whether two responses say the same, in words as well: these tell a success from a failure."""
    was, at = canonical(schemas.old, old.pointer), canonical(schemas.new, new.pointer)
    if raw(schemas.old, was).get("description") != raw(schemas.new, at).get("description"):
        return False
    before, after = _schemas(schemas.old, was, old), _schemas(schemas.new, at, new)
    return before.keys() == after.keys() and all(schemas.same(before[key], after[key]) for key in before)


def _schemas(contract: Contract, at: Pointer, response: Response) -> dict[tuple[str, str, bool], Pointer]:
    """Return where the schema of each media type and header of a response is."""
    names = by_name({name: name for name in response.content})
    found = {("body", bare, True): (*at, "content", name, "schema") for bare, name in names.items()}
    for name, header in _by_name(response.headers).items():
        found["header", name, header.required] = schema_of(canonical(contract, header.pointer), header)
    return found


def _covering(operation: Operation, status: str) -> Response | None:
    """Return the response documented for a status, a range (`4XX`) or `default`."""
    by_key = operation.responses
    return by_key.get(status) or by_key.get(f"{status[0]}XX") or by_key.get("default")


def _contents(
    was: Pointer,
    at: Pointer,
    old: Mapping[str, Schema],
    new: Mapping[str, Schema],
    schemas: SchemaComparison,
    direction: Direction,
) -> Iterator[Difference]:
    """Tell of media types; of a request, one that a range covers is compared with that."""
    old_names, new_names = (by_name({name: name for name in content}) for content in (old, new))
    for bare, name in old_names.items():
        kept = find(bare, new_names) if direction == "request" else new_names.get(bare)
        here = (*was, "content", name)
        if kept is None:
            what = f"{name} is gone"
            yield Difference(f"{direction}-media-type-removed", what, here, (*at, "content"), "old")
        else:
            there = (*at, "content", kept)
            yield from schemas.differences((*here, "schema"), (*there, "schema"), direction)
    for bare, name in new_names.items():
        if bare not in old_names:
            what = f"{name} is new"
            yield Difference(f"{direction}-media-type-added", what, (*was, "content"), (*at, "content", name))


def _headers(
    was: Pointer, at: Pointer, old: Response, new: Response, schemas: SchemaComparison
) -> Iterator[Difference]:
    before, after = (_by_name(response.headers) for response in (old, new))
    for key, header in before.items():
        here = canonical(schemas.old, header.pointer)
        if key not in after:
            optional = "" if header.required else "-optional"
            yield Difference(f"response-header-removed{optional}", "it is gone", here, at, "old", header.name)
            continue
        there = canonical(schemas.new, after[key].pointer)
        if header.required and not after[key].required:
            yield Difference(
                "response-header-became-optional", "it may be missing now", here, there, name=header.name
            )
        yield from schemas.differences(schema_of(here, header), schema_of(there, after[key]), "response")
    for key, header in after.items():
        if key not in before:
            there = canonical(schemas.new, header.pointer)
            yield Difference("response-header-added", "it is new", was, there, name=header.name)


def _by_name(headers: tuple[Parameter, ...]) -> dict[str, Parameter]:
    return {header.name.lower(): header for header in headers}
