"""Pages, and how sources resolve to them: `scripts/relay/importer/pages.py` and `import_sources.py`."""

import json
from pathlib import Path

import pytest
import yaml

from relay.contract.diagnostics import SetupError
from relay.contract.documents import display
from relay.importer import import_sources as sources
from relay.importer.import_sources import Reader
from support.documenting import page, thing

LIMIT = 1 << 20


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**files):
    """Write documents as pages (`name_md`) or OpenAPI files (`name_yaml`), and texts as they are; `__` is a slash."""
    for name, content in files.items():
        path = Path(".".join(name.replace("__", "/").rsplit("_", 1)))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_as = page if path.suffix == ".md" else yaml.safe_dump
        path.write_text(content if isinstance(content, str) else write_as(content), "utf-8")


def read(*given, limit=LIMIT):
    return Reader(limit).read(given)


def names(found):
    return [source.name for source in found]


def problems_of(*given, limit=LIMIT):
    with pytest.raises(SetupError) as raised:
        read(*given, limit=limit)
    return [str(problem) for problem in raised.value.problems]


def test_finds_the_block_of_a_page():
    """Only the fence with an OpenAPI document counts; its locations are lines of the page."""
    write(p_md=thing("pet"))

    (source,) = read("p.md")

    assert source.data == thing("pet")
    line = page(thing("pet")).splitlines().index("    get:") + 1
    assert str(source.place(("paths", "/pet", "get"))) == f"p.md:{line}:5"


@pytest.mark.parametrize("prefix", ["> ", "  ", "- ", "1. > "])
def test_knows_the_column_of_a_block_inside_a_quote_or_list(prefix):
    """Locations have the columns of the page, as an editor opens the page and not the block."""
    lines = page(thing("pet")).split("## OpenAPI\n\n")[1].splitlines()
    rest = "".join(char if char == ">" else " " for char in prefix.replace("1. ", "   "))
    text = "\n".join((prefix if index == 0 else rest) + line for index, line in enumerate(lines))
    write(p_md=text + "\n")

    (source,) = read("p.md")

    row = next(index for index, line in enumerate(text.splitlines(), 1) if line.endswith("/pet:"))
    column = text.splitlines()[row - 1].index("/pet") + 1
    assert str(source.place(("paths", "/pet"))) == f"p.md:{row}:{column}"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("info: {title: x, version: '1'}\ninfo: {}", "17:1: duplicate key 'info', first in line 16; keep one"),
        ("info: {title: x, version: '1'}\npaths: {}\n x: 1", "18:2: is not YAML: did not find expected key"),
        ("info: {title: x}\npaths: {}", "16:1: 'version' is missing"),
        ("info: !mine {}\npaths: {}", "16:7: the tag !mine is not allowed; a contract is plain data"),
    ],
)  # fmt: skip
def test_reports_problems_in_a_block_at_the_line_of_the_page(broken, message):
    write(p_md=page(f"openapi: 3.0.3\n{broken}"))

    assert message in [problem.removeprefix("p.md:") for problem in problems_of("p.md")]


def test_a_named_page_needs_exactly_one_block():
    """With two blocks it is unclear which is meant; a page without one documents something else."""
    two = page(thing("a")) + page(thing("b"), fence="~~~")
    write(two_md=two, none_md="# Words\n\n```yaml\na: 1\n```\n")

    lines = [number for number, line in enumerate(two.splitlines(), 1) if "yaml /api" in line]

    assert problems_of("two.md", "none.md") == [
        f"two.md: has OpenAPI blocks in lines {lines[0]} and {lines[1]}; a page needs exactly one",
        "none.md: has no ```yaml block with OpenAPI in it; a page needs exactly one",
    ]


def test_a_fence_inside_a_fence_is_text():
    """Only a Markdown parser detects this; a regular expression would find two blocks."""
    document = thing("a")
    document["info"]["description"] = "Write it so:\n```yaml\nopenapi: 3.0.3\n```\n"
    write(p_md=page(document, fence="````"))

    (source,) = read("p.md")

    assert source.data == document


def test_an_mdx_page_may_have_components_around_its_block():
    """MDX has no HTML blocks, which would contain the fence."""
    block = page(thing("a")).split("## OpenAPI\n\n")[1]
    write(p_mdx=f"<Card>\n{block}</Card>\n")

    (source,) = read("p.mdx")

    assert source.data == thing("a")


def test_no_template_is_evaluated():
    text = "{{ 7 * 7 }} {% raw %} ${HOME} <%= 1 %>"
    write(p_md=thing("a", {"type": "string", "default": text}))

    (source,) = read("p.md")

    assert source.data["components"]["schemas"]["a"]["default"] == text


@pytest.mark.parametrize("ref", ["https://example.com/a.yaml#/X", "/etc/passwd", "other.yaml#/X"])
def test_a_page_must_not_refer_to_files_or_addresses(ref):
    """An untrusted page must not cause a read of other files or addresses."""
    write(other_yaml="X: {type: string}", p_md=thing("a", {"allOf": [{"$ref": ref}]}))

    (problem,) = problems_of("p.md")

    assert f"'{ref}' is a remote reference and is not fetched" in problem


