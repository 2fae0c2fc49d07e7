"""Fields that a TypedDict changes: `scripts/relay/codegen/types_module.py`."""

from __future__ import annotations

import textwrap

from relay.codegen.types_module import without_overrides


def rewritten(source):
    """The source after the rewrite, as a formatter would lay it out."""
    return without_overrides(textwrap.dedent(source).strip())


def test_a_class_that_changes_a_field_lists_all_its_fields():
    """Type checkers refuse it otherwise; classes that only add fields keep their base."""
    assert rewritten("""
        class Base(TypedDict):
            kind: str
            n: NotRequired[int]
        class Narrow(Base):
            kind: Literal['a']
            x: str
        class Wider(Base):
            y: str
        class Deep(Narrow):
            n: int
    """) == rewritten("""
        class Base(TypedDict):
            kind: str
            n: NotRequired[int]
        class Narrow(TypedDict):
            kind: Literal['a']
            n: NotRequired[int]
            x: str
        class Wider(Base):
            y: str
        class Deep(TypedDict):
            kind: Literal['a']
            n: int
            x: str
    """)


def test_bases_that_differ_in_a_field_are_merged():
    """A value conforms to both, so the later one describes it as well as the first."""
    assert rewritten("""
        class A(TypedDict):
            k: str
        class B(TypedDict):
            k: Literal['b']
        class C(A, B):
            pass
    """).endswith("class C(TypedDict):\n    k: Literal['b']")


def test_what_is_nested_too_deeply_stays_as_it_is():
    """Python's parser gives up on thousands of brackets; other tools do not."""
    source = f"Deep: TypeAlias = {'list[' * 5000}int{']' * 5000}"

    assert without_overrides(source) == source
