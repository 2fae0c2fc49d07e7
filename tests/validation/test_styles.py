"""Texts of requests to values and back: `relay.validation.styles`, `style_writing`, `raw_texts`, `parameters`."""

import functools
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.server.errors import MalformedPath
from relay.validation.errors import InvalidRequest
from relay.validation.http import Request
from relay.validation.schemas import Strictness
from relay.validation.style_writing import form, pairs
from support import compiled
from support.querying import Service

INTEGER, BOOLEAN, STRING = ({"type": name} for name in ("integer", "boolean", "string"))
INTEGERS, STRINGS = ({"type": "array", "items": items} for items in (INTEGER, STRING))
POINT = {"type": "object", "properties": {"x": INTEGER}, "additionalProperties": False}
NAMED = {"type": "object", "properties": dict.fromkeys(("a", "b", "%2C"), STRING)}
ANY_STRINGS = {"type": "object", "additionalProperties": STRING}

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.text(",.;=|% +&[]a")
FILLED = TEXTS.filter(bool)


def parameter(schema, name="p", **rest):
    located = {"in": "query", **rest}
    return {
        "name": name,
        "schema": schema,
        **({"required": True} if located["in"] == "path" else {}),
        **located,
    }


@functools.cache
def service(location, style, explode, kind, form=False):
    schema = {"array": STRINGS, "object": ANY_STRINGS, "scalar": STRING}[kind]
    if form:
        properties = {"type": "object", "properties": {"p": schema}}
        return Service(form={"schema": properties, "encoding": {"p": {"style": style, "explode": explode}}})
    path = "/x{p}" if location == "path" else "/p"
    return Service(parameter(schema, **{"in": location}, style=style, explode=explode), path=path)


def arguments(location, style, explode, kind, text):
    """Return the arguments of a request that has a text at a location."""
    one = service(location, style, explode, kind, form=location == "form")
    match location:
        case "path":
            return one.arguments(path=f"/x{text}")
        case "cookie":
            return one.arguments(cookie=text)
        case "form":
            return one.arguments(form=text)["body"]
    return one.arguments(text)


OPERATORS = {
    # separator of exploded values, whether they are named, what an empty value of a name is (RFC 6570 appendix A)
    "simple": ("", ",", False, ""),
    "label": (".", ".", False, ""),
    "matrix": (";", ";", True, ""),
    "form": ("", "&", True, "="),
}


def expanded(style, explode, value):
    """Return the expansion of a variable `p` as the algorithm of RFC 6570 section 3.2.1 writes it."""
    first, separator, is_named, if_empty = OPERATORS[style]

    def named(name, text):
        return quote(name, safe="") + (f"={text}" if text else if_empty)

    encoded = functools.partial(quote, safe="")
    if isinstance(value, str):
        return first + (named("p", encoded(value)) if is_named else encoded(value))
    if not explode:
        pieces = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
        joined = ",".join(map(encoded, pieces))
        return first + (named("p", joined) if is_named else joined)
    if isinstance(value, dict):
        pairs = [(encoded(name), encoded(text)) for name, text in value.items()]
        sign = [f"{name}{'=' + text if text or not is_named else if_empty}" for name, text in pairs]
        return first + separator.join(sign)
    return first + separator.join(named("p", encoded(one)) if is_named else encoded(one) for one in value)


STYLES = [
    *(("path", style, explode) for style in ("simple", "label", "matrix") for explode in (False, True)),
    *(("query", "form", explode) for explode in (False, True)),
    *(("form", "form", explode) for explode in (False, True)),
    ("cookie", "form", False),
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["array", "object", "scalar"])
@pytest.mark.parametrize(("location", "style", "explode"), STYLES)
@settings(max_examples=40)
@given(data=st.data())
def test_reads_back_what_a_writer_of_rfc_6570_writes(location, style, explode, kind, data):
    """Separators in items are percent-encoded (section 3.2.8), so all texts are read back as they were."""
    values = {
        "array": st.lists(TEXTS, min_size=1),
        "object": st.dictionaries(FILLED, TEXTS, min_size=1),
        "scalar": TEXTS,
    }
    value = data.draw(values[kind])
    if value == [""] and (not explode or style == "label"):
        return  # read as an empty list
    if (style, explode) == ("label", True) and "." in str(value):
        return  # a dot is not percent-encoded, although it is the separator
    if location == "form" and kind == "object" and explode:
        return  # the fields are those of the form
    if (location, kind) == ("cookie", "scalar"):
        return  # is not decoded
    text = expanded(style, explode, value)
    if location == "path" and not text:
        return  # no path has an empty variable

    assert arguments(location, style, explode, kind, text) == {"p": value}


