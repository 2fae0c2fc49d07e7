"""Operations of the tag Work Orders; plain functions, so they run in threads."""

from __future__ import annotations

from datetime import date
from typing import Any

from ._garage import Garage, NotInTheBooks

ANYBODY = "anybody"  # longer than a mechanic's name may be: no filter, where None is a filter


def list_work_orders(
    *,
    vehicle_id: str,
    garage: Garage,
    since: str = "0001-01-01",
    mechanic: str | None = ANYBODY,
    hours: tuple[float, float] = (0, 1000),
):
    """List the work on a vehicle."""
    least, most = hours
    return [
        work.entry
        for work in garage.vehicle(vehicle_id).work
        if work.entry["ordered"] >= date.fromisoformat(since)
        and mechanic in (ANYBODY, work.entry["mechanic"])
        and least <= work.entry["hours"] <= most
    ]


def order_work(*, vehicle_id: str, body: dict[str, Any], garage: Garage):
    """Order work, not urgent and nobody's unless said otherwise."""
    work = garage.order(vehicle_id, **{"urgent": False, "mechanic": None, "parts": [], **body})
    return (
        work.entry,
        201,
        {"Location": f"/garage/v1/vehicles/{vehicle_id}/work-orders/{work.entry['number']}"},
    )


def show_work_order(*, vehicle_id: str, number: int, garage: Garage):
    """Show one work order."""
    return garage.work_order(vehicle_id, number).entry


def read_note(*, vehicle_id: str, number: int, garage: Garage):
    """Read the note."""
    return garage.work_order(vehicle_id, number).note


def write_note(*, vehicle_id: str, number: int, body: str, garage: Garage):
    """Write a note over the last one."""
    garage.work_order(vehicle_id, number).note = body


def add_photo(*, vehicle_id: str, number: int, body: dict[str, Any], garage: Garage):
    """File a photo, in place of another at its position."""
    photo = body.pop("photo").read()
    garage.work_order(vehicle_id, number).photos[body["position"]] = photo
    return {"size": len(photo), **body}


def show_photo(*, vehicle_id: str, number: int, position: int, garage: Garage):
    """Show a photo, if there is one."""
    photos = garage.work_order(vehicle_id, number).photos
    if position not in photos:
        raise NotInTheBooks
    return photos[position]
