"""Compares the JSON that texts contain: `contentMediaType` and `contentSchema`."""

from __future__ import annotations

from collections.abc import Iterator

from relay.validation import media_types as media

from .changes import Difference
from .schema_pair import Child, Pair
from .schema_view import Shape
from .sites import Site


def compare_contents(pair: Pair) -> Iterator[Difference | Child]:
    """Yield the schemas of the JSON in texts to compare, or that texts must contain JSON only on one side.

    Media types that are not JSON are not checked, and so are their schemas.
    """
    known = _json_texts(pair.producer)
    for text in _json_texts(pair.consumer):
        same = [one for one in known if _encoding(one) == _encoding(text)]
        if same:
            schemas = tuple(pair.producer.inner(one, "contentSchema") for one in same)
            yield pair.child(schemas, (pair.consumer.inner(text, "contentSchema"),))
        else:
            yield pair.undecided("contentEncoding" if known else "contentMediaType")


def _json_texts(shape: Shape) -> list[Site]:
    return [part for part in shape.parts if media.is_json(str(part.schema.get("contentMediaType", "")))]


def _encoding(part: Site) -> str:
    return str(part.schema.get("contentEncoding", "")).lower()
