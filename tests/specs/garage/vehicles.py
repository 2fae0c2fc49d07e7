"""Operations of the tag Vehicles."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from ._garage import Garage, Vehicle

if TYPE_CHECKING:
    from ._types import Colour
    from ._types import Vehicle as VehicleType


async def listVehicles(  # noqa: N802 -- the contract's name
    *,
    garage: Garage,
    caller: str | None,
    limit: int,
    sort: Literal["plate", "built"],
    registered: bool | None = None,
    make: list[str] | None = None,
    ids: list[str] | None = None,
    colours: list[Colour] | None = None,
    built: dict[str, int] | None = None,
):
    """List the vehicles that fit every filter."""
    years = built or {}
    found = [
        vehicle
        for vehicle in garage.vehicles.values()
        if registered in (None, _is_registered(vehicle))
        and (not make or vehicle.entry["make"] in make)
        and (not ids or str(vehicle.id) in map(str.lower, ids))
        and (not colours or vehicle.entry.get("colour") in colours)
        and years.get("from", 0) <= vehicle.entry["built"] <= years.get("to", 9999)
    ]
    found.sort(key=lambda vehicle: vehicle.entry[sort])
    shown = [_view(vehicle) for vehicle in found[:limit]]
    if caller is None:
        for view in shown:
            view.pop("owner", None)
    return shown, 200, {"X-Total-Count": len(found)}


async def registerVehicle(*, body: VehicleType, garage: Garage):  # noqa: N802 -- the contract's name
    """Take a vehicle into the books."""
    vehicle = garage.register(body)
    return _view(vehicle), 201, {"Location": f"/garage/v1/vehicles/{vehicle.id}"}


async def getVehicle(  # noqa: N802 -- the contract's name
    *,
    vehicle_id: str,
    garage: Garage,
    units: Literal["mm", "cm"],
    hide: list[Literal["owner", "tread"]] | None = None,
    x_decimals: int | None = None,
):
    """Show a vehicle, its tread in the units of the caller's choice."""
    view = _view(garage.vehicle(vehicle_id))
    if "tread" in view:
        scale = 10 if units == "cm" else 1
        view["tread"] = [[_rounded(tyre / scale, x_decimals) for tyre in axle] for axle in view["tread"]]
    return {name: value for name, value in view.items() if name not in (hide or [])}


async def replaceVehicle(*, vehicle_id: str, body: VehicleType, garage: Garage):  # noqa: N802 -- the contract's name
    """Describe a vehicle anew."""
    vehicle = garage.vehicle(vehicle_id)
    garage.replace(vehicle, body)
    return _view(vehicle)


async def removeVehicle(*, vehicle_id: str, garage: Garage):  # noqa: N802 -- the contract's name
    """Strike a vehicle off the books."""
    del garage.vehicles[garage.vehicle(vehicle_id).id]


def _is_registered(vehicle: Vehicle) -> bool:
    until = vehicle.entry.get("registeredUntil")
    return until is not None and date.fromisoformat(until) >= date.today()  # noqa: DTZ011 -- the garage's own calendar


def _view(vehicle: Vehicle) -> dict[str, Any]:
    """Show what the books say; the unlock code stays in them. The id goes out as the UUID it is."""
    return {"id": vehicle.id, **{key: value for key, value in vehicle.entry.items() if key != "unlockCode"}}


def _rounded(tread: float, decimals: int | None) -> float:
    return tread if decimals is None else round(tread, decimals)
