"""Which versions of OpenAPI a contract takes from pages."""

from __future__ import annotations

from relay.contract.versions import Version


def is_mergeable(theirs: Version, ours: Version) -> bool:
    """Return True if a schema of a page means the same in a contract, whose version has all the page's keywords."""
    return theirs == ours or (theirs, ours) == ("3.1", "3.2")


def version_message(theirs: Version, ours: Version) -> str:
    """Return the message for a page that cannot be merged because of its version."""
    todo = "move the contract" if ours < theirs else "save its OpenAPI as a file, and move that"
    return f"the page is OpenAPI {theirs}, and the contract is {ours}, which has other keywords: {todo} up with `relay upgrade`"
