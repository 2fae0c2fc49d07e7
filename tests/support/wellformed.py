"""Well-formed requests with hostile contents, over the operations of a contract: for hypothesis."""

import json
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from relay.contract.model import Contract, Operation

from .wire import request

WORDS = [
    "", "1_0", "-0", "1e400", "NaN", "9" * 100, "9" * 101, "null", "true", "[]", "../../etc/passwd", "%00", "%2e", "a\0b", "' OR 1=1 --",
    "${jndi:ldap://a/b}", "{{7*7}}", "<script>alert(1)</script>", "\u202e\u2066", "\N{FULLWIDTH DIGIT ONE}", "\N{GRINNING FACE}" * 50,
    "0001-01-01", "9999-12-31", "2024-02-30", "64f0a1b2c3d4e5f6a7b8c9d1", "00000000-0000-0000-0000-000000000000", "$where", "a" * 5000,
]  # fmt: skip
NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**99, 0.1, 1e308, -5e-324]
SCALARS = st.sampled_from([*WORDS, *NUMBERS, None, True, False]) | st.text(max_size=20) | st.integers()
MEDIA_TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
]


def requests(contract: Contract, token: str, *canaries: str) -> st.SearchStrategy[bytes]:
    """Requests for any operation, in its own words or in others; all are HTTP, few are what it takes."""
    return st.sampled_from(contract.operations).flatmap(
        lambda operation: _request(operation, contract, token, canaries)
    )


@st.composite
def _request(draw, operation: Operation, contract: Contract, token: str, canaries: tuple[str, ...]) -> bytes:
    text = st.sampled_from([*canaries, *WORDS]) | st.text(
        st.characters(exclude_categories=["Cs"]), max_size=20
    )
    names = {
        location: [one.name for one in operation.parameters if one.location == location]
        for location in ("query", "header", "cookie")
    }
    path = contract.base_path + operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(draw(text), safe="") or "1")
    keys = st.sampled_from([*names["query"], "built[from]", "built[other][deeper]", "ids[]"]) | text
    query = urlencode(draw(st.lists(st.tuples(keys, text), max_size=4)))
    values = text.map(lambda value: bytes(one for one in value.encode() if one >= 32 and one != 127)[:9000])
    headers = [(name, draw(values)) for name in names["header"] if draw(st.booleans())]
    headers += [("Cookie", f"{name}={quote(draw(text))}") for name in names["cookie"] if draw(st.booleans())]
    credential = draw(st.sampled_from([f"Bearer {token}", f"Bearer {token}", f"Bearer {canaries[0]}", ""]))
    headers += [("Authorization", credential)] if credential else []
    body, content_type = draw(_bodies(operation, contract, text))
    headers += [("Content-Type", content_type)] if body is not None else []
    return request(operation.method.upper(), f"{path}?{query}" if query else path, body, *headers)


def _bodies(operation: Operation, contract: Contract, text: st.SearchStrategy[str]):
    """Bodies of the media types that are documented, and some that are not; None for none."""
    if operation.body is None:
        return st.just((None, ""))
    schemas = [contract.resolve(schema) for schema in operation.body.content.values()]
    keys = (
        st.sampled_from([key for schema in schemas for key in schema.get("properties", {})] or ["a"]) | text
    )
    keys = keys.filter(lambda key: "cnry" not in key)
    values = st.recursive(
        SCALARS | text, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )  # fmt: skip
    objects = st.dictionaries(keys, values, max_size=6)
    media_types = st.sampled_from([*operation.body.content, *operation.body.content, *MEDIA_TYPES])
    return st.tuples(objects | values, media_types).map(lambda drawn: (_written(*drawn), _bounded(drawn[1])))


def _bounded(media_type: str) -> str:
    return "multipart/form-data; boundary=b" if media_type.startswith("multipart/") else media_type


def _written(value, media_type: str) -> bytes:
    fields = value.items() if isinstance(value, dict) else [("a", value)]
    if media_type.startswith("multipart/"):
        parts = [
            b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
            % (quote(name).encode(), str(one).encode("utf-8", "replace"))
            for name, one in fields
        ]
        return b"".join([*parts, b"--b--\r\n"])
    if media_type == "application/x-www-form-urlencoded":
        return urlencode([(name, str(one)) for name, one in fields], errors="replace").encode()
    if media_type == "application/json":
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return str(value).encode("utf-8", "replace")
