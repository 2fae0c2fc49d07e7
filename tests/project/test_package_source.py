"""Hand-written code survives any change of the contract: `relay.codegen`, end to end."""

import io
import re
import tokenize
from collections import Counter
from dataclasses import replace

import libcst as cst
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from relay.project.package_source import Sources, read_sources
from support.hosting import contract, put
from support.scaffolded import FOLDER, check, in_sync, regenerated, state_of

LEFT_TO_A_PERSON = {
    "stale-handler",
    "moved-handler",
    "extra-argument",
    "misnamed-argument",
    "unknown-type",
    "unread-handler",
}
"""Rules of findings that `regenerate` reports and leaves to a person."""

SCHEMAS = [
    {"type": "string"},
    {"type": "integer", "nullable": True},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
    {"$ref": "#/components/schemas/Other"},
    {},
]
NAMES = ["limit", "pageSize", "X-Trace", "id", "colour"]
TAGS = ["Things", "Other Things", "Warnings"]

parameters = st.lists(
    st.tuples(st.sampled_from(NAMES), st.booleans(), st.sampled_from(SCHEMAS)),
    max_size=3,
    unique_by=lambda one: one[0],
)
operations = st.fixed_dictionaries(
    {
        "tag": st.sampled_from(TAGS),
        "parameters": parameters,
        "body": st.none() | st.tuples(st.booleans(), st.sampled_from(SCHEMAS)),
        "answer": st.none() | st.sampled_from(SCHEMAS),
    }
)
contracts = st.dictionaries(st.integers(0, 5), operations, max_size=5)
"""Operations by number, which is also their path."""

bodies = st.lists(
    st.sampled_from(
        [
            "x = 1  # {mark} a remark",
            "return   limit",
            "call(page_size=1, colour = 2)",
            "def limit(): return page_size",
            "'''text with limit'''",
            "return {handlers}",
            "if x:\n        # {mark} deeper\n        y = [1,\n            2]",
            "raise NotImplementedError",
        ]
    ),
    min_size=1,
    max_size=4,
)
styles = st.sampled_from(["as it is", "plain", "collaborator", "bare", "anything", "annotated"])
decorators = st.sampled_from(["", "@decorated\n", "@decorated(  # {mark} why\n    1)\n# {mark} below\n"])
edits = st.fixed_dictionaries(
    {
        "removed": st.sets(st.integers(0, 5), max_size=2),
        "renamed": st.sets(st.integers(0, 5), max_size=3),
        "changed": st.dictionaries(st.integers(0, 5), operations, max_size=3),
        "swapped": st.booleans(),
    }
)


def document(model, names):
    paths = {}
    for number, one in model.items():
        operation = {
            "operationId": names.get(number, f"op_{number}"),
            "tags": [one["tag"]],
            "parameters": [
                {"name": name, "in": "query", "required": required, "schema": schema}
                for name, required, schema in one["parameters"]
            ],
            "responses": {"200": {"description": "", **content(one["answer"])}},
        }
        if one["body"] is not None:
            required, schema = one["body"]
            operation["requestBody"] = {"required": required, **content(schema)}
        paths[f"/{number}"] = {"post": operation}
    thing = {"type": "object", "properties": {}}
    return contract(paths, components={"schemas": {"Thing": thing, "Other": thing}})


def content(schema):
    return {} if schema is None else {"content": {"application/json": {"schema": schema}}}


def inhabited(sources, data):
    """Write random bodies, decorators, comments and signature styles into every handler."""
    changes = {}
    for path, source in sources.files.items():
        if path.name.startswith("_"):
            continue
        names = re.findall(r"^async def (\w+)", source.decode(), flags=re.MULTILINE)

        def own(match, names=names):
            mark = f"mark_{match[1]}"
            lines = data.draw(bodies)
            head = styled(match[0].split(':\n    """')[0], data.draw(styles))
            body = "\n".join(f"    {line}" for line in ["'mine'", *lines])
            made = f"{data.draw(decorators)}{head}:\n{body}\n"
            return made.replace("{mark}", mark).replace("{handlers}", ", ".join([*names, mark]))

        written = re.sub(
            r"^async def (\w+)\(.*?\n    raise NotImplementedError\n",
            own,
            source.decode(),
            flags=re.MULTILINE | re.DOTALL,
        )
        changes[path] = written.encode()
    return sources.changed(changes)


