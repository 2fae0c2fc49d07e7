"""A contract of two files, and a parameter in camel case."""

PETS = {1: {"name": "Rex"}, 2: {"name": "Mia"}}


def get(petId):  # noqa: N803 -- as the contract spells it
    """Return a pet."""
    return PETS[petId]


def search(limit=10):
    """Return some pets."""
    return list(PETS.values())[:limit]