OTHER_STYLES = [
    ("query", "spaceDelimited", False),
    ("query", "pipeDelimited", False),
    ("query", "deepObject", True),
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["array", "object", "scalar"])
@pytest.mark.parametrize(
    ("location", "style", "explode"), [*STYLES, *OTHER_STYLES, ("form", "deepObject", True)]
)
@settings(max_examples=30)
@given(data=st.data())
def test_reads_back_what_relay_writes(location, style, explode, kind, data):
    """Also in styles that RFC 6570 does not have; separators within items are percent-encoded, so no text is lost."""
    if (style == "deepObject" and kind != "object") or (style.endswith("Delimited") and kind != "array"):
        return
    if (location, kind) == ("cookie", "scalar") or (
        (location, kind, style) == ("form", "object", "form") and explode
    ):
        return  # is sent as it is, so not every text can be; the fields are those of the form
    values = {
        "array": st.lists(FILLED, min_size=1),
        "object": st.dictionaries(st.sampled_from(["x", "y,="]), FILLED, min_size=1),
        "scalar": FILLED,
    }
    value = data.draw(values[kind])
    if style == "spaceDelimited":
        value = [item.replace(" ", "") + "a" for item in value]
    if style == "pipeDelimited" and len(value) == 1:
        value *= 2  # a pipe needs a separator that is another
    if location == "form":
        written = form({"p": value}, {}, {"p": {"style": style, "explode": explode}})
    else:
        written = pairs(compiled.parameter({}, location, style=style, explode=explode), value)
    joined = ("; " if location == "cookie" else "&").join(map("=".join, written))
    text = written[0][1] if location == "path" else joined

    assert arguments(location, style, explode, kind, text) == {"p": value}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "separator"),
    [("spaceDelimited", "%20"), ("spaceDelimited", "+"), ("pipeDelimited", "%7C"), ("pipeDelimited", "|")],
)
@settings(max_examples=40)
@given(items=st.lists(TEXTS, min_size=2))
def test_reads_back_lists_with_separators_that_a_url_cannot_contain(style, separator, items):
    """OpenAPI 3.0.4: spaces and pipes MUST be percent-encoded. Where a pipe is not, an encoded one is part of an item."""
    unwritable = {"%20": " ", "+": " ", "%7C": "|", "|": ""}[separator]
    items = [item.replace(unwritable, "") for item in items]
    query = f"p={separator.join(quote(item, safe='') for item in items)}"
    assert service("query", style, False, "array").arguments(query) == {"p": items}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["array", "object", "scalar"])
@pytest.mark.parametrize(("location", "style", "explode"), [*STYLES, *OTHER_STYLES])
@settings(max_examples=30)
@given(text=st.text("ap=&,;.|%+[]0123456789CcFf", max_size=12))
def test_any_text_is_decoded_or_rejected(location, style, explode, kind, text):
    """No text of a client is an error of the server."""
    sent = f"{text.replace('/', '')}a" if location == "path" else f"p={text}"
    with suppress(InvalidRequest, MalformedPath):
        arguments(location, style, explode, kind, sent)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["array", "object", "scalar"])
@pytest.mark.parametrize("explode", [False, True])
@settings(max_examples=40)
@given(data=st.data())
def test_reads_back_cookies_of_their_own_style(explode, kind, data):
    """Such a cookie has no percent-encoding (OpenAPI 3.2, "Style Values", `cookie`)."""
    texts = st.text("a%2C=é|", min_size=1)
    names = st.sampled_from([*NAMED["properties"]])
    values = {
        "array": st.lists(texts, min_size=1),
        "object": st.dictionaries(names, texts, min_size=1),
        "scalar": texts,
    }
    value = data.draw(values[kind])
    if explode and kind != "scalar":
        pairs = value.items() if kind == "object" else [("p", one) for one in value]
        text = "; ".join(f"{name}={one}" for name, one in pairs)
    else:
        pieces = [part for pair in value.items() for part in pair] if kind == "object" else value
        text = f"p={value if kind == 'scalar' else ','.join(pieces)}"

    schema = {"array": STRINGS, "object": NAMED, "scalar": STRING}[kind]
    one = Service(parameter(schema, style="cookie", explode=explode, **{"in": "cookie"}), openapi="3.2.0")

    assert one.arguments(cookie=text) == {"p": value}


