"""Pages and what leads to them: `scripts/relay/importer/pages.py` and `sources.py`."""

from __future__ import annotations

import json

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
    """The working directory of a test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(*given, limit=LIMIT):
    """Read sources."""
    return Reader(limit).read(given)


def problems_of(*given, limit=LIMIT):
    """The problems that sources are refused for."""
    with pytest.raises(SetupError) as raised:
        read(*given, limit=limit)
    return [str(problem) for problem in raised.value.problems]


def test_finds_the_block_of_a_page(folder):
    """Beside prose and examples, the one fence that is an OpenAPI document, at the lines of the page."""
    (folder / "p.md").write_text(page(thing("pet")), "utf-8")

    (source,) = read("p.md")

    assert source.data == thing("pet")
    line = (folder / "p.md").read_text("utf-8").splitlines().index("    get:") + 1
    assert str(source.place(("paths", "/pet", "get"))) == f"p.md:{line}:5"


@pytest.mark.parametrize("prefix", ["> ", "  ", "- ", "1. > "])
def test_knows_the_column_of_a_block_inside_a_quote_or_list(folder, prefix):
    """The page's own columns: an editor opens the page, not the block."""
    lines = page(thing("pet")).split("## OpenAPI\n\n")[1].splitlines()
    rest = "".join(char if char == ">" else " " for char in prefix.replace("1. ", "   "))
    text = "\n".join((prefix if index == 0 else rest) + line for index, line in enumerate(lines))
    (folder / "p.md").write_text(text + "\n", "utf-8")

    (source,) = read("p.md")

    row = next(index for index, line in enumerate(text.splitlines(), 1) if line.endswith("/pet:"))
    column = text.splitlines()[row - 1].index("/pet") + 1
    assert str(source.place(("paths", "/pet"))) == f"p.md:{row}:{column}"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (
            "info: {title: x, version: '1'}\ninfo: {}",
            "17:1: duplicate key 'info', first in line 16; keep one",
        ),
        ("info: {title: x, version: '1'}\npaths: {}\n x: 1", "18:2: is not YAML: did not find expected key"),
        ("info: {title: x}\npaths: {}", "16:1: 'version' is missing"),
        ("info: !mine {}\npaths: {}", "16:7: the tag !mine is not allowed; a contract is plain data"),
    ],
)
def test_tells_what_is_wrong_in_a_block_at_the_pages_own_line(folder, broken, told):
    """Nobody wants to count from the fence."""
    (folder / "p.md").write_text(page(f"openapi: 3.0.3\n{broken}"), "utf-8")

    assert told in [problem.removeprefix("p.md:") for problem in problems_of("p.md")]


def test_wants_exactly_one_block_of_a_page(folder):
    """Which of two is meant nobody could say; none is a page of something else."""
    (folder / "two.md").write_text(page(thing("a")) + page(thing("b"), fence="~~~"), "utf-8")
    (folder / "none.md").write_text("# Words\n\n```yaml\na: 1\n```\n", "utf-8")

    lines = [
        n
        for n, line in enumerate((folder / "two.md").read_text("utf-8").splitlines(), 1)
        if "yaml /api" in line
    ]

    assert problems_of("two.md", "none.md") == [
        f"two.md: has OpenAPI blocks in lines {lines[0]} and {lines[1]}; a page has exactly one",
        "none.md: has no ```yaml block with OpenAPI in it; a page has exactly one",
    ]


def test_a_fence_inside_a_fence_is_text(folder):
    """Only a parser of Markdown knows; a pattern would find two."""
    document = thing("a")
    document["info"]["description"] = "Write it so:\n```yaml\nopenapi: 3.0.3\n```\n"
    (folder / "p.md").write_text(page(document, fence="````"), "utf-8")

    (source,) = read("p.md")

    assert source.data == document


