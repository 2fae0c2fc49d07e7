# Generated from tests/specs/observatory/openapi.yaml by `relay regenerate`; never edited.
"""The shapes of the contract's components/schemas, as TypedDicts."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from relay import Upload as Upload

Name: TypeAlias = str

Names: TypeAlias = list[Name]


class Search(TypedDict):
    names: NotRequired[Names]
    brighter: NotRequired[float | None]


class Single(TypedDict):
    name: Name
    magnitude: float
    kind: NotRequired[Literal["single"]]


class Double(TypedDict):
    name: Name
    magnitudes: list[float]
    kind: Literal["double"]


class Picture(TypedDict):
    image: Upload
    calibration: NotRequired[Upload]
    exposure: NotRequired[float]
    key: NotRequired[str]


class Filed(TypedDict):
    size: int
    digest: str


class Night(TypedDict):
    celsius: float
    parts: int


class Entry(TypedDict):
    frame: NotRequired[str]
    reading: str


class Reading(TypedDict):
    celsius: float


AddPictureDevelopedCallback: TypeAlias = Filed

GetStar200Headers = TypedDict(
    "GetStar200Headers",
    {
        "X-Units": str,
    },
)

Star: TypeAlias = Single | Double

StarFoundWebhook: TypeAlias = Star


# Operations, as they were when this was generated; by this a rename is recognised:
# copy /stars/{name}/entry = stars.copy_star(name, body)
# get /nights/{name} = logbook.get_night(name)
# get /stars = stars.list_stars(filter)
# get /stars/{name} = stars.get_star(name, units)
# post /log = logbook.write_log(body)
# post /nights/{name} = logbook.add_night(name, body)
# post /pictures = pictures.add_picture(body)
# post /raw = pictures.add_raw(body)
# query /stars = stars.find_stars(body)
