"""How commands speak: `scripts/relay/cli/output.py`."""

from __future__ import annotations

import pytest

from relay.cli.output import setup_errors, tools_installed


def test_says_what_to_install_when_a_tool_is_missing(capsys):
    """A service in production does without the tools, and a newcomer has not heard of the extra."""
    with pytest.raises(SystemExit) as raised, setup_errors(), tools_installed():
        import nothing_like_this  # noqa: F401 -- it is missing on purpose

    assert raised.value.code == 2
    assert capsys.readouterr().err == (
        "error: relay: this command needs the extra `tools` (nothing_like_this is missing): install tether-relay[tools]\n"
    )
