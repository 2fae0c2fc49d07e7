"""Forms that arrive in pieces: `relay.validation.multipart`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay import Upload
from relay.validation.multipart import (
    MAX_HEADERS,
    MAX_PART_HEADER,
    MAX_PART_HEADERS,
    MAX_PARTS,
    Form,
    FormTooLarge,
)
from relay.validation.spools import Spool, Spools

BOUNDED = "multipart/form-data; boundary=b"
END = b"--b--\r\n"


def part(head, content=b""):
    lines = [head] if b"\r\n" in head else [b"Content-Disposition: form-data; " + head]
    return (
        b"--b\r\n" + b"".join(line.rstrip(b"\r\n") + b"\r\n" for line in lines) + b"\r\n" + content + b"\r\n"
    )


def parsed(body, size=None, *, limit=1000, content_type=BOUNDED):
    """Return a form that was fed with a body in pieces of a size; parts with a file name are files."""
    form = Form(content_type, Spool(Spools(1)), lambda _, has_file_name: has_file_name, limit)
    for start in range(0, len(body), size or len(body) or 1):
        form.feed(body[start : start + (size or len(body))])
    form.end()
    return form


def plain(form):
    assert form.fault is None
    return [
        (name, one.content.read() if isinstance(one.content, Upload) else one.content, one.media_type)
        for name, several in form.parts.items()
        for one in several
    ]


@pytest.mark.parametrize("size", [1, 2, 7, None])
def test_a_form_is_the_same_in_whatever_pieces_it_arrives(size):
    """The network cuts where it likes: within a boundary, a header or a character."""
    body = (
        part(b'name="a"', "é\r\n--".encode())
        + part(b'name="f"; filename="x \xc3\xa9.png"\r\nContent-Type: Image/PNG; q=1', b"\r\n--c\r\n-")
        + part(b'name="a"')
        + END
    )
    body = body.replace(b'name="f"', b'Content-Disposition: form-data; name="f"')

    form = parsed(body, size)

    assert plain(form) == [("a", "é\r\n--".encode(), ""), ("a", b"", ""), ("f", b"\r\n--c\r\n-", "image/png")]
    (file,) = form.parts["f"]
    assert file.content.name == "x é.png"
    assert file.content.headers["content-type"] == "Image/PNG; q=1"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=6), st.integers(1, 50))
def test_what_is_written_is_read(contents, size):
    """Any bytes, in any pieces, as long as they do not hold the boundary."""
    contents = [(is_file, data) for is_file, data in contents if b"\r\n--b" not in b"\r\n" + data]
    heads = [b'name="x"; filename=""' if is_file else b'name="x"' for is_file, _ in contents]
    body = b"".join(part(head, data) for head, (_, data) in zip(heads, contents, strict=True)) + END
    assert [content for _, content, _ in plain(parsed(body, size))] == [data for _, data in contents]


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.text('-b\r\n: ;="name', max_size=200).map(str.encode), st.integers(1, 30))
def test_any_bytes_are_a_form_or_a_fault(body, size):
    """Another exception would be a 500."""
    form = parsed(body, size)
    assert form.fault is None or isinstance(form.fault, ValueError)


@pytest.mark.parametrize("end", range(1, 40))
def test_a_truncated_form_is_a_fault(end):
    """Its last part may look complete."""
    body = part(b'name="a"', b"1") + END.rstrip()
    assert parsed(body[: -min(end, len(body))]).fault is not None


def test_a_fault_ends_the_reading():
    """The bytes that follow cost nothing."""
    form = parsed(b"garbage")
    form.feed(part(b'name="a"', b"1") + END)
    assert form.parts == {}


@pytest.mark.parametrize(
    "body",
    [
        part(b'name="a"') * (MAX_PARTS + 1),
        part(b"X: y\r\n"),
        b"--b\r\n" + b"X: y\r\n" * (MAX_PART_HEADERS + 1),
        b"--b\r\nX: " + b"y" * (MAX_PART_HEADER + 1),
        b"--b\r\n" + b"y" * (MAX_PART_HEADER + 1),
        b"".join(
            b"--b\r\nContent-Disposition: form-data; name=a\r\nX: " + b"y" * 4000 + b"\r\n\r\n\r\n"
            for _ in range(MAX_HEADERS // 4000 + 1)
        ),
        b"--b " + b" " * 10_000,
        b"\r\n" * 10_000,
        b"--b\r\n\r\nx\r\n" + END,
        part(b'name="\xff"', b"x") + END,
        part(b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64', b"!") + END,
        part(b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: bogus', b"x") + END,
    ],
    ids="parts,no name,headers,header,header name,all headers,padding,no boundary,no header,Latin-1,base64,bogus".split(
        ","
    ),
)
@pytest.mark.parametrize("size", [100, None])
def test_what_a_form_may_have_is_limited(body, size):
    """However long it is, the memory that it takes is bounded; what has two readings is refused."""
    assert parsed(body, size).fault is not None


def test_values_are_limited_together_and_files_are_not():
    """Values are in memory; files are limited by the whole body."""
    file = part(b'name="f"; filename="a"', b"f" * 5000)
    assert len(plain(parsed(part(b'name="a"', b"1" * 500) * 2 + file + END))) == 3
    with pytest.raises(FormTooLarge):
        parsed(part(b'name="a"', b"1" * 501) * 2 + END)


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", f"{BOUNDED}{'b' * 300}", f"{BOUNDED}other"],
)
def test_a_boundary_is_needed(content_type):
    """RFC 2046 section 5.1.1, which allows 70 characters."""
    assert parsed(part(b'name="a"') + END, content_type=content_type).fault is not None


@pytest.mark.parametrize(
    ("encoding", "content", "value"),
    [(b"base64", b"YWI=", b"ab"), (b"Quoted-Printable", b"a=62", b"ab"), (b"8bit", b"a=62", b"a=62")],
)
def test_decodes_transfer_encodings(encoding, content, value):
    """RFC 7578 section 4.7 deprecates them; some clients send them."""
    head = b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: ' + encoding
    assert plain(parsed(part(head, content) + END)) == [("a", value, "")]
