"""Which versions of OpenAPI a contract takes from pages."""

from __future__ import annotations

from relay.contract.versions import Version


def is_mergeable(theirs: Version, ours: Version) -> bool:
    """Return True if a schema of a page means the same in a contract, whose version has all the page's keywords."""
    return theirs == ours or (theirs, ours) == ("3.1", "3.2")


def version_message(theirs: Version, ours: Version) -> str:
    """Return the message for a page that cannot be merged because of its version."""
    older = "the contract" if ours < theirs else "the OpenAPI of the page, saved as a file,"
    return (
        f"the page is OpenAPI {theirs}, and the contract {ours}, where the same words mean something else: "
        f"`relay upgrade --to {max(ours, theirs)}` moves {older} up"
    )