def test_a_page_of_mdx_has_components_around_its_block(folder):
    """There is no HTML in MDX, whose blocks would swallow the fence."""
    block = page(thing("a")).split("## OpenAPI\n\n")[1]
    (folder / "p.mdx").write_text(f"<Card>\n{block}</Card>\n", "utf-8")

    (source,) = read("p.mdx")

    assert source.data == thing("a")


def test_no_template_is_evaluated(folder):
    """Whatever looks like one is what the publisher wrote."""
    text = "{{ 7 * 7 }} {% raw %} ${HOME} <%= 1 %>"
    document = thing("a", {"type": "string", "default": text})
    (folder / "p.md").write_text(page(document), "utf-8")

    (source,) = read("p.md")

    assert source.data["components"]["schemas"]["a"]["default"] == text


@pytest.mark.parametrize("ref", ["https://example.com/a.yaml#/X", "/etc/passwd", "other.yaml#/X"])
def test_a_page_refers_to_nothing_outside(folder, ref):
    """A page that was found somewhere must not make us read files or addresses."""
    (folder / "other.yaml").write_text("X: {type: string}", "utf-8")
    (folder / "p.md").write_text(page(thing("a", {"allOf": [{"$ref": ref}]})), "utf-8")

    (problem,) = problems_of("p.md")

    assert f"'{ref}' is elsewhere and never fetched" in problem


def test_an_openapi_file_may_refer_to_files_beside_it(folder):
    """It is ours, and it was named."""
    (folder / "parts.yaml").write_text("X: {type: string}", "utf-8")
    (folder / "api.yaml").write_text(yaml.safe_dump(thing("a", {"$ref": "parts.yaml#/X"})), "utf-8")

    (source,) = read("api.yaml")

    assert source.data["components"]["schemas"]["X"] == {"type": "string"}


def test_reads_a_folder_in_order_and_leaves_other_pages_alone(folder):
    """Documentation is more than operations."""
    for name in ("b", "a"):
        (folder / "docs" / name).mkdir(parents=True)
        (folder / "docs" / name / "page.md").write_text(page(thing(name)), "utf-8")
    (folder / "docs" / "words.md").write_text("# Words\n", "utf-8")

    assert [source.name for source in read("docs", "docs/a/page.md")] == ["docs/a/page.md", "docs/b/page.md"]


def test_reads_what_a_local_index_lists_and_nothing_beyond_its_folder(folder):
    """An index that somebody sent must not lead out of where it lies, nor to the network."""
    (folder / "docs").mkdir()
    (folder / "outside.md").write_text(page(thing("outside")), "utf-8")
    (folder / "docs" / "a b.md").write_text(page(thing("a")), "utf-8")
    links = [
        "a%20b.md",
        "./a%20b.md#part",
        "../outside.md",
        "https://127.0.0.1:1/x.md",
        "a%00b.md",
        "picture.png",
    ]
    (folder / "docs" / "llms.txt").write_text("".join(f"- [x]({link}): y\n" for link in links), "utf-8")
    reader = Reader(LIMIT)

    found = reader.read(["docs/llms.txt"])

    assert [source.name for source in found] == ["docs/a b.md"]
    (note,) = reader.notes
    assert note.line == (
        "docs/llms.txt: info: 3 of its links lead out of its folder and were not followed; "
        "name what is needed as a SOURCE [not-followed]"
    )


def test_a_file_that_an_index_lists_refers_to_nothing_outside(folder):
    """Nobody vouched for it; one that is named itself is ours."""
    (folder / "docs").mkdir()
    (folder / "secret.yaml").write_text("Z: {type: string}", "utf-8")
    document = thing("a", {"$ref": "../secret.yaml#/Z"})
    (folder / "docs" / "p.yaml").write_text(yaml.safe_dump(document), "utf-8")
    (folder / "docs" / "llms.txt").write_text("[x](p.yaml)\n", "utf-8")

    (problem,) = problems_of("docs/llms.txt")

    assert problem.startswith("docs/p.yaml:")
    assert "'../secret.yaml#/Z' is elsewhere and never fetched" in problem
    assert [source.name for source in read("docs/llms.txt", "docs/p.yaml")] == ["docs/p.yaml"]


