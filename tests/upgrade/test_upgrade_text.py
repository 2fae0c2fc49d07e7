"""Text that no step changed keeps every byte: `scripts/relay/importer/tree_building.py` and the writers."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.contract.documents import parse_source
from relay.importer.block_text import Writer
from relay.importer.flow_text import FlowWriter
from relay.importer.source_text import SourceText
from relay.importer.tree_building import build
from relay.importer.yaml_text import block, inline
from support.running import ROOT
from support.upgrading import data_of, rewritten

FILES = [
    path
    for folder in (ROOT / "tests" / "specs", ROOT / "spec")
    for path in sorted(folder.rglob("*"))
    if path.suffix in (".yaml", ".json")
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


def again(path, source, *, is_kept, shares=True):
    """A file after it was read and written; without `is_kept`, every collection is composed from its members."""
    document, problems = parse_source(path, source)
    if problems:
        return source
    layout = SourceText(document)
    with pytest.MonkeyPatch.context() as patch:
        if not is_kept:
            patch.setattr(FlowWriter, "_is_clean", lambda *_: False)
        return Writer(layout, shares=shares).written(build(layout, shares=shares))


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_written_as_it_was_read(path):
    """Also where each of its parts is written anew: comments, blank lines, quotes, indentation, flow style."""
    source = path.read_bytes()

    assert again(path, source, is_kept=True) == source
    assert again(path, source, is_kept=False) == source


@settings(deadline=None)
@given(DATA, DATA)
@example({"": {"": None}}, {"": [[None], {"": {"x": {}}}]})  # keys with `?` in each other
def test_so_is_any_data(one, other):
    """Multi-line and folded texts, keys that need quotes, empty lists and objects."""
    for text in (block({"a": one, "b": [other]}), inline({"a": one, "b": [other]}, 0)):
        source = text.encode()
        assert again(Path("c.yaml"), source, is_kept=True) == source
        assert data_of(again(Path("c.yaml"), source, is_kept=False).decode()) == data_of(text)


LAYOUTS = """\
%YAML 1.2
---
# head
openapi: 3.0.3
info:
    title: |2
       indented
      text
    version: >-
      folded

      text   # no comment
paths:
  /a/{b}:
    # a comment
    get: { responses: { 200: {description: "q: '", }, } }  # trailing comma
    parameters:
    -   name: b
        in: path
        required: true   # of course

        schema:
          type: string
          nullable: true
    - name: c
      in: query
      schema: {
        type: string,   # flow on several lines
        nullable: true,
        example: x
      }
"""


def test_writes_anew_only_what_changes():
    assert rewritten(LAYOUTS) == LAYOUTS.replace("openapi: 3.0.3", "openapi: 3.1.1").replace(
        "          type: string\n          nullable: true\n", '          type: [string, "null"]\n'
    ).replace(
        "        type: string,   # flow on several lines\n        nullable: true,\n        example: x\n",
        '        type: [string, "null"],\n        examples: [x]\n',
    )


ALIASES = """\
openapi: 3.0.3
info: {title: T, version: '1'}
x-common: &common
  type: string
  nullable: true
paths: {}
components:
  schemas:
    A: &a
      type: integer   # a number
      nullable: true
    B:
      properties:
        a: *a
        c:
          <<: *common
          maxLength: 3
"""


def test_keeps_aliases_where_they_still_say_the_same():
    """An anchor and its aliases change together; what a merge key can no longer say is written out."""
    found = rewritten(ALIASES)

    assert "        a: *a\n" in found
    assert "    A: &a\n      type: [integer, 'null']   # a number\n" in found
    schemas = data_of(found)["components"]["schemas"]
    assert schemas["B"]["properties"] == {
        "a": {"type": ["integer", "null"]},
        "c": {"type": ["string", "null"], "maxLength": 3},
    }
    assert data_of(found)["x-common"] == {"type": "string", "nullable": True}


def test_writes_aliases_out_that_mean_different_things():
    """The operations have one list of parameters, and other media types."""
    text = """\
swagger: '2.0'
info: {title: T, version: '1'}
paths:
  /a:
    put:
      consumes: [text/xml]
      parameters: &body
        - {name: body, in: body, schema: {type: object}}   # the body
      responses: &ok
        200: {description: ok}
    post:
      parameters: *body
      responses: *ok
"""

    found = data_of(rewritten(text))["paths"]["/a"]

    assert found == {
        method: {
            "requestBody": {"content": {name: {"schema": {"type": "object"}}}},
            "responses": {"200": {"description": "ok"}},
        }
        for method, name in (("put", "text/xml"), ("post", "application/json"))
    }


@pytest.mark.parametrize("name", ["c.yaml", "c.json"])
def test_keeps_unicode_and_the_byte_order_mark(name):
    text = '\ufeff{"openapi": "3.0.3", "info": {"title": "\\u00e9 é 😀", "version": "1"}, "paths": {}}'

    assert rewritten(text, name=name) == text.replace("3.0.3", "3.1.1")


@pytest.mark.parametrize("written", ["swagger: 2.0", "swagger: '2.0'", "openapi: 3.0", "openapi: 3.0.0"])
def test_reads_a_version_that_is_a_number(written):
    """The quotes are often forgotten; where there are some, they stay."""
    version = "'3.1.1'" if "'" in written else "3.1.1"

    assert rewritten(f"{written}\npaths: {{}}\n") == f"openapi: {version}\npaths: {{}}\n"


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n# end\n", "\n...\n"])
def test_keeps_the_end_of_a_file(end):
    text = f"paths: {{}}\ninfo:\n  title: T\n  version: '1'\nopenapi: 3.0.3{end}"

    assert rewritten(text) == text.replace("3.0.3", "3.1.1")


def test_writes_the_comments_of_the_file_once_though_its_first_field_goes():
    text = "# head\nconsumes: [text/xml]\nswagger: '2.0'\npaths: {}\n"

    assert rewritten(text) == "# head\nopenapi: '3.1.1'\npaths: {}\n"
