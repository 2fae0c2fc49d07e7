"""How a store is to fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from handlers._store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def unavailable_in_time(asking: Awaitable[object], seconds: float = 3.0) -> None:
    """Expect the store to say in time that it is not available, and to say nothing else."""
    asked = time.monotonic()
    with pytest.raises(StoreUnavailable) as trouble:
        await asking
    assert time.monotonic() - asked < seconds
    assert str(trouble.value) == StoreUnavailable.message
    assert not trouble.value.args