@pytest.mark.slow
@pytest.mark.parametrize(("style", "separator"), [("spaceDelimited", "%20"), ("pipeDelimited", "%7C")])
@settings(max_examples=40)
@given(value=st.dictionaries(FILLED, TEXTS, min_size=1))
def test_reads_back_objects_with_separators_that_a_url_cannot_contain(style, separator, value):
    """OpenAPI has them for objects since 3.1: names and values in turn."""
    unwritable = {"%20": " ", "%7C": "|"}[separator]
    value = {name.replace(unwritable, "_"): text.replace(unwritable, "") for name, text in value.items()}
    pieces = [part for pair in value.items() for part in pair]
    query = f"p={separator.join(quote(one, safe='') for one in pieces)}"
    assert service("query", style, False, "object").arguments(query) == {"p": value}


class TestASeparatorThatIsPercentEncoded:
    """It belongs to its item, unless no separator is plain and only the split value is valid."""

    @pytest.mark.parametrize(
        ("style", "query", "expected"),
        [
            ("form", "p=a%2Cb,c", ["a,b", "c"]),
            ("form", "p=a%2Cb", ["a,b"]),
            ("form", "p=a%2cb%252C", ["a,b%2C"]),
            ("pipeDelimited", "p=a%7Cb|c", ["a|b", "c"]),
            ("pipeDelimited", "p=a%7Cb", ["a", "b"]),
            ("pipeDelimited", "p=a,b%7Cb%2Cc", ["a,b", "b,c"]),
            ("spaceDelimited", "p=a%20b+c", ["a", "b", "c"]),
            ("spaceDelimited", "p=a%2Bb+c", ["a+b", "c"]),
        ],
    )
    def test_does_not_split_an_item(self, style, query, expected):
        assert service("query", style, False, "array").arguments(query) == {"p": expected}

    @pytest.mark.parametrize(
        ("schema", "query", "expected"),
        [
            (INTEGERS, "p=1%2C2", [1, 2]),
            ({**STRINGS, "minItems": 2}, "p=a%2Cb", ["a", "b"]),
            ({"type": "array", "items": {"enum": ["a", "b"]}}, "p=a%2Cb", ["a", "b"]),
            ({"type": "object", "additionalProperties": INTEGER}, "p=a%2C1", {"a": 1}),
        ],
    )
    def test_splits_where_nothing_else_is_valid(self, schema, query, expected):
        """Many clients encode a whole value: `requests.get(url, params={"p": "1,2"})`."""
        assert Service(parameter(schema, explode=False)).arguments(query) == {"p": expected}

    def test_does_not_split_next_to_a_plain_one(self):
        assert Service(parameter(INTEGERS, explode=False)).violations("p=1%2C2,3") == [
            ("query", "/p/0", "type")
        ]

    @pytest.mark.parametrize(
        ("style", "query"), [("spaceDelimited", "p=New%20York"), ("pipeDelimited", "p=a%7Cb")]
    )
    def test_of_a_style_that_needs_it_is_text_where_nothing_else_is_valid(self, style, query):
        items = {"type": "string", "enum": ["New York", "a|b"]}
        listing = Service(parameter({"type": "array", "items": items}, style=style, explode=False))
        (item,) = listing.arguments(query)["p"]
        assert item in items["enum"]

    @pytest.mark.parametrize(
        ("template", "path", "variables"),
        [
            ("/a/{ids}", "/a/x%2Cy,z", {"ids": ["x,y", "z"]}),
            ("/{ids}/a-{more}.{rest}", "/%C3%A9%2C,x/a-b%2C,%E2%82%AC.c", {"ids": ["é,", "x"], "more": ["b,", "€"], "rest": ["c"]}),
            ("/v%31/{ids}", "/v1/1%2C2,3", {"ids": ["1,2", "3"]}),
            ("/{ids}?x={more}", "/%2C,1", {"ids": [",", "1"]}),
        ],
    )  # fmt: skip
    def test_does_not_split_in_any_part_of_a_path(self, template, path, variables):
        parameters = [parameter(STRINGS, name, **{"in": "path"}) for name in variables]
        assert Service(*parameters, path=template).arguments(path=path) == variables

    def test_splits_a_path_of_a_server_that_passes_no_raw_path(self):
        """`raw_path` is optional in ASGI."""
        listing = Service(parameter(STRINGS, **{"in": "path"}), path="/{p}")
        assert listing.decoder.decode(Request({"p": "a,b%2C"}, b"", [], b"")) == {"p": ["a", "b%2C"]}


