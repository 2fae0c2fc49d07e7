# Generated from tests/specs/streams/openapi.yaml by `relay regenerate`; never edited.
"""The shapes of the contract's components/schemas, as TypedDicts."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Measurement(TypedDict):
    at: str
    celsius: float | None
    station: NotRequired[Literal["roof"]]


class Event(TypedDict):
    id: NotRequired[str]
    event: Literal["measured", "calm"]
    retry: NotRequired[int]
    data: str


# Operations, as they were when this was generated; by this a rename is recognised:
# get /measurements = measurements.follow_measurements(count)
# get /pictures = measurements.list_pictures()
# post /measurements = measurements.add_measurements(body)
