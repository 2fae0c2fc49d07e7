"""`relay.Event`: one event of an event stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relay.contract.model import ABSENT


@dataclass(frozen=True, slots=True)
class Event:
    """One event of `text/event-stream` (WHATWG HTML, "Server-sent events").

    `data` is text, or a value that is written as JSON where the contract says that the data is JSON. `retry` is in
    milliseconds. A `comment` is not seen by clients; an event that is only a comment keeps a connection open.
    """

    data: Any = ABSENT
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that are set, as the contract describes an event; without the comment."""
        found = {} if self.data is ABSENT else {"data": self.data}
        others = {"event": self.event, "id": self.id, "retry": self.retry}
        return found | {name: value for name, value in others.items() if value is not None}

    @property
    def is_comment(self) -> bool:
        """Whether it is nothing but a comment."""
        return self.comment is not None and not self.fields
