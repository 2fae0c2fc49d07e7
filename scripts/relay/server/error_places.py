"""Where the parts of an error belong in a documented body, by the names of its properties.

A property whose name says what it holds gets its place, if the body stays valid; any other property is kept only where
the schema requires it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .error_templates import Path, Place, Template, has_place, removed, replaced

IsValid = Callable[[Template], bool]

_STATUS = {"status", "statuscode", "httpstatus", "httpcode", "httpstatuscode"}
CODES = {"code", "errorcode", "errortype", "key"}
MESSAGES = {
    *("message", "detail", "errormessage", "errordescription", "description", "msg", "text", "reason"),
    *("errortext", "usermessage", "developermessage"),
}
LISTS = {"details", "errors", "violations", "issues", "problems", "messages", "errormessages"}
_FLAGS = {
    **dict.fromkeys(("success", "ok", "succeeded"), False),
    **dict.fromkeys(("error", "failed", "failure", "iserror"), True),
}
POINTERS = {"path", "pointer", "jsonpointer", "instancepath", "datapath"}
FIELDS = {"field", "fieldname", "property", "propertyname", "attribute", "name", "param", "parameter"}
LOCATIONS = {"in", "location", "loc"}
_ABOUT_PARTS = LISTS | POINTERS | FIELDS | LOCATIONS
_NESTED = {"error", "fault", "problem"}
KNOWN = _STATUS | CODES | MESSAGES | LISTS | _FLAGS.keys() | _NESTED | {"title"}
"""Names of properties that a template has a value for, in `canonical` form."""
_MADE_UP = "string"  # what the sampler writes for a text that can be anything
MAX_DEPTH = 3  # levels of a body that have places


def canonical(name: str) -> str:
    """Return the letters of a name: `error_code` and `errorCode` are one."""
    return re.sub(r"[^a-z]", "", name.lower())


def with_places(body: Any, is_valid: IsValid) -> Template:
    """Return a valid body with each place that it stays valid with."""
    for is_any in (False, True):  # places in an object of any name only where the known ones have none
        for path, value in _places(body, (), is_any=is_any):
            changed = replaced(body, path, value)
            if is_valid(changed):
                body = changed
        if has_place(body):
            break
    return body


def _places(body: Any, path: Path, *, is_any: bool) -> Iterator[tuple[Path, Any]]:
    """Yield where something of a report may be, and what."""
    if isinstance(body, str):
        yield path, Place.MESSAGE
    if not isinstance(body, dict | list) or len(path) > 2 * MAX_DEPTH:
        return
    if isinstance(body, list):
        if body:
            yield path, body[:1]
            yield from _places(body[0], (*path, 0), is_any=is_any)
        return
    names = {canonical(name) for name in body}
    for name, value in body.items():
        word = canonical(name)
        if (found := _place(word, value, names)) is not None:
            yield (*path, name), found
        elif _may_hold(word, value, names, is_any=is_any):
            yield from _places(value, (*path, name), is_any=is_any)


def _may_hold(word: str, value: Any, names: set[str], *, is_any: bool) -> bool:
    """Return True if an object or list may be about the error; a list next to a sentence is for details."""
    if isinstance(value, list):
        return (word in LISTS or is_any) and not (names - {word}) & _SHOWN
    return isinstance(value, dict) and (word in _NESTED or is_any)


_SHOWN = CODES | MESSAGES | _NESTED | {"title"}
"""Names of properties that show an error."""


def _place(word: str, value: Any, names: set[str]) -> Any:
    """Return what belongs into a property, None if that is not known; `names` are its siblings and itself."""
    if isinstance(value, bool):
        return _FLAGS.get(word)
    if isinstance(value, int | float):
        return Place.STATUS if word in {*_STATUS, *CODES, "error"} else None
    return _text(word, value, names) if isinstance(value, str) else None


def _text(word: str, value: str, names: set[str]) -> Any:
    if word in _STATUS:
        # `"status": "error"` is a word of the API, not the status.
        return Place.STATUS_TEXT if value.isdecimal() or value == _MADE_UP else None
    if word in CODES:
        return Place.STATUS_TEXT if value.isdecimal() else Place.CODE
    if word in MESSAGES:
        return Place.MESSAGE
    if word == "title":
        return Place.CODE if names & MESSAGES else Place.MESSAGE
    if word == "error":
        return Place.CODE if names & MESSAGES and not names & CODES else Place.MESSAGE
    return _type(names) if word == "type" and value == _MADE_UP else None


def _type(names: set[str]) -> Any:
    """Return what a `type` is: a code next to a sentence, unless its siblings are those of problem details."""
    return Place.CODE if names & MESSAGES and not names & {*CODES, *_STATUS, "title"} else "about:blank"


def details_lists(body: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the lists of a body that may hold details: those next to a sentence or a code."""
    if not isinstance(body, dict) or len(path) > MAX_DEPTH:
        return
    names = {canonical(name) for name in body}
    for name, value in body.items():
        if isinstance(value, list) and canonical(name) in LISTS and names & _SHOWN:
            yield (*path, name)
        else:
            yield from details_lists(value, (*path, name))


def without_unknown(body: Any, is_valid: IsValid) -> Template:
    """Return a body without the properties that have no place, as far as it stays valid; one without any place whole.

    What is required and would say which part of a request is wrong is empty, rather than made up.
    """
    if not has_place(body):
        return body
    for path, value in [*_unknown(body, ())]:
        without = [removed(body, path)]
        if canonical(str(path[-1])) in _ABOUT_PARTS and isinstance(value, list | dict | str):
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
            elif not (isinstance(value, bool) and canonical(name) in _FLAGS):
                yield (*path, name), value
