"""The limits of a contract: far above contracts of real services, and low enough that every command ends.

The largest public contracts have about 10 MB, 1,000 operations, 1,000 schemas and a million values.
"""

from __future__ import annotations

MAX_BYTES = 64 << 20
"""Bytes of one file; reading more, as from a device, would fill the memory."""

MAX_VALUES = 2_000_000
"""Values of a contract; each takes about a kilobyte while it is parsed."""

MAX_DEPTH = 100
"""Nesting of values, and of `$ref`, `allOf`, `anyOf`, `oneOf` and `not` for one value; the code that reads them may recurse."""

MAX_DIGITS = 300
"""Digits of an integer; larger ones exceed every floating-point number, which most parsers of JSON use."""

MAX_COMBINED = 10_000
"""Schemas that `allOf`, `anyOf`, `oneOf` and `not` combine for one value, which has to be validated against each."""

MAX_ALL_COMBINED = 2_000_000
"""The sum of combined schemas over all schemas of a contract, each of which is visited when it is compiled."""

MAX_PATTERN = 5_000
"""Characters of a regular expression, which is matched in time proportional to them and to the text."""

MAX_LOOKING_PATTERN = 1_000
"""Characters of one with look-around or back-references, which is matched by trying."""


def expanded(written: int) -> int:
    """Return how many values the aliases and `$ref`s of files with so many values may expand to.

    Shared parts are used often, but a file that grows without bounds is not written for readers.
    """
    return min(MAX_VALUES, 200_000 + 10 * written)
