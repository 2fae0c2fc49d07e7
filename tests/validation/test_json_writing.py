"""Values of Python's types in JSON, as a schema says: `relay.validation.json_writing`."""

import dataclasses
import datetime as dt
import enum
import json
import uuid
from collections import OrderedDict
from decimal import Decimal
from ipaddress import ip_address
from types import MappingProxyType
from typing import NamedTuple

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.validation.errors import ResponseViolation
from relay.validation.json_writing import Level, NotPlain, plain
from relay.validation.shapes import Shape
from support.compiled import around
from support.encoding import documented, response_encoder, violations


def written(value, **schema):
    return response_encoder(s200=documented({"items": schema})).encode([value]).body.decode()[1:-1]


class Size(enum.IntEnum):
    """An enum of integers."""

    LARGE = 3


class Colour(enum.Enum):
    """An enum of texts."""

    RED = "red"


class Name(str):
    """A subclass of str."""

    __slots__ = ()


class Point(NamedTuple):
    """A tuple with names."""

    x: int
    y: Decimal


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        (Decimal("19.90"), {"type": "number"}, "19.90"),
        (Decimal("0.30000000000000000001"), {"type": "number"}, "0.30000000000000000001"),
        (Decimal("19.90"), {"type": "string", "pattern": r"^\d+\.\d\d$"}, '"19.90"'),
        (Decimal("1E+2"), {"type": "string", "nullable": True}, '"100"'),
        (Decimal("2.0"), {"type": "integer"}, "2"),
        (Decimal(2**70), {"type": "integer"}, str(2**70)),
        (Decimal("2.5"), {"oneOf": [{"type": "number"}, {"type": "string"}]}, "2.5"),
        (b"\xff\0", {"type": "string", "format": "byte"}, '"/wA="'),
        (bytearray(b"a"), {"allOf": [{"type": "string", "format": "byte"}]}, '"YQ=="'),
        (dt.timedelta(days=1, seconds=90, microseconds=5), {"format": "duration"}, '"P1DT90.000005S"'),
        (-dt.timedelta(hours=1), {"type": "string"}, '"-PT3600S"'),
        (dt.timedelta(minutes=1), {"type": "integer"}, "60"),
        (dt.timedelta(milliseconds=1500), {"type": "number"}, "1.5"),
        (dt.date(2025, 1, 2), {"type": "string", "format": "date"}, '"2025-01-02"'),
        (dt.datetime(2025, 1, 2, tzinfo=dt.UTC), {"format": "date-time"}, '"2025-01-02T00:00:00+00:00"'),
        (Colour.RED, {"type": "string", "enum": ["red"]}, '"red"'),
        (Name("abc"), {"type": "string", "maxLength": 3}, '"abc"'),
        (dt.time(12, 30, tzinfo=dt.UTC), {"type": "string", "format": "time"}, '"12:30:00+00:00"'),
        (uuid.UUID(int=1), {"type": "string", "format": "uuid"}, f'"{uuid.UUID(int=1)}"'),
        (ip_address("::1"), {"type": "string"}, '"::1"'),
        (pydantic.AnyUrl("https://a.test/b"), {"type": "string", "format": "uri"}, '"https://a.test/b"'),
        (Size.LARGE, {"enum": [3]}, "3"),
        (frozenset(["a"]), {"type": "array", "uniqueItems": True}, '["a"]'),
        (Point(1, Decimal("2.5")), {"type": "array"}, "[1,2.5]"),
        (MappingProxyType({"a": {1}}), {"type": "object"}, '{"a":[1]}'),
        (OrderedDict({uuid.UUID(int=1): 1}), {"type": "object"}, f'{{"{uuid.UUID(int=1)}":1}}'),
    ],
)
def test_a_value_is_written_as_its_schema_says(value, schema, expected):
    """An invalid value next to it is still reported."""
    assert written(value, **schema) == expected
    assert ("/1", "type") in violations(
        response_encoder(s200=documented({"items": schema})), [value, Ellipsis]
    )
    other = response_encoder(s200=documented({"items": {**schema, "enum": ["other"]}}))
    assert violations(other, [value]) == [("/0", "enum")]


