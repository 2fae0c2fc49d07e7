"""The media types of a documented response among which one is chosen: without Accept the default, else by it."""

from __future__ import annotations

from relay.contract.model import Response

from . import media_types as media


def json_choices(response: Response, default: str | None) -> list[str]:
    """Return the media types of JSON of which Accept chooses one, the default first; none if there is only one."""
    names = [name for name in response.content if "*" not in name and media.is_json(name)]
    return sorted(names, key=lambda name: name != default) if len(names) > 1 else []


def choices_of_lists(choices: list[str], default: str | None, streams: list[str]) -> list[str]:
    """Return the media types of which Accept chooses one for a list of items; none if there is only one."""
    whole = choices or [name for name in [default] if name is not None]
    names = [*dict.fromkeys([*whole, *streams])]
    return names if streams and len(names) > 1 else []


def default_media_type(response: Response) -> str | None:
    """Return the media type used if the handler sets none: JSON if documented, else the first non-range."""
    return min(
        (name for name in response.content if "*" not in name),
        key=lambda name: not media.is_json(name),
        default=None,
    )
