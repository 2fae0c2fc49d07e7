# Generated from tests/specs/nursery/openapi.yaml by `relay regenerate`; never edited.
"""The shapes of the contract's components/schemas, as TypedDicts."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Count: TypeAlias = int

Code: TypeAlias = str

Name: TypeAlias = str

Anything: TypeAlias = Any


class Tree(TypedDict):
    kind: NotRequired[Literal["tree"]]
    height: float | None


Colour: TypeAlias = Literal["red", "green", "blue", "white"]


class Labels(TypedDict):
    title: NotRequired[Name]


class Family(TypedDict):
    title: str
    families: NotRequired[list[Family]]


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: NotRequired[str]
    code: NotRequired[str]
    errors: NotRequired[list[dict[str, Any]]]


Kinds: TypeAlias = int


class Plant1(TypedDict):
    kind: Literal["tree", "flower"]
    height: float | None
    number: Count
    name: Name
    sown: NotRequired[str]
    note: NotRequired[Anything]


class Flower(TypedDict):
    kind: NotRequired[Literal["flower"]]
    colours: NotRequired[list[Colour]]


class Plant2(TypedDict):
    kind: Literal["tree", "flower"]
    colours: NotRequired[list[Colour]]
    number: Count
    name: Name
    sown: NotRequired[str]
    note: NotRequired[Anything]


Plant: TypeAlias = Plant1 | Plant2

PlantReadyWebhook: TypeAlias = Plant


class Family2(TypedDict):
    title: str
    families: NotRequired[list[Catalogue]]


class Catalogue(Family2):
    kinds: Kinds


# Operations, as they were when this was generated; by this a rename is recognised:
# delete /plants/{number} = plants.removePlant(number)
# get /catalogue = plants.showCatalogue()
# get /plants = plants.listPlants(kind, between, limit)
# get /plants/{number} = plants.showPlant(number)
# post /plants = plants.addPlant(body)
# put /beds/{bed}/labels = beds.labelBed(bed, body)