@pytest.mark.parametrize("given", ["docs", "docs/llms.txt"])
def test_a_link_of_the_disk_leads_nowhere_out_of_a_folder(folder, given):
    """A folder that somebody sent is read, and nothing that it points at."""
    (folder / "docs").mkdir()
    (folder / "secret.md").write_text(page(thing("secret")), "utf-8")
    (folder / "docs" / "own.md").write_text(page(thing("own")), "utf-8")
    (folder / "docs" / "far.md").symlink_to(folder / "secret.md")
    (folder / "docs" / "near.md").symlink_to("own.md")
    (folder / "docs" / "loop.md").symlink_to("loop.md")
    (folder / "docs" / "llms.txt").write_text("[x](own.md) [x](near.md) [x](far.md)\n", "utf-8")
    reader = Reader(LIMIT)

    found = reader.read([given])

    assert [source.name for source in found] == ["docs/own.md"]
    (note,) = reader.notes
    assert note.line.startswith(f"{given}: info: 1 of its links lead out of ")


def test_the_name_of_a_file_is_no_address(folder):
    """What would end the path of an address is part of a file's name."""
    (folder / "api#1?.yaml").write_text(yaml.safe_dump(thing("a")), "utf-8")

    assert [source.name for source in read("api#1?.yaml")] == ["api#1?.yaml"]


def test_tells_every_problem_of_every_page(folder):
    """Nobody wants to start again for each of them."""
    (folder / "a.md").write_bytes(b"\xff")
    (folder / "b.md").write_text("x" * 101, "utf-8")

    assert problems_of("a.md", "b.md", "c.md", "d.doc", "http://e.com/f.md", limit=100) == [
        "d.doc: is neither a page (.md, .mdx), OpenAPI, a folder, an llms.txt nor an https:// address",
        "http://e.com/f.md: only https:// addresses are fetched; give one, or a file",
        "a.md: is not UTF-8; a page has to be",
        "b.md: has more than 100 bytes; --max-size allows more",
        "c.md: cannot be read: No such file or directory",
    ]


def test_refuses_a_page_that_aliases_make_large(folder):
    """A few lines that double each other would be written out in full."""
    lines = ["a0: &a0 [xxxxxxxx, xxxxxxxx]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 10)]
    block = "\n".join(["openapi: 3.0.3", "x-grow:", *(f"  {line}" for line in lines)])
    (folder / "p.md").write_text(page(block), "utf-8")

    assert problems_of("p.md") == ["p.md:15:1: expands to more than 1,048,576 bytes through its aliases"]


@pytest.mark.parametrize("levels", [100, 900])
def test_refuses_a_page_that_is_nested_too_deeply(folder, levels):
    """In a line, whichever of the readers would give up."""
    deep = json.dumps(thing("a")).replace('"type": "object"', '"default": ' + "[" * levels + "]" * levels)
    (folder / "p.md").write_text(page(deep), "utf-8")

    (problem,) = problems_of("p.md")

    assert problem.startswith("p.md:")
    assert "nested deeper than 100 levels" in problem


def test_reads_so_many_pages_and_no_more(folder, monkeypatch):
    """An index is somebody else's."""
    monkeypatch.setattr(sources, "MAX_PAGES", 2)
    for name in "abc":
        (folder / f"{name}.md").write_text(page(thing(name)), "utf-8")

    assert problems_of(display(folder)) == [f"{display(folder)}: leads to more than 2 pages; name fewer"]


def test_says_when_there_is_nothing_to_import(folder):
    """A wrong folder is a mistake, not a success."""
    (folder / "docs").mkdir()

    assert problems_of("docs") == ["docs: has no page with an OpenAPI block"]