def test_a_named_openapi_file_may_refer_to_other_files():
    """The user named it, so it is trusted."""
    write(parts_yaml="X: {type: string}", api_yaml=thing("a", {"$ref": "parts.yaml#/X"}))

    (source,) = read("api.yaml")

    assert source.data["components"]["schemas"]["X"] == {"type": "string"}


def test_reads_a_folder_in_order_and_skips_other_pages():
    write(docs__b__page_md=thing("b"), docs__a__page_md=thing("a"), docs__words_md="# Words\n")

    assert names(read("docs", "docs/a/page.md")) == ["docs/a/page.md", "docs/b/page.md"]


def test_reads_the_pages_of_a_local_index_only_inside_its_folder():
    """An untrusted index must not lead out of its folder or to the network."""
    links = "a%20b.md ./a%20b.md#part ../outside.md https://127.0.0.1:1/x.md a%00b.md picture.png".split()
    index = "".join(f"- [x]({link}): y\n" for link in links)
    write(outside_md=thing("outside"), docs__llms_txt=index, **{"docs__a b_md": thing("a")})
    reader = Reader(LIMIT)

    found = reader.read(["docs/llms.txt"])

    assert names(found) == ["docs/a b.md"]
    (note,) = reader.notes
    assert note.line == (
        "docs/llms.txt: info: 3 of its links lead out of its folder and were not followed; "
        "name each page that you need as a SOURCE [not-followed]"
    )


def test_a_file_from_an_index_must_not_refer_to_other_files():
    document = thing("a", {"$ref": "secret.yaml#/Z"})
    write(docs__secret_yaml="Z: {type: string}", docs__p_yaml=document, docs__llms_txt="[x](p.yaml)\n")

    (problem,) = problems_of("docs/llms.txt")

    assert problem.startswith("docs/p.yaml:")
    assert "'secret.yaml#/Z' is a remote reference and is not fetched" in problem
    assert names(read("docs/llms.txt", "docs/p.yaml")) == ["docs/p.yaml"]


@pytest.mark.parametrize("given", ["docs", "docs/llms.txt"])
def test_symbolic_links_out_of_a_folder_are_not_followed(folder, given):
    """An untrusted folder must not lead to files outside it."""
    index = "[x](own.md) [x](near.md) [x](far.md)\n"
    write(secret_md=thing("secret"), docs__own_md=thing("own"), docs__llms_txt=index)
    for link, target in (("far", folder / "secret.md"), ("near", "own.md"), ("loop", "loop.md")):
        (folder / "docs" / f"{link}.md").symlink_to(target)
    reader = Reader(LIMIT)

    found = reader.read([given])

    assert names(found) == ["docs/own.md"]
    (note,) = reader.notes
    assert note.line.startswith(f"{given}: info: 1 of its links lead out of ")


def test_a_file_name_is_not_parsed_as_an_address():
    """`#` and `?` end the path of an address, but are part of a file's name."""
    write(**{"api#1?_yaml": thing("a")})

    assert names(read("api#1?.yaml")) == ["api#1?.yaml"]


def test_reports_all_problems_of_all_pages(folder):
    (folder / "a.md").write_bytes(b"\xff")
    write(b_md="x" * 101)

    assert problems_of("a.md", "b.md", "c.md", "d.doc", "http://e.com/f.md", limit=100) == [
        "d.doc: is neither a page (.md, .mdx), OpenAPI, a folder, an llms.txt nor an https:// address",
        "http://e.com/f.md: only https:// addresses are fetched; give one, or a file",
        "a.md: is not UTF-8; save it as UTF-8",
        "b.md: is larger than 100 bytes; raise --max-size",
        "c.md: cannot be read: No such file or directory",
    ]


def test_refuses_a_page_that_aliases_make_large():
    """A few lines of nested aliases would expand to a very large document."""
    lines = [f"a0: &a0 [{'x' * 40}, {'x' * 40}]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 8)]
    block = "\n".join(["openapi: 3.0.3", "x-grow:", *(f"  {line}" for line in lines)])
    write(p_md=page(block))

    assert problems_of("p.md") == ["p.md:15:1: expands to more than 1,048,576 bytes through its aliases"]


@pytest.mark.parametrize("levels", [100, 900])
def test_refuses_a_page_that_is_nested_too_deeply(levels):
    deep = json.dumps(thing("a")).replace('"type": "object"', '"default": ' + "[" * levels + "]" * levels)
    write(p_md=page(deep))

    (problem,) = problems_of("p.md")

    assert problem.startswith("p.md:")
    assert "nested deeper than 100 levels" in problem


def test_the_number_of_pages_is_limited(folder, monkeypatch):
    """An index may be untrusted."""
    monkeypatch.setattr(sources, "MAX_PAGES", 2)
    write(a_md=thing("a"), b_md=thing("b"), c_md=thing("c"))

    assert problems_of(display(folder)) == [f"{display(folder)}: leads to more than 2 pages; name fewer"]


def test_a_source_without_any_openapi_is_an_error(folder):
    """A wrong folder must not look like a success."""
    (folder / "docs").mkdir()

    assert problems_of("docs") == ["docs: has no page with an OpenAPI block"]
