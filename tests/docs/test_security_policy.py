"""SECURITY.md: what is promised names the tests that hold it."""

import re

import pytest

from support.running import ROOT

GUARANTEES = (ROOT / "SECURITY.md").read_text("utf-8").partition("## What the service guarantees")[2]
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##)", GUARANTEES, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_of_guarantees_names_tests(name):
    """A promise without a test is a hope."""
    tests = re.findall(r"`(tests/[\w/.]+)`", SECTIONS[name])

    assert tests
    assert [test for test in tests if not (ROOT / test).exists()] == []
