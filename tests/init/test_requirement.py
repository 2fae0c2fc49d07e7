"""How a project asks for Relay: `scripts/relay/init/requirement.py`."""

import pytest

from relay.init.requirement import requirement_of

WHEEL = "tether_relay-1.2-py3-none-any.whl"
GIT = {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}
REPOSITORY = {"url": "https://example.com/relay.git", "vcs_info": GIT, "subdirectory": "python"}


@pytest.mark.parametrize(
    ("direct_url", "wanted", "is_local"),
    [
        (None, ">=1.2", False),
        ({"url": "file:///src/relay", "dir_info": {"editable": True}}, " @ file:///src/relay", True),
        ({"url": f"file:///dist/{WHEEL}", "archive_info": {}}, f" @ file:///dist/{WHEEL}", True),
        ({"url": f"https://example.com/{WHEEL}", "archive_info": {}}, f" @ https://example.com/{WHEEL}", False),
        (REPOSITORY, " @ git+https://example.com/relay.git@abc#subdirectory=python", False),
    ],
    ids=["index", "editable", "wheel file", "wheel address", "git"],
)  # fmt: skip
def test_the_requirement_is_where_relay_was_installed_from(direct_url, wanted, is_local):
    """The project gets the Relay that made it (PEP 610), not another release."""
    found = requirement_of(direct_url, "1.2")

    assert (found.with_extras("tools"), found.is_local) == (f"tether-relay[tools]{wanted}", is_local)