@pytest.mark.parametrize("text", ["100%", "%zz", "%ff", "%00", "a%2Cb"])
def test_a_cookie_that_is_no_list_is_not_percent_decoded(text):
    """Cookies have no encoding of their own, and another application may have set them."""
    assert service("cookie", "form", False, "scalar").arguments(cookie=f"p={text}") == {"p": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a%2Cb,c", ["a,b", "c"]), ("a,100%", ["a", "100%"]), ("a%2C,%ff", ["a%2C", "%ff"])],
)
def test_a_list_in_a_cookie_is_percent_decoded_if_all_of_it_can_be(text, expected):
    assert service("cookie", "form", False, "array").arguments(cookie=f"p={text}") == {"p": expected}


class TestAnObjectThatTakesAnyKey:
    """`additionalProperties`, style form, explode: the properties are sent like parameters."""

    FREE = Service(
        parameter(
            {"type": "object", "properties": {"n": INTEGER}, "additionalProperties": INTEGER}, "filter"
        ),
        parameter(STRING, "q"),
        parameter({"type": "object"}, "at", style="deepObject"),
        components={"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}},
    )

    def test_takes_the_keys_that_no_other_parameter_has(self):
        """Also the API key, which is a secret, belongs to another."""
        found = self.FREE.arguments("a=1&q=x&n=2&at[x]=1&api_key=3&filter=4&b=5")
        assert found == {"filter": {"n": 2, "a": 1, "filter": 4, "b": 5}, "q": "x", "at": {"x": "1"}}

    def test_is_absent_without_such_a_key(self):
        assert self.FREE.arguments("q=x&api_key=3") == {"q": "x"}
        assert Service(parameter(ANY_STRINGS, required=True)).violations("") == [("query", "/p", "required")]
        assert Service(parameter(ANY_STRINGS, required=True)).arguments("a=1") == {"p": {"a": "1"}}

    def test_is_validated(self):
        assert self.FREE.violations("a=x") == [("query", "/filter/a", "type")]

    @pytest.mark.parametrize(
        ("schema", "expected"),
        [
            ({"type": "object"}, {"a": "1", "n": "2"}),
            ({"type": "object", "additionalProperties": True}, {"a": "1", "n": "2"}),
            ({"type": "object", "properties": {"n": INTEGER}}, {"n": 2}),
            ({"type": "object", "properties": {"n": INTEGER}, "additionalProperties": False}, {"n": 2}),
            ({"allOf": [{"type": "object", "properties": {"n": INTEGER}}, {"additionalProperties": INTEGER}]}, {"a": 1, "n": 2}),
            ({"type": "object", "additionalProperties": INTEGERS}, {"a": [1], "n": [2]}),
        ],
    )  # fmt: skip
    def test_is_one_without_properties_or_with_additional_ones(self, schema, expected):
        assert Service(parameter(schema)).arguments("a=1&n=2") == {"p": expected}

    def test_of_a_form_takes_the_fields_that_no_other_property_has(self):
        properties = {
            "n": INTEGER,
            "at": {"type": "object"},
            "rest": {"type": "object", "additionalProperties": INTEGER},
        }
        encoding = {"rest": {"style": "form", "explode": True}, "at": {"style": "deepObject"}}
        free = Service(form={"schema": {"type": "object", "properties": properties}, "encoding": encoding})

        assert free.arguments(form="n=1&a=2&at[x]=3") == {
            "body": {"n": 1, "rest": {"a": 2}, "at": {"x": "3"}}
        }

    def test_shares_keys_with_others_by_what_their_schemas_accept(self):
        both = Service(
            parameter({"type": "object", "additionalProperties": INTEGER}, "numbers"),
            parameter(
                {"type": "object", "properties": {"x": STRING}, "additionalProperties": BOOLEAN}, "flags"
            ),
        )

        assert both.arguments("a=1&b=true&x=1") == {"numbers": {"a": 1}, "flags": {"b": True, "x": "1"}}
        assert both.violations("a=x") == [("query", "/numbers/a", "type")]


class TestSeveralShapes:
    """A schema may allow a text, a list and an object; each is read as its style writes it."""

    @pytest.mark.parametrize(
        ("query", "expected"), [("p=x", "x"), ("a=1", {"a": "1"}), ("p=x&a=1", "x"), ("p=x&p=y", None)]
    )
    def test_a_text_or_an_object_of_any_keys(self, query, expected):
        either = Service(parameter({"oneOf": [STRING, ANY_STRINGS]}))
        if expected is None:
            assert either.violations(query) == [("query", "/p", "style")]
        else:
            assert either.arguments(query) == {"p": expected}

    @pytest.mark.parametrize(
        ("schema", "query", "expected"),
        [
            ({"properties": {"n": INTEGER}}, "n=1", {"n": 1}),
            ({"allOf": [{"required": ["n"]}, {"additionalProperties": INTEGER}]}, "n=1", {"n": 1}),
            ({"items": INTEGER}, "p=1&p=2", [1, 2]),
            ({"properties": {"n": INTEGER}}, "p=x", "x"),
            ({}, "p=x", "x"),
        ],
    )
    def test_are_those_that_a_schema_without_a_type_implies(self, schema, query, expected):
        """Many contracts forget `type: object`."""
        assert Service(parameter(schema)).arguments(query) == {"p": expected}

    @pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
    @pytest.mark.parametrize(
        ("explode", "query", "expected"),
        [
            (True, "p=1&p=2", [1, 2]),
            (True, "x=1", {"x": 1}),
            (True, "p=true", True),
            (False, "p=1,2", [1, 2]),
            (False, "p=x,1", {"x": 1}),
            (False, "p=true", True),
        ],
    )
    def test_a_list_an_object_or_a_scalar(self, keyword, explode, query, expected):
        point = {
            "type": "object",
            "properties": {"x": INTEGER},
            "required": ["x"],
            "additionalProperties": False,
        }
        schema = {keyword: [BOOLEAN, {**INTEGERS, "minItems": 1}, point]}

        assert Service(parameter(schema, explode=explode)).arguments(query) == {"p": expected}


class TestAnEmptyValue:
    """`allowEmptyValue` of a query parameter (OpenAPI 3.0.3, "Parameter Object")."""

    @pytest.mark.parametrize("query", ["p=", "p"])
    @pytest.mark.parametrize(
        ("schema", "expected"),
        [
            (STRING, {"p": ""}),
            (INTEGER, {}),
            (BOOLEAN, {}),
            ({**INTEGER, "nullable": True}, {"p": None}),
            ({**INTEGER, "default": 7}, {"p": 7}),
            ({"type": "string", "enum": ["a"]}, {}),
            (INTEGERS, {"p": []}),
            ({**INTEGERS, "minItems": 1}, {}),
            ({"oneOf": [INTEGER, STRING]}, {"p": ""}),
        ],
    )
    def test_is_that_of_the_schema_or_counts_as_not_sent(self, schema, query, expected):
        assert Service(parameter(schema, allowEmptyValue=True)).arguments(query) == expected

    def test_of_a_required_parameter_is_none(self):
        assert Service(parameter(INTEGER, allowEmptyValue=True, required=True)).arguments("p") == {"p": None}

    def test_needs_to_be_allowed(self):
        assert Service(parameter(INTEGER)).violations("p=") == [("query", "/p", "type")]
        assert Service(parameter(INTEGER, allowEmptyValue=True)).violations("p=x") == [
            ("query", "/p", "type")
        ]


class TestUnknownKeys:
    """Typing errors of clients: `RELAY_UNKNOWN_QUERY=refuse`."""

    STRICT = Strictness(unknown_query=True)

    def test_are_refused(self):
        strict = Service(
            parameter(INTEGER, "limit"),
            parameter(POINT, "point"),
            parameter(ANY_STRINGS, "at", style="deepObject"),
            strictness=self.STRICT,
            components={"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}},
        )

        assert strict.arguments("limit=1&x=1&at[x]=1&api_key=k") == {
            "limit": 1,
            "point": {"x": 1},
            "at": {"x": "1"},
        }
        assert strict.violations("limti=1&at2[x]=1&point=1&a/b") == [
            ("query", f"/{key}", "unknown") for key in ("limti", "at2[x]", "point", "a~1b")
        ]

    def test_are_refused_where_no_parameter_is_documented(self):
        assert Service(strictness=self.STRICT).violations("a=1") == [("query", "/a", "unknown")]
        assert not Service(strictness=self.STRICT).decoder.has_no_input

    def test_are_ignored_otherwise(self):
        assert Service(parameter(INTEGER, "limit")).arguments("limti=1") == {}

    def test_do_not_exist_where_an_object_takes_any_key(self):
        assert Service(parameter(ANY_STRINGS), strictness=self.STRICT).arguments("a=1") == {"p": {"a": "1"}}
