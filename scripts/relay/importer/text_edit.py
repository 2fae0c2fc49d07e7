"""Edit the text of a YAML or JSON file to contain new data; unchanged values keep every byte.

Comments, quotes, line breaks and the order of keys are not in the data, so the file is never dumped as
a whole: its tree takes the new values, and what they replace is written anew.
"""

from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Document, parse_source

from .block_text import Writer
from .prose import same
from .source_text import SourceText
from .text_tree import Entry, Map, New, Seq, plain
from .tree_building import build


def rewrite(document: Document, wanted: Any) -> bytes:
    """Return the document's source, edited so that it contains `wanted`.

    Raises SetupError if the edited text would not read back as `wanted`.
    """
    source = SourceText(document)
    root = _edited(build(source, shares=True), None, wanted)
    written = Writer(source, shares=True).written(root)
    if read_back(document.path, written, wanted) is None:
        message = "cannot be edited in place: write out the values of its aliases, merge keys and tags"
        raise SetupError([Diagnostic(document.place(()), message)])
    return written


def read_back(path: Path, content: bytes, wanted: Any) -> Document | None:
    """Parse what is about to be written; None if it is not what was meant."""
    try:
        document, problems = parse_source(path, content)
    except SetupError:
        return None
    return document if not problems and same(document.data, wanted) else None


def _edited(value: Any, entry: Entry | None, new: Any) -> Any:
    """Return a value of a tree with new data: itself, changed where it differs, or the data in its place."""
    if same(plain(value), new):
        return value
    if not value or (entry is not None and entry.is_alias):  # an anchor keeps its value
        return New(new)
    if isinstance(value, Map) and isinstance(new, dict) and new:
        _edit_map(value, new)
        return value
    if isinstance(value, Seq) and isinstance(new, list) and len(new) >= len(value):
        items = zip(value, value.entries, new, strict=False)
        value[:] = [_edited(*item) for item in items]
        for item in new[len(value) :]:
            value.add(New(item))
        return value
    return New(new)


def _edit_map(value: Map, new: dict[str, Any]) -> None:
    """Change the members of an object; a new one comes after its predecessor in `new`."""
    for key in [one for one in value if one not in new]:
        value.drop(key, is_empty=True)  # the comments around it may be about others
    for key, item in value.items():  # in the order of the text, in which anchors come before their aliases
        if key in value.entries:
            value[key] = _edited(item, value.entries[key], new[key])
        elif not same(plain(item), new[key]):  # of a merge key
            value[key] = New(new[key])
    previous = next(reversed(value), None)
    for key, item in new.items():
        if key not in value:
            value.put(key, New(item), before=value.following(previous) if previous is not None else None)
        previous = key
