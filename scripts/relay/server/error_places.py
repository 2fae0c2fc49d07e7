"""Where the parts of an error belong in a documented body, by the names of its properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from relay.contract.documents import Pointer
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample

from .error_templates import Path, Place, Template, has_place, removed, replaced

IsValid = Callable[[Template], bool]

_STATUS = {"status", "statuscode", "httpstatus", "httpcode", "httpstatuscode"}
_CODES = {"code", "errorcode", "errortype", "key"}
_MESSAGES = {
    *("message", "detail", "errormessage", "errordescription", "description", "msg", "text", "reason"),
    *("errortext", "usermessage", "developermessage"),
}
_LISTS = {"details", "errors", "violations", "issues", "problems", "messages", "errormessages"}
_FLAGS = {
    **dict.fromkeys(("success", "ok", "succeeded"), False),
    **dict.fromkeys(("error", "failed", "failure", "iserror"), True),
}
_POINTERS = {"path", "pointer", "jsonpointer", "instancepath", "datapath"}
_FIELDS = {"field", "fieldname", "property", "propertyname", "attribute", "name", "param", "parameter"}
_LOCATIONS = {"in", "location", "loc"}
_RULES = {*_CODES, "type", "rule", "keyword", "constraint", "kind"}
_OF_DETAILS = {
    **dict.fromkeys(_RULES, Place.RULE),
    **dict.fromkeys(_LOCATIONS, Place.IN),
    **dict.fromkeys(_FIELDS, Place.FIELD),
    **dict.fromkeys(_POINTERS, Place.POINTER),
    **dict.fromkeys(_MESSAGES, Place.REASON),
}
_ABOUT_PARTS = _LISTS | _POINTERS | _FIELDS | _LOCATIONS
_NESTED = {"error", "fault", "problem"}
_SHOWN = _CODES | _MESSAGES | _NESTED | {"title"}
"""Names of properties that show an error."""
_KNOWN = _STATUS | _SHOWN | _LISTS | _FLAGS.keys()
"""Names of properties that a template has a value for, in `_canonical` form."""
_FAULTS = ("errors", "violations", "issues", "problems", "details", "params", "parameters", "fields")
"""Ends of names such as `invalid-params` and `fieldErrors`."""
_MADE_UP = "string"  # what the sampler writes for a text that can be anything
_MAX_DEPTH = 3  # levels of a body that have places


def _canonical(name: str) -> str:
    """Return the letters of a name: `error_code` and `errorCode` are one."""
    return re.sub(r"[^a-z]", "", name.lower())


def _changed(body: Any, changes: Iterable[tuple[Path, Any]], is_valid: IsValid) -> Any:
    for path, value in changes:
        if is_valid(changed := replaced(body, path, value)):
            body = changed
    return body


def _members(body: Any, path: Path = ()) -> Iterator[tuple[Path, Any, set[str]]]:
    """Yield the properties of an object and its objects: path, value, and all names next to it."""
    if isinstance(body, dict) and len(path) <= _MAX_DEPTH:
        names = {_canonical(name) for name in body}
        for name, value in body.items():
            yield (*path, name), value, names
            yield from _members(value, (*path, name))


def _word(path: Path) -> str:
    return _canonical(str(path[-1]))


def with_places(body: Any, is_valid: IsValid) -> Template:
    """Return a valid body with each place that it stays valid with."""
    for is_any in (False, True):  # places in an object of any name only where the known ones have none
        body = _changed(body, [*_places(body, (), is_any=is_any)], is_valid)
        if has_place(body):
            break
    return body


def _places(body: Any, path: Path, *, is_any: bool) -> Iterator[tuple[Path, Any]]:
    if isinstance(body, str):
        yield path, Place.MESSAGE
    if not isinstance(body, dict | list) or len(path) > 2 * _MAX_DEPTH:
        return
    if isinstance(body, list):
        if body:
            yield path, body[:1]
            yield from _places(body[0], (*path, 0), is_any=is_any)
        return
    names = {_canonical(name) for name in body}
    for name, value in body.items():
        word = _canonical(name)
        if (found := _place(word, value, names)) is not None:
            yield (*path, name), found
        elif _may_hold(word, value, names, is_any=is_any):
            yield from _places(value, (*path, name), is_any=is_any)


def _may_hold(word: str, value: Any, names: set[str], *, is_any: bool) -> bool:
    """Return True if an object or list may be about the error; a list next to a sentence is for details."""
    if isinstance(value, list):
        return (word in _LISTS or is_any) and not (names - {word}) & _SHOWN
    return isinstance(value, dict) and (word in _NESTED or is_any)


def _place(word: str, value: Any, names: set[str]) -> Any:
    if isinstance(value, bool):
        return _FLAGS.get(word)
    if isinstance(value, int | float):
        return Place.STATUS if word in {*_STATUS, *_CODES, "error"} else None
    return _place_of_text(word, value, names) if isinstance(value, str) else None


def _place_of_text(word: str, value: str, names: set[str]) -> Any:
    has_message = bool(names & _MESSAGES)
    if word in _STATUS | _CODES:
        if value.isdecimal() or (word in _STATUS and value == _MADE_UP):
            return Place.STATUS_TEXT
        return Place.CODE if word in _CODES else None  # `"status": "error"` is a word of the API
    if word in _MESSAGES:
        return Place.MESSAGE
    if word in ("title", "error"):
        is_code = has_message and (word == "title" or not names & _CODES)
        return Place.CODE if is_code else Place.MESSAGE
    if word != "type" or value != _MADE_UP:
        return None
    # A code next to a sentence, unless its siblings are those of problem details.
    return Place.CODE if has_message and not names & {*_CODES, *_STATUS, "title"} else "about:blank"


def details_lists(body: Any) -> Iterator[Path]:
    """Yield the lists of a body that may hold details: those next to a sentence or a code."""
    for path, value, names in _members(body):
        if isinstance(value, list) and _word(path) in _LISTS and names & _SHOWN:
            yield path


def with_items(body: Any, is_valid: IsValid) -> Iterator[Template]:
    """Yield a body with each list that may have an item for each detail; `is_valid` is for reports with details."""
    for path, value, _ in _members(body):
        if isinstance(value, list) and value and _is_of_details(path, value[0]):
            places = [
                ((*path, 0, *inner), place)
                for inner, part, names in _members(value[0])
                if (place := _place_of_detail(_word(inner), part, names)) is not None
            ]
            yield _changed(replaced(body, path, value[:1]), places, is_valid)


def _is_of_details(path: Path, item: Any) -> bool:
    """Return True for a list whose name says that it is about faults, and whose items name what has one."""
    is_of_faults = _word(path) in {*_LISTS, "detail", "error"} or _word(path).endswith(_FAULTS)
    named = map(_canonical, item) if isinstance(item, dict) and is_of_faults else ()
    return not (_MESSAGES | _POINTERS | _FIELDS | _LOCATIONS).isdisjoint(named)


def _place_of_detail(word: str, value: Any, names: set[str]) -> Place | None:
    """Return what belongs into a property of an item; `names` are its siblings and itself."""
    if isinstance(value, list):
        return Place.LOCATION if word in _LOCATIONS | _POINTERS else None
    if not isinstance(value, str) or (word in {"param", "parameter"} and names & _POINTERS):
        return None  # a `parameter` next to a `pointer` is for other places
    if word == "title":
        return Place.MESSAGE if names & _MESSAGES else Place.REASON
    return _OF_DETAILS.get(word)


def without_unknown(body: Any, is_valid: IsValid) -> Template:
    """Return a valid body without properties that have no place, or with those about parts emptied."""
    for path, value in [*_unknown(body, ())] if has_place(body) else []:
        without = [removed(body, path)]
        if _word(path) in _ABOUT_PARTS and isinstance(value, list | dict | str):
            without.append(replaced(body, path, type(value)()))
        body = next((one for one in without if is_valid(one)), body)
    return body


def _unknown(body: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(body, list):
        for index, value in enumerate(body[:1]):
            yield from _unknown(value, (*path, index))
    elif isinstance(body, dict):
        for name, value in body.items():
            if has_place(value):
                yield from _unknown(value, (*path, name))
            elif not (isinstance(value, bool) and _canonical(name) in _FLAGS):
                yield (*path, name), value


def with_known(body: Any, pointer: Pointer, sampler: Sampler, is_valid: IsValid) -> Any:
    """Return a body with the known properties of its schema at `pointer`, as far as it stays valid."""
    return _changed(body, _lacking(body, pointer, sampler, ()), is_valid)


def _lacking(body: Any, pointer: Pointer, sampler: Sampler, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield the known properties that a body lacks, with samples of their schemas."""
    if not isinstance(body, dict) or len(path) > _MAX_DEPTH:
        return
    for name, at in _properties(pointer, sampler).items():
        if name in body:
            yield from _lacking(body[name], at, sampler, (*path, name))
        elif _canonical(name) in _KNOWN:
            with suppress(NoSample):
                yield (*path, name), sampler.sample(*sampler.contract.follow(at))


def alternatives(body: Any, pointer: Pointer, sampler: Sampler) -> Iterator[Any]:
    """Yield a body with each object that a `oneOf` or `anyOf` allows as one of its known properties."""
    for name, at in _properties(pointer, sampler).items() if isinstance(body, dict) else ():
        schema, own = sampler.contract.follow(at)
        for keyword in ("oneOf", "anyOf") if _canonical(name) in _KNOWN else ():
            for index in range(len(schema.get(keyword, ()))):
                with suppress(NoSample):
                    value = sampler.sample(*sampler.contract.follow((*own, keyword, str(index))))
                    if isinstance(value, dict):
                        yield {**body, name: value}


def _properties(pointer: Pointer, sampler: Sampler, depth: int = 0) -> dict[str, Pointer]:
    schema, at = sampler.contract.follow(pointer)
    found = {name: (*at, "properties", name) for name in schema.get("properties", {})}
    for index in range(len(schema.get("allOf", ())) if depth <= _MAX_DEPTH else 0):
        found |= _properties((*at, "allOf", str(index)), sampler, depth + 1)
    return found
