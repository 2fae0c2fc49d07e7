"""Conditional and range requests: `scripts/relay/server/conditional.py`."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.server.conditional import MAX_RANGES, Range, Validators, evaluate, ranges

MET, NOT_MODIFIED, FAILED = None, 304, 412
CURRENT = Validators('"v2"', datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC))
WEAK = Validators('W/"v2"', None)
NOTHING = Validators(None, None)
BEFORE, NOW, AFTER = (f"Thu, 02 Jan 2025 03:04:0{second} GMT" for second in (4, 5, 6))


def lines(**headers):
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, MET),
        ({"if_none_match": '"v2"'}, NOT_MODIFIED),
        ({"if_none_match": 'W/"v2"'}, NOT_MODIFIED),
        ({"if_none_match": '"v1", "a,b", "v2"'}, NOT_MODIFIED),
        ({"if_none_match": "*"}, NOT_MODIFIED),
        ({"if_none_match": '"v1"'}, MET),
        ({"if_none_match": "v2"}, MET),
        ({"if_modified_since": BEFORE}, MET),
        ({"if_modified_since": NOW}, NOT_MODIFIED),
        ({"if_modified_since": AFTER}, NOT_MODIFIED),
        ({"if_modified_since": "Thursday, 02-Jan-25 03:04:05 GMT"}, NOT_MODIFIED),
        ({"if_modified_since": "yesterday"}, MET),
        ({"if_modified_since": AFTER, "if_none_match": '"v1"'}, MET),
        ({"if_match": '"v2"'}, MET),
        ({"if_match": "*"}, MET),
        ({"if_match": '"v1"'}, FAILED),
        ({"if_match": 'W/"v2"'}, FAILED),
        ({"if_unmodified_since": BEFORE}, FAILED),
        ({"if_unmodified_since": NOW}, MET),
        ({"if_unmodified_since": "yesterday"}, MET),
        ({"if_unmodified_since": BEFORE, "if_match": '"v2"'}, MET),
        ({"if_match": '"v1"', "if_none_match": '"v2"'}, FAILED),
        ({"if_match": '"v2"', "if_none_match": '"v2"'}, NOT_MODIFIED),
    ],
)
def test_preconditions_are_evaluated_in_order(headers, expected):
    """RFC 9110 section 13.2.2: entity tags take precedence over dates, and If-Match comes first."""
    assert evaluate(lines(**headers), CURRENT) == expected


def test_a_weak_tag_is_no_match_for_a_write():
    """Section 8.8.3.2: If-Match compares strongly, If-None-Match does not."""
    assert evaluate(lines(if_match='W/"v2"'), WEAK) == FAILED
    assert evaluate(lines(if_none_match='"v2"'), WEAK) == NOT_MODIFIED


def test_without_validators_only_a_star_matches():
    assert evaluate(lines(if_none_match='"v2"', if_modified_since=AFTER), NOTHING) == MET
    assert evaluate(lines(if_modified_since=AFTER), NOTHING) == MET
    assert evaluate(lines(if_none_match="*"), NOTHING) == NOT_MODIFIED


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-4", [(0, 5)]),
        ("bytes=0-0", [(0, 1)]),
        ("BYTES = 5-", [(5, 10)]),
        ("bytes=5-999", [(5, 10)]),
        ("bytes=-3", [(7, 10)]),
        ("bytes=-30", [(0, 10)]),
        ("bytes=8-9, 0-1", [(8, 10), (0, 2)]),
        ("bytes=5-6, 0-2, 2-4", [(0, 7)]),
        ("bytes=0-0, 20-30, ,-1", [(0, 1), (9, 10)]),
        ("bytes=10-", []),
        ("bytes=-0", []),
        ("bytes=10-20, 30-", []),
        ("bytes=4-2", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1;2-3", None),
        ("bytes=+1-2", None),
        ("bytes=٣-4".encode().decode("latin-1"), None),
        ("items=0-1", None),
        ("0-1", None),
        (f"bytes={','.join('0-0' for _ in range(MAX_RANGES + 1))}", None),
    ],
)
def test_ranges_are_read_as_the_rfc_says(header, expected):
    """Section 14.2: what is malformed is ignored, what cannot be satisfied is left out, what overlaps is joined."""
    assert ranges(lines(range=header), CURRENT, 10) == expected


@pytest.mark.parametrize(
    ("condition", "is_partial"),
    [
        ('"v2"', True),
        ('"v1"', False),
        ('W/"v2"', False),
        (NOW, True),
        (BEFORE, False),
        (AFTER, False),
        ("", False),
    ],
)
def test_if_range_names_the_version_that_a_client_has(condition, is_partial):
    """Section 13.1.5: parts of two versions must not be put together."""
    found = ranges(lines(range="bytes=0-1", if_range=condition), CURRENT, 10)
    assert (found is not None) is is_partial


def test_an_empty_file_has_no_ranges():
    """Clients that ask for ranges always would get a 416 for what they could have."""
    assert ranges(lines(range="bytes=0-"), CURRENT, 0) is None


@pytest.mark.slow
@given(
    header=st.text(alphabet="bytes=0123456789-, ", max_size=40)
    | st.from_regex(r"bytes=([0-9]{0,3}-[0-9]{0,3},? ?){1,5}", fullmatch=True),
    size=st.integers(0, 200),
)
def test_ranges_are_parts_of_the_file_that_do_not_overlap(header, size):
    found = ranges(lines(range=header), CURRENT, size)

    if found is not None:
        assert all(0 <= one.start < one.end <= size for one in found)
        assert sum(one.end - one.start for one in found) == len(
            {at for one in found for at in range(one.start, one.end)}
        )
        assert all(isinstance(one, Range) for one in found)


@given(st.sampled_from(["if_match", "if_none_match", "if_modified_since", "if_unmodified_since"]), st.data())
def test_any_header_has_an_outcome(name, data):
    """They are a client's, and dates are read by a lenient parser."""
    value = data.draw(
        st.text(alphabet=st.characters(max_codepoint=255)) | st.text(alphabet="0123456789:, GMTJanThu+-")
    )
    assert evaluate(lines(**{name: value}), CURRENT) in (MET, NOT_MODIFIED, FAILED)
    ranges(lines(range="bytes=0-1", if_range=value), CURRENT, 10)
