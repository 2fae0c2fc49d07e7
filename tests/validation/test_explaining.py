"""Explanations of rejected values: `relay.validation.reasons`."""

import sys
import textwrap
from contextlib import contextmanager

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.contract.pointers import escape
from relay.validation.plan import HIDDEN
from relay.validation.reasons import MAX_COMPARISONS, MAX_DEPTH
from relay.validation.schemas import MARKS, SchemaCompiler, Strictness
from relay.validation.violations import MAX_VIOLATIONS
from support.compiled import POINTER, around, rules, validator
from support.hosting import ref
from support.running import ROOT, ended
from support.schemas import CANARY, COMPONENTS, SCHEMAS, VALUES

MEBIBYTES = 2**20
INTEGER = {"type": "integer"}


def an_object(required=(), **properties):
    schema = {"type": "object", "properties": properties}
    return {**schema, "required": [*required]} if required else schema


def one_of(kind, **properties):
    """Return a schema whose property `kind` has one value."""
    return an_object(["kind", *properties], kind={"type": "string", "enum": [kind]}, **properties)


def nested(levels, outer, innermost):
    """Return a value that is wrapped several times."""
    value = innermost
    for _ in range(levels):
        value = outer(value)
    return value


CAT = one_of("cat", lives=INTEGER)
DOG = one_of("dog", tricks={"type": "array", "items": {"type": "string"}})
PET = {"oneOf": [CAT, DOG]}


def by_kind(*alternatives, rule="oneOf", name="kind", **mapping):
    """Return a choice between components with a discriminator."""
    discriminator = {"propertyName": name, **({"mapping": mapping} if mapping else {})}
    return {
        rule: [one if isinstance(one, dict) else ref(one) for one in alternatives],
        "discriminator": discriminator,
    }


KINDS = {
    "Kind": {"type": "string", "enum": ["cat"]},
    "Base": an_object(["kind"], kind=ref("Kind")),
    "TaggedCat": {"allOf": [ref("Base"), an_object(lives=INTEGER)]},
    "Tagged": {"nullable": True, "anyOf": [ref("TaggedCat"), DOG]},
    "Cat": an_object(lives=INTEGER, a=INTEGER, b=INTEGER),
    "Dog": an_object(lives={"type": "string"}),
    "OfCat": one_of("cat"),
    "OfDog": one_of("dog", tail=INTEGER),
    "Living": an_object(["lives"], lives=INTEGER),
    "Puppy": an_object(age=INTEGER),
    "Hound": an_object(tail=INTEGER),
    "Breed": by_kind("Puppy", "Hound", name="breed"),
    **{name: an_object(**{name: INTEGER}) for name in "abc"},
    **{f"Needs{name}": an_object(["kind", name], kind={"type": "string"}) for name in "ab"},
}
WRONG = {"lives": [], "a": "x", "b": "x"}
THREE_WRONG = [("/lives", "type"), ("/a", "type"), ("/b", "type")]
MAYBE_LIVING = by_kind("Living", an_object(["tail"], tail=INTEGER))
BOTH = {"anyOf": [{"type": "object", "maxProperties": 1}], **by_kind("a", "b", "c")}
PETS = {"type": "array", "items": by_kind("Cat", "Breed", Dog="Breed")}
EITHER = {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "maxLength": 3}]}
CLOSEST = {"oneOf": [an_object(["a"], a=INTEGER), an_object(["b", "c"], b=INTEGER, c=INTEGER)]}


