"""The garage's books."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

Reference = int | str


class NotInTheBooks(Exception):
    """There is no such vehicle, work order, photo or part."""

    status, code, message = 404, "NOT_IN_THE_BOOKS", "The garage's books have no such entry"


class PlateTaken(Exception):
    """Another vehicle has this plate."""

    status, code, message = 409, "PLATE_TAKEN", "Another vehicle has this plate"


class NotEnoughLeft(Exception):
    """The shelf holds fewer parts than are to be taken."""

    status, code, message = 409, "NOT_ENOUGH_LEFT", "The shelf holds fewer parts than that"


@dataclass
class WorkOrder:
    """Work on a vehicle, with the note and the photos that were filed with it."""

    entry: dict[str, Any]
    note: str = ""
    photos: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Vehicle:
    """A vehicle as its owner described it, and the work on it, numbered from 1."""

    id: UUID
    entry: dict[str, Any]
    work: list[WorkOrder] = field(default_factory=list)


class Garage:
    """Vehicles by id, parts by reference."""

    def __init__(self) -> None:
        self.vehicles: dict[UUID, Vehicle] = {}
        bearing = {"reference": 2, "name": "bearing", "stock": 40, "contains": []}
        hub = {"reference": "HU-0001", "name": "hub", "stock": 4, "contains": [bearing]}
        self.parts: dict[Reference, dict[str, Any]] = {
            1: {"reference": 1, "name": "wheel", "stock": 8, "contains": [hub]},
            2: bearing,
            "HU-0001": hub,
        }

    def register(self, entry: dict[str, Any]) -> Vehicle:
        """Take in a vehicle; raise PlateTaken."""
        self._claim_plate(entry, None)
        vehicle = Vehicle(uuid4(), entry)
        self.vehicles[vehicle.id] = vehicle
        return vehicle

    def replace(self, vehicle: Vehicle, entry: dict[str, Any]) -> None:
        """Describe a vehicle anew; raise PlateTaken."""
        self._claim_plate(entry, vehicle)
        vehicle.entry = entry

    def _claim_plate(self, entry: dict[str, Any], owner: Vehicle | None) -> None:
        holders = (one for one in self.vehicles.values() if one.entry["plate"] == entry["plate"])
        if any(holder is not owner for holder in holders):
            raise PlateTaken

    def vehicle(self, vehicle_id: str) -> Vehicle:
        """Find a vehicle; raise NotInTheBooks."""
        return _found(self.vehicles.get(UUID(vehicle_id)))

    def work_order(self, vehicle_id: str, number: int) -> WorkOrder:
        """Find work on a vehicle; raise NotInTheBooks."""
        return _found(dict(enumerate(self.vehicle(vehicle_id).work, 1)).get(number))

    def part(self, reference: Reference) -> dict[str, Any]:
        """Find a part; raise NotInTheBooks."""
        return _found(self.parts.get(reference))

    def order(self, vehicle_id: str, **details: Any) -> WorkOrder:
        """Order work on a vehicle, today; raise NotInTheBooks."""
        work = self.vehicle(vehicle_id).work
        work.append(WorkOrder({"number": len(work) + 1, "ordered": date.today(), **details}))  # noqa: DTZ011 -- the garage's own calendar
        return work[-1]


def _found(entry: Any) -> Any:
    if entry is None:
        raise NotInTheBooks
    return entry