def styled(head, style):
    match style:
        case "plain":
            return head.removeprefix("async ")
        case "collaborator":
            return head.replace("(*, ", "(*, store,  ").replace("()", "(store)")
        case "bare":
            return (
                re.sub(r"\) -> .*", ")", re.sub(r": [^=,]*?(?=[,)]| =)", "", head))
                if "[" not in head
                else head
            )
        case "anything":
            return re.sub(r"\(.*\)", "(**given)", head)
        case "annotated":
            return re.sub(r"-> .*", "-> Mine", head)
    return head


def written_by_people(sources):
    """Return the bodies and decorators of the handlers, and every comment."""
    functions, remarks = {}, Counter()
    for path, source in sources.files.items():
        if path.name.startswith("_"):
            continue
        tree = cst.parse_module(source)
        for node in tree.body:
            if isinstance(node, cst.FunctionDef) and "'mine'" in tree.code_for_node(node.body):
                functions[node.name.value] = tree.code_for_node(
                    node.with_changes(params=cst.Parameters(), returns=None, name=cst.Name("f"))
                )
        tokens = tokenize.tokenize(io.BytesIO(source).readline)
        remarks.update(token.string for token in tokens if token.type == tokenize.COMMENT)
    return functions, remarks


@pytest.mark.slow
@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(before=contracts, changes=edits, data=st.data())
def test_what_people_wrote_survives_any_change_of_the_contract(before, changes, data):
    """No body, remark or decorator changes, a second run does nothing, and drift finds just what was reported."""
    people = "async def collaborators(settings):\n    yield {'store': 1}\n"
    sources = inhabited(in_sync(document(before, {}), init=people), data)
    after = {
        number: one
        for number, one in (before | changes["changed"]).items()
        if number not in changes["removed"]
    }
    names = {number: f"new_{number}" for number in changes["renamed"]}
    kept = sorted(set(before) & set(after))
    if changes["swapped"] and len(kept) > 1:
        names |= {kept[0]: f"op_{kept[1]}", kept[1]: f"op_{kept[0]}"}
    whole = document(after, names)

    state, made = regenerated(state_of(whole, sources))

    functions, remarks = written_by_people(sources)
    new_functions, new_remarks = written_by_people(state.sources)
    new_names = {f"op_{number}": new for number, new in names.items() if number in kept}
    assert new_functions == {
        new_names.get(name, name): re.sub(r"\bop_\d\b", lambda match: new_names.get(match[0], match[0]), code)
        for name, code in functions.items()
    }
    assert new_remarks == remarks
    assert regenerated(state)[1].changes == {}
    fresh = Sources("shop", FOLDER, state.sources.files)
    assert check(replace(state, sources=fresh)) == made.remaining
    assert {finding.rule for finding in made.remaining} <= LEFT_TO_A_PERSON
    for path, source in state.sources.files.items():
        compile(source, path, "exec")


def test_the_files_of_a_project_are_its_own(tmp_path):
    """Installed packages and hidden folders are not: there may be thousands of files."""
    for name in (
        "shop/__init__.py",
        "api/pets.py",
        ".venv/a.py",
        "env/lib/site-packages/b.py",
        "node_modules/c.py",
    ):
        put(tmp_path / name, "x = 1\n")

    sources = read_sources("shop", tmp_path).with_project()

    assert [path.relative_to(tmp_path).as_posix() for path in sources.tests] == ["api/pets.py"]
    module = sources.named("api.pets")
    assert module is not None
    assert module.name == "api.pets"
    assert sources.named("api.gone") is None
