"""How a project asks for Relay: `scripts/relay/init/requirement.py`."""

from __future__ import annotations

import pytest

from relay.init.requirement import requirement_of


@pytest.mark.parametrize(
    ("direct_url", "wanted", "is_local"),
    [
        (None, "tether-relay[tools]>=1.2", False),
        (
            {"url": "file:///src/relay", "dir_info": {"editable": True}},
            "tether-relay[tools] @ file:///src/relay",
            True,
        ),
        (
            {"url": "file:///dist/tether_relay-1.2-py3-none-any.whl", "archive_info": {}},
            "tether-relay[tools] @ file:///dist/tether_relay-1.2-py3-none-any.whl",
            True,
        ),
        (
            {"url": "https://example.com/tether_relay-1.2-py3-none-any.whl", "archive_info": {}},
            "tether-relay[tools] @ https://example.com/tether_relay-1.2-py3-none-any.whl",
            False,
        ),
        (
            {
                "url": "https://example.com/relay.git",
                "vcs_info": {"vcs": "git", "commit_id": "abc", "requested_revision": "main"},
                "subdirectory": "python",
            },
            "tether-relay[tools] @ git+https://example.com/relay.git@abc#subdirectory=python",
            False,
        ),
    ],
    ids=["index", "editable", "wheel file", "wheel address", "git"],
)
def test_the_requirement_is_where_relay_was_installed_from(direct_url, wanted, is_local):
    """The project gets the Relay that made it (PEP 610), not another release."""
    found = requirement_of(direct_url, "1.2")

    assert (found.with_extras("tools"), found.is_local) == (wanted, is_local)