def test_a_date_without_an_offset_is_explained():
    """RFC 3339 needs one; to guess it would send a wrong time. The log has to say what lacks; it never has the value."""
    naive = dt.datetime(2025, 1, 2)  # noqa: DTZ001 -- what the test is about
    encoder = response_encoder(s200=documented({"items": {"type": "string", "format": "date-time"}}))

    with pytest.raises(ResponseViolation) as raised:
        encoder.encode([naive, "2025-01-02", "2025-01-02t03:04:05.5"])

    plain = 'the value is not a "date-time"'
    lacking = f"{plain}: it has no time zone"
    assert [one.message for one in raised.value.violations] == [lacking, plain, lacking]
    assert {one.rule for one in raised.value.violations} == {"format"}


ORDER = {
    "type": "object",
    "required": ["id", "total", "must"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "total": {"type": "number"},
        "note": {"type": "string"},
        "gone": {"type": "string", "nullable": True},
        "must": {"nullable": True, "type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
    },
}
LINE = {
    "type": "object",
    "required": ["unitPrice"],
    "additionalProperties": False,
    "properties": {"unitPrice": {"type": "string"}, "note": {"type": "string"}},
}
LINES = [{"unitPrice": "0.75"}]
PLAIN = {"id": str(uuid.UUID(int=7)), "total": 1.5, "gone": None, "must": None, "lines": LINES}


class ModelLine(pydantic.BaseModel):
    """A model inside another one, with an alias."""

    unit_price: Decimal = pydantic.Field(serialization_alias="unitPrice")
    note: str | None = None


class ModelOrder(pydantic.BaseModel):
    """A model as services write it: what is absent is None."""

    id: uuid.UUID
    total: Decimal
    note: str | None = None
    gone: str | None = None
    must: str | None = None
    lines: list[ModelLine]


@dataclasses.dataclass
class DataLine:
    """A dataclass inside another one."""

    unitPrice: Decimal  # noqa: N815 -- the contract's name
    note: str | None = None


@dataclasses.dataclass(slots=True)
class DataOrder:
    """The same as a dataclass; a private field is not sent."""

    id: uuid.UUID
    total: Decimal
    lines: list[DataLine]
    note: str | None = None
    gone: str | None = None
    must: str | None = None
    _cached: object = None


@pytest.mark.parametrize(
    "order",
    [
        ModelOrder(id=uuid.UUID(int=7), total=Decimal("1.5"), lines=[ModelLine(unit_price=Decimal("0.75"))]),
        DataOrder(uuid.UUID(int=7), Decimal("1.5"), [DataLine(Decimal("0.75"))]),
    ],
)
def test_models_and_dataclasses_are_objects(order):
    """A field that is None is left out where the schema has it optional and without null; a null stays elsewhere."""
    contract = around({"Order": ORDER, "Line": LINE})
    found = plain({"o": order}, Level(Shape({"additionalProperties": ORDER}, contract)))
    assert json.loads(json.dumps(found["o"], default=float)) == PLAIN


def test_a_plain_object_keeps_its_nulls():
    """Only a model says by None that a field is absent; in a dict the key could have been left out."""
    encoder = response_encoder(s200=documented(LINE))
    assert violations(encoder, {"unitPrice": Decimal("0.75"), "note": None}) == [("/note", "type")]


def test_the_log_names_the_type_and_the_field_and_no_value():
    contract = around()
    with pytest.raises(NotPlain) as raised:
        plain({"a/b": [1, {"c": pydantic.SecretStr("sk_canary")}]}, Level(Shape({}, contract)))
    assert raised.value.path == "/a~1b/1/c"
    assert str(raised.value) == "a value of the type pydantic.types.SecretStr cannot be written as JSON"


def test_a_body_that_contains_itself_is_a_violation():
    """It ends the response, not the process."""
    body = [uuid.UUID(int=1)]
    body.append(body)
    assert violations(response_encoder(s200=documented({})), body) == [("", "type")]


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.uuids(),
    st.dates(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.timedeltas(),
    st.binary(),
)


@given(
    st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
)
def test_every_value_is_json_or_a_violation_with_a_place(value):
    """For every result of a handler; nothing else is raised, and digits of numbers are kept."""
    try:
        body = ANYTHING.encode(value).body
    except ResponseViolation:
        return

    read = json.loads(body, parse_float=Decimal)
    if isinstance(value, Decimal):
        assert Decimal(read) == value


ANYTHING = response_encoder(s200=documented({}))
