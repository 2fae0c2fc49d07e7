# Generated from tests/specs/garage/openapi.yaml by `relay regenerate`; never edited.
"""The shapes of the contract's components/schemas, as TypedDicts."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

Colour: TypeAlias = Literal["red", "blue", "silver"]

Year: TypeAlias = int

Hours: TypeAlias = float

TreadItemItem: TypeAlias = float

TreadItem: TypeAlias = list[TreadItemItem]


class ElectricEngine(TypedDict):
    battery: int


class CombustionEngine(TypedDict):
    fuel: Literal["petrol", "diesel"]
    cylinders: int


class Photo(TypedDict):
    position: int
    size: int
    caption: NotRequired[str]


Error = TypedDict(
    "Error",
    {
        "in": Literal["path", "query", "header", "cookie", "body"],
        "path": str,
        "rule": str,
        "message": NotRequired[str],
    },
)


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: NotRequired[str]
    code: str
    errors: NotRequired[list[Error]]


Reference: TypeAlias = int | str


class Part(TypedDict):
    reference: Reference
    name: str
    stock: int
    contains: NotRequired[list[Part]]


ListVehicles200Headers = TypedDict(
    "ListVehicles200Headers",
    {
        "X-Total-Count": int,
    },
)


class RegisterVehicle201Headers(TypedDict):
    Location: str


class OrderWork201Headers(TypedDict):
    Location: str


class Vehicle(TypedDict):
    id: str
    plate: str
    make: str
    built: Year
    colour: NotRequired[Colour]
    registeredUntil: NotRequired[str | None]
    owner: NotRequired[str | None]
    engine: ElectricEngine | CombustionEngine
    tread: NotRequired[list[TreadItem]]
    unlockCode: str


class WorkOrder(TypedDict):
    number: int
    ordered: str
    title: str
    hours: Hours
    urgent: bool
    mechanic: str | None
    parts: list[Reference]


# Operations, as they were when this was generated; by this a rename is recognised:
# delete /vehicles/{vehicle_id} = vehicles.removeVehicle(vehicle_id)
# get /parts/{reference} = parts.get_part(reference, depth)
# get /vehicles = vehicles.listVehicles(limit, registered, make, ids, colours, built, sort)
# get /vehicles/{vehicle_id} = vehicles.getVehicle(vehicle_id, units, hide, x_decimals)
# get /vehicles/{vehicle_id}/work-orders = work_orders.list_work_orders(vehicle_id, since, mechanic, hours)
# get /vehicles/{vehicle_id}/work-orders/{number} = work_orders.show_work_order(vehicle_id, number)
# get /vehicles/{vehicle_id}/work-orders/{number}/note = work_orders.read_note(vehicle_id, number)
# get /vehicles/{vehicle_id}/work-orders/{number}/photos/{position} = work_orders.show_photo(vehicle_id, number, position)
# patch /parts/{reference}/stock = parts.change_stock(reference, body)
# post /vehicles = vehicles.registerVehicle(body)
# post /vehicles/{vehicle_id}/work-orders = work_orders.order_work(vehicle_id, body)
# post /vehicles/{vehicle_id}/work-orders/{number}/photos = work_orders.add_photo(vehicle_id, number, body)
# put /vehicles/{vehicle_id} = vehicles.replaceVehicle(vehicle_id, body)
# put /vehicles/{vehicle_id}/work-orders/{number}/note = work_orders.write_note(vehicle_id, number, body)
