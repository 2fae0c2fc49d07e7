"""Contracts that are Jinja2 templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.contract.documents import read_document
from relay.contract.parsed import IS_TEMPLATE, template_fault


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("openapi: 3.0.3\ninfo:\n  title: {{title}}\n", 3),
        ("openapi: 3.0.3\ninfo:\n  title: {{ title }}: x\n", 3),
        ("openapi: 3.0.3\npaths:\n  {% for path in all %}\n  /a: {}\n  {% endfor %}\n", 3),
        ("openapi: 3.0.3\n{% include 'paths.yaml' %}\n", 2),
    ],
)
def test_says_that_a_template_is_not_rendered(tmp_path, text, line):
    """YAML's own error is of a key or a character, which leads nowhere."""
    file = tmp_path / "a.yaml"
    file.write_text(text, "utf-8")

    with pytest.raises(SetupError) as raised:
        read_document(file)

    problem = raised.value.problems[0]
    assert (problem.where.line, problem.message) == (line, IS_TEMPLATE)


def test_an_error_elsewhere_is_not_the_templates(tmp_path):
    """Braces in a description are text."""
    file = tmp_path / "a.yaml"
    file.write_text("a: 'Hello {{name}}'\nb: [\n", "utf-8")

    with pytest.raises(SetupError) as raised:
        read_document(file)

    assert IS_TEMPLATE not in str(raised.value)


@given(st.text(alphabet="{}% \na:-", max_size=40), st.sets(st.integers(1, 4), max_size=3))
def test_points_at_a_template_or_says_nothing(text, lines):
    """Whatever the text is."""
    from pathlib import Path

    found = template_fault(Path("a.yaml"), text, lines)

    if found is not None:
        rest = text.split("\n")[found.where.line - 1][found.where.column - 1 :]
        assert rest.startswith(("{{", "{%"))
