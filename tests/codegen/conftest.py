"""Fixtures that tests of the generation share."""

import pytest

from relay.codegen import types_module
from support.wild import generate_here


@pytest.fixture(scope="module")
def generated_here():
    """Generate types in this process, which saves the second that a process of its own takes to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(types_module, "generated", generate_here)
        yield