class TestTheBranchOfAChoice:
    """A client wrote its value for one of the alternatives; the violations are those of this alternative."""

    @pytest.mark.parametrize(
        ("schema", "value", "expected"),
        [
            # It is named by a property with one value, which it needs,
            (PET, {"kind": "dog", "tricks": ["roll", 7]}, [("/tricks/1", "type")]),
            (PET, {"kind": "cat"}, [("/lives", "required")]),
            (PET, {"lives": 9}, [("/kind", "required")]),
            # also through references and combinations,
            (ref("Tagged"), {"kind": "cat", "lives": "9"}, [("/lives", "type")]),
            (ref("Tagged"), 9, [("", "type")]),
            # or by the discriminator, also if no enum pins its value (OpenAPI 3.0.3, "Discriminator Object"),
            (by_kind("Cat", "Dog"), {"kind": "Cat", **WRONG}, THREE_WRONG),
            (by_kind("Cat", "Dog", c="#/components/schemas/Cat"), {"kind": "c", **WRONG}, THREE_WRONG),
            (by_kind("Cat", "Dog", c="Cat"), {"kind": "c", **WRONG}, THREE_WRONG),
            (by_kind("Cat", "Dog"), {"kind": [], **WRONG}, [("/kind", "discriminator")]),
            # which all may require.
            (by_kind("Needsa", "Needsb"), {"a": 1}, [("/kind", "required")]),
            # A schema may have `oneOf` and `anyOf`, with different alternatives.
            (BOTH, {"kind": "c", "a": "x", "b": "x", "c": "x"}, [("", "maxProperties"), ("/c", "type")]),
            # There may be discriminators at each level, in arrays and in branches.
            *(
                (PETS, [value], [(f"/0{path}", rule)])
                for value, path, rule in [
                    ({"kind": "Cat", "lives": "9"}, "/lives", "type"),
                    ({"kind": "Dog", "breed": "Puppy", "age": "1"}, "/age", "type"),
                    ({"kind": "Dog", "breed": "Cat"}, "/breed", "discriminator"),
                    ({"kind": "Dog", "tail": "x", "age": "x"}, "/breed", "discriminator"),
                    ({"kind": "Puppy", "age": "x", "tail": "x", "lives": "x"}, "/kind", "discriminator"),
                ]
            ),
            # A branch may have no name although others have one: the discriminator does not say which was meant.
            (MAYBE_LIVING, {"kind": "bird", "tail": "x"}, [("/tail", "type")]),
            (MAYBE_LIVING, {"tail": "x"}, [("/tail", "type")]),
            (MAYBE_LIVING, 1, [("", "type")]),
            # The branch that the mapping names decides, although the value is another one's.
            (by_kind("OfCat", "OfDog", cat="OfDog"), {"kind": "bird"}, [("/kind", "enum")]),
            (by_kind("OfCat", "OfDog", cat="OfDog"), {}, [("/kind", "required")]),
            # It is the only one for the type of the value,
            (EITHER, 0, [("", "minimum")]),
            (EITHER, "long", [("", "maxLength")]),
            # else that with the fewest missing and unknown fields, and then the fewest wrong ones.
            (CLOSEST, {"b": "x", "c": "x"}, [("/b", "type"), ("/c", "type")]),
            (CLOSEST, {"b": 1}, [("", "oneOf")]),
            ({"oneOf": [INTEGER, {"type": "number"}]}, 1, [("", "oneOf")]),
        ],
    )
    def test_is_the_one_that_was_meant(self, schema, value, expected):
        assert rules(schema, value, schemas=KINDS) == expected

    def test_is_named_by_the_mapping_before_an_enum(self):
        pet = by_kind("OfCat", "OfDog", cat="OfDog")
        assert ("/tail", "required") in rules(pet, {"kind": "cat"}, schemas=KINDS)

    @pytest.mark.parametrize(
        ("schema", "value", "rule", "message"),
        [
            *((PET, {"kind": one}, "enum", 'one of "cat" or "dog"') for one in ("bird", 1, None, ["cat"])),
            ({"anyOf": [{"type": "number"}, {"type": "string"}]}, [], "type", 'of types "number", "string"'),
        ],
    )
    def test_needs_a_known_value_or_type(self, schema, value, rule, message):
        (violation,) = validator(schema).violations(value)
        assert (violation.path, violation.rule) == ("/kind" if schema is PET else "", rule)
        assert violation.message == f"the value is not {message}"

    @pytest.mark.parametrize("rule", ["oneOf", "anyOf"])
    @pytest.mark.parametrize("direction", ["request", "response"])
    def test_decides_if_the_discriminator_names_it(self, rule, direction):
        """Open branches overlap: without a discriminator, one value would match several, or the wrong one."""
        schemas = {"Cat": an_object(lives=INTEGER), "Dog": an_object(tail={"type": "string"})}
        mapping = {"c": "Cat", "kitten": "#/components/schemas/Cat"}
        pet = {rule: [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind", "mapping": mapping}}
        compiled = validator(pet, direction, schemas)

        for kind in ("c", "kitten", "Cat"):
            assert compiled.accepts({"kind": kind, "lives": 9, "tail": 1})
            assert rules(pet, {"kind": kind, "lives": "9", "tail": "x"}, direction, schemas=schemas) == [
                ("/lives", "type")
            ]
        assert compiled.accepts({"kind": "Dog", "lives": "9", "tail": "x"})
        assert rules(pet, {"kind": "Dog", "lives": 9, "tail": 1}, direction, schemas=schemas) == [
            ("/tail", "type")
        ]

    @pytest.mark.parametrize("kind", [{}, {"kind": "bird"}, {"kind": 1}])
    def test_is_any_if_the_discriminator_names_none(self, kind):
        """As without a discriminator: a mapping may be incomplete. If no schema accepts the value, that is the reason."""
        schemas = {"Cat": an_object(lives=INTEGER), "Dog": an_object(tail={"type": "string"})}
        pet = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind"}}
        assert rules(pet, {**kind, "lives": 9, "tail": 1}, schemas=schemas) == []
        assert rules(pet, {**kind, "lives": 9, "tail": "x"}, schemas=schemas) == [("/kind", "discriminator")]

    @pytest.mark.parametrize("rule", ["oneOf", "anyOf"])
    @pytest.mark.parametrize(
        ("mapping", "listed"),
        [
            ({}, '"Cat" or "Dog"'),
            ({"c": "Cat", "d": "#/components/schemas/Dog"}, '"c" or "d"'),
            ({"c": "Cat", "kitten": "Cat"}, '"c", "kitten" or "Dog"'),
        ],
    )
    def test_needs_a_value_that_the_discriminator_knows(self, rule, mapping, listed):
        """The message says which values name a schema; it does not repeat the value."""
        schemas = {"Cat": an_object(["lives"], lives=INTEGER), "Dog": an_object(["tail"], tail=INTEGER)}
        pet = {rule: [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind", "mapping": mapping}}
        compiled = validator(pet, schemas=schemas)

        (unknown,) = compiled.violations({"kind": "bird"})
        (missing,) = compiled.violations({"lives": "9"})

        assert (unknown.path, unknown.rule) == (missing.path, missing.rule) == ("/kind", "discriminator")
        assert unknown.message == f"the value names no schema; it must be {listed}"
        assert missing.message == f"the value is missing, which names the schema; it must be {listed}"

    def test_is_searched_in_a_limited_number_of_alternatives(self):
        def choice(size):
            return {"oneOf": [an_object([f"p{index}"]) for index in range(size - 1)] + [an_object(v=INTEGER)]}

        assert rules(choice(MAX_COMPARISONS), {"v": "x"}) == [("/v", "type")]
        assert rules(choice(MAX_COMPARISONS + 1), {"v": "x"}) == [("", "oneOf")]


def test_reports_every_field_of_an_object():
    schema = {**an_object(["a", "b"], c=INTEGER, d={"enum": [1]}), "additionalProperties": False}

    found = rules(schema, {"c": "x", "d": 2, "e": 1, "f": 1})

    assert found == [
        *(("/a", "required"), ("/b", "required"), ("/e", "additionalProperties")),
        *(("/c", "type"), ("/d", "enum")),
    ]


def test_reports_a_violation_of_several_parts_once():
    assert rules({"allOf": [INTEGER, INTEGER]}, "x") == [("", "type")]


def test_reports_the_place_of_a_violation_that_is_nested_too_deeply():
    """Its rule would cost the verdicts of all levels above it."""
    schemas = {"Tree": an_object(v=INTEGER, tree=ref("Tree"))}

    def path(levels):
        value = nested(levels, lambda tree: {"tree": tree}, {"v": "x"})
        ((found, rule),) = rules(ref("Tree"), value, schemas=schemas)
        return found.count("/"), rule

    assert path(MAX_DEPTH - 1) == (MAX_DEPTH, "type")
    assert path(MAX_DEPTH + 9) == (MAX_DEPTH + 1, "schema")


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_names_the_choice_between_schemas_that_refer_to_each_other_for_the_same_value(keyword):
    """Such schemas say nothing about the value, but their keyword is known."""
    schemas = {"A": {keyword: [{"allOf": [ref("A"), ref("B")]}]}, "B": {"not": ref("A")}}
    assert rules(ref("A"), "x", schemas=schemas) == [("", keyword)]


def test_a_long_enum_is_shortened():
    (violation,) = validator({"enum": [f"e{number}" for number in range(100)]}).violations("x")
    assert violation.message.endswith('"e8" or 91 other candidates')


def test_a_schema_that_is_compiled_after_the_first_violation_is_explained():
    compiler = SchemaCompiler(around({"A": an_object(a=INTEGER)}))
    found = [
        compiler.compile(schema, "request", POINTER).violations({"a": "x"})
        for schema in (ref("A"), an_object(a={"type": "boolean"}), {"allOf": [ref("A")]})
    ]

    assert [[one.path for one in violations] for violations in found] == [["/a"]] * 3


LEAF = an_object(["v"], v=INTEGER)
FILTER = {
    "Filter": {"oneOf": [ref("Leaf"), ref("And"), ref("Or")]},
    "Leaf": LEAF,
    "And": one_of("and", l=ref("Filter"), r=ref("Filter")),
    "Or": one_of("or", l=ref("Filter"), r=ref("Filter")),
}

NAMES = {"Names": {"anyOf": [{"type": "object", "additionalProperties": ref("Names")}, INTEGER]}}
RECURSIVE = {**FILTER, **NAMES}
FIFTY = [f"p{number}" for number in range(50)]


def elements(value):
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(elements, children))


@contextmanager
def counted_verdicts():
    """Yield a list of the sizes of the values about which the library is asked."""
    asked = []

    class Counting(jsonschema_rs.Draft4Validator):
        def is_valid(self, instance):
            asked.append(elements(instance))
            return super().is_valid(instance)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonschema_rs, "Draft4Validator", Counting)
        yield asked


@pytest.mark.slow
@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize("branches", [1, 5, 30])
@pytest.mark.parametrize("is_tagged", [False, True])
@pytest.mark.parametrize("levels", [4, 16, 90])
def test_asks_for_verdicts_of_a_limited_number_of_values(keyword, branches, is_tagged, levels):
    """Each verdict about a value counts as many values as that contains."""
    pair = {"l": ref("Tree"), "r": ref("Tree")}
    names = [f"Pair{number}" for number in range(branches)]
    pairs = {name: one_of(name, **pair) if is_tagged else an_object(["l", "r"], **pair) for name in names}
    schemas = {"Tree": {keyword: [ref("Leaf"), *map(ref, names)]}, "Leaf": LEAF, **pairs}
    value = nested(levels, lambda one: {"l": {"v": 1}, "r": one, "kind": names[-1]}, {"v": "x"})

    with counted_verdicts() as asked:
        assert validator(ref("Tree"), schemas=schemas).violations(value)

    assert len(asked) > 1
    assert sum(asked) <= 250 * elements(value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (ref("Filter"), """nested(30, lambda one: {"kind": "or", "l": {"v": 1}, "r": one}, {"v": "x"})""", 1),
        (an_object(FIFTY, big={"type": "array", "items": INTEGER}), '{"big": [1] * 100_000}', MAX_VIOLATIONS),
        ({"type": "array", "items": INTEGER}, '["x"] * 200_000', MAX_VIOLATIONS),
        (an_object(FIFTY), "{str(number): number for number in range(100_000)}", MAX_VIOLATIONS),
        (ref("Names"), """{"n" * 1_000_000: nested(40, lambda one: {**wrong, "z": one}, wrong)}""", 1),
        ({"allOf": [{"maxItems": size} for size in range(10)]}, '["x" * 100] * 200_000', 10),
    ],
    ids=[
        *(
            "recursive choices",
            "missing next to a large array",
            "large wrong array",
            "missing in a large object",
        ),
        *("many violations below a long name", "too long"),
    ],
)
def test_takes_little_time_and_memory(schema, value, expected):
    """The library itself would take up to 14 s and 5 GB for these: it follows all branches and copies values."""
    program = f"""
        import resource
        from relay.validation.schemas import SchemaCompiler
        from support.compiled import POINTER, around

        def nested(levels, outer, value):
            for _ in range(levels):
                value = outer(value)
            return value

        wrong = dict.fromkeys("abcdefghijklmnopqrstuvwxy", [])
        validator = SchemaCompiler(around({RECURSIVE!r})).compile({schema!r}, "request", POINTER)
        value = {value}
        assert not validator.accepts(value)
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + {64 * MEBIBYTES},) * 2)
        print(len(validator.violations(value)))
    """

    done = ended(
        [sys.executable, "-c", textwrap.dedent(program)], ROOT, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert (done.returncode, done.stdout) == (0, f"{expected}\n"), done.stderr


def library_errors(schema, value, compiler, direction):
    """Yield the path and rule of each error of the library, those of all branches included."""
    root, refs, _ = compiler.translator.translate(schema, direction)
    document = {**root, "definitions": compiler._definitions[direction].of(refs)}
    pending = [*compiler._compile(document, None).iter_errors(value)]
    while pending:
        error = pending.pop()
        pending += [inner for branch in getattr(error.kind, "context", []) for inner in branch]
        path = "".join(f"/{escape(str(token))}" for token in error.instance_path)
        match error.kind.name:
            case "required":
                yield f"{path}/{escape(error.kind.property)}", "required"
            case "additionalProperties":
                yield from (
                    (f"{path}/{escape(name)}", "additionalProperties") for name in error.kind.unexpected
                )
            case "falseSchema":  # `additionalProperties: false` without `properties`
                yield from ((f"{path}/{escape(name)}", "additionalProperties") for name in error.instance)
            case "not" if error.kind.schema == HIDDEN["not"]:
                yield path, MARKS[direction]
            case rule:
                yield path, rule


@pytest.mark.slow
@settings(max_examples=150)
@given(
    COMPONENTS, SCHEMAS, st.lists(VALUES, min_size=3, max_size=3), st.sampled_from(["request", "response"])
)
def test_a_rejected_value_has_violations_and_each_is_one_of_the_library(
    components, schema, values, direction
):
    """No accepted value has any, none contains a value, and they are found with few verdicts."""
    compiler = SchemaCompiler(around(components), Strictness(read_only=True))

    for value in values:
        with counted_verdicts() as asked:
            compiled = compiler.compile(schema, direction, POINTER)
            found = compiled.violations(value)
        assert sum(asked) <= 250 * elements(value)
        assert compiled.accepts(value) == (found == [])
        assert len(found) <= MAX_VIOLATIONS
        real = set(library_errors(schema, value, compiler, direction))
        assert {
            (one.path, one.rule) for one in found if one.rule != "discriminator"
        } <= real  # a rule of our own
        assert CANARY not in str(found)


CONSTANT = {"enum": ["a"]}
OBJECT = {"type": "object", "properties": {"k": {"enum": ["x"]}, "v": INTEGER}, "required": ["k", "v"]}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize(
    ("branches", "value", "expected"),
    [
        ([CONSTANT, OBJECT], {"k": "x"}, [("/v", "required")]),
        ([CONSTANT, OBJECT], {}, [("/k", "required")]),
        ([CONSTANT, OBJECT], "b", [("", "enum")]),
        ([{"allOf": [CONSTANT]}, OBJECT], {"k": "x"}, [("/v", "required")]),
        ([{"enum": [{"k": 1}]}, INTEGER], {"k": 2}, [("", "enum")]),
        ([{"enum": [1, 2]}, {"type": "string"}], 2.5, [("", "enum")]),
    ],
)
def test_a_branch_with_constants_is_meant_only_by_values_of_their_types(keyword, branches, value, expected):
    """A constant often stands without a `type`; an object is not one of some texts, so the other branch was meant."""
    assert rules({keyword: branches}, value) == expected
