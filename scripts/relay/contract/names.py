"""The names in Python that a contract's words get: modules, functions and arguments.

Each name is made of one word of the contract: `Event Logs` → `event_logs`, `pageSize` → `page_size`,
`End>=` → `end_gte`. Tags with one name share a module. Operations and parameters need names of their own;
where several have the same one:

- The first operation of a module keeps it. Another is named as if it had no operationId, by its method and
  path; a number follows if that is in use, too.
- A parameter in the path keeps it before one in the query, a header or a cookie; within a location the one that
  is written like the name does, else the first in alphabetical order. Another one gets its location in front
  (`query_id`) or, if it has the same location, its punctuation in words (`filter.a` → `filter_dot_a`,
  `$top` → `dollar_top`); a number follows if that is in use, too. Neither the order of the parameters nor a
  parameter with another name changes this.
"""

from __future__ import annotations

import itertools
import keyword
import re
import unicodedata
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

RESERVED_ARGUMENTS = frozenset({"body", "caller", "claims"})
"""Argument names that Relay reserves."""

_LOCATIONS = ("path", "query", "header", "cookie", "querystring")
_COMPARISONS = dict(
    zip("< > <= >= = == ! != <>".split(), "lt gt lte gte eq eq not ne ne".split(), strict=True)
)
_PUNCTUATION = _COMPARISONS | dict(
    zip(
        "$@.-[({/\\:;,+*#%&|~^?' ",
        "dollar at dot dash bracket parenthesis brace slash backslash colon semicolon comma plus star hash percent and or "
        "tilde caret question quote space".split(),
        strict=True,
    )
)
"""The words for punctuation in names."""


class ParameterKey(NamedTuple):
    """The identity of a parameter of an operation."""

    location: str
    name: str


def slug(word: str) -> str:
    """Convert a tag or another word of the contract to an identifier: `Event Logs` → `event_logs`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)
    return _identifier(re.sub(r"\W+", "_", snake).strip("_").lower() or "_")


def argument_word(name: str) -> str:
    """Return the argument name that a parameter's name asks for: `End>=` → `end_gte`."""
    bare = name.rstrip("<>=!")
    comparison = _COMPARISONS.get(name[len(bare) :])
    return slug(f"{bare}_{comparison}" if bare and comparison else name)


def function_word(operation_id: str) -> str:
    """Return the function name that an operationId asks for: unchanged if it can name a function.

    A module has names of its own, such as `__doc__`, begins with `from __future__ import annotations`, and a stub
    raises NotImplementedError.
    """
    name = _identifier(re.sub(r"\W+", "_", operation_id))
    is_taken = name in ("annotations", NotImplementedError.__name__) or re.fullmatch("__.*__", name)
    return f"{name}_" if is_taken else name


def derived_id(method: str, path: str) -> str:
    """Name an operation that has no operationId: `get /pets/{id}` → `get_pets_id`."""
    return re.sub(r"\W+", "_", f"{method} {path}").strip("_").lower()


def _identifier(word: str) -> str:
    word = unicodedata.normalize("NFKC", word)  # as Python normalizes identifiers
    word = "".join(char if f"_{char}".isidentifier() else "_" for char in word)
    if keyword.iskeyword(word) or word in RESERVED_ARGUMENTS:
        return f"{word}_"
    return word if word.isidentifier() else f"_{word}"


Key = TypeVar("Key", bound=Hashable)


def distinct(wishes: Mapping[Key, Sequence[str]]) -> dict[Key, str]:
    """Give each key a name of its own, by its wishes in order; of two with the same first wish, the first wins.

    All first wishes are granted before any other, so that a replacement never takes a name that another parameter asks for.
    """
    owners: dict[str, Key] = {}
    for key, (first, *_) in wishes.items():
        owners.setdefault(first, key)
    taken = set(owners)
    names: dict[Key, str] = {}
    for key, (first, *others) in wishes.items():
        free = (one for one in _alternatives(first, others) if one not in taken)
        names[key] = first if owners[first] == key else next(free)
        taken.add(names[key])
    return names


def _alternatives(first: str, others: Sequence[str]) -> Iterator[str]:
    yield from others
    stem = (others[-1] if others else first).rstrip("_")
    yield from (f"{stem}_{number}" for number in itertools.count(2))


def operation_ids(given: Mapping[Key, tuple[str | None, str]]) -> dict[Key, str]:
    """Return an id of its own for each operation, by its operationId and the id that is derived from its path."""
    named = {key: (own, derived) for key, (own, derived) in given.items() if own}
    others = {key: (derived,) for key, (own, derived) in given.items() if not own}
    return distinct({**named, **others})


def argument_names(
    parameters: Sequence[ParameterKey], chosen: Mapping[ParameterKey, str]
) -> dict[ParameterKey, str]:
    """Return the argument name of each parameter of an operation; `chosen` are names that a project sets."""
    ordered = sorted(parameters, key=lambda one: (one not in chosen, *_priority(one)))
    words = {one: chosen.get(one) or argument_word(one.name) for one in ordered}
    first = {word: one.location for one, word in reversed(words.items())}
    return distinct({one: [word, *_other_wishes(one, word, first[word])] for one, word in words.items()})


def _priority(one: ParameterKey) -> tuple[int, bool, str]:
    return _LOCATIONS.index(one.location), one.name != argument_word(one.name).strip("_"), one.name


def _other_wishes(one: ParameterKey, word: str, first: str) -> list[str]:
    """Return the other names for a parameter, whose word one in the location `first` gets."""
    spelled = slug("".join(f"_{_PUNCTUATION[char]}_" if char in _PUNCTUATION else char for char in one.name))
    if first != one.location:
        return [f"{one.location}_{word}", f"{one.location}_{spelled}"]
    return [spelled] if spelled != word else []
