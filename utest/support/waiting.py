"""Waiting for a condition with a deadline. All times of the unit tests are multiples of one factor.

`TFTP_LIBRARY_TIMEOUT_FACTOR=5` in the environment gives a slow machine five times as long.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FACTOR = float(os.environ.get("TFTP_LIBRARY_TIMEOUT_FACTOR", "1"))
PAUSE = 0.005
"""Seconds between two looks at a condition."""


def seconds(time_out: float) -> float:
    """Returns a time-out that a slow machine can keep."""
    return time_out * FACTOR


def wait_until(condition: Callable[[], T], time_out: float = 5.0) -> T:
    """Returns the first true value of the condition.

    Raises:
        AssertionError: it was not true within the time-out; the text shows its last value.
    """
    deadline = time.monotonic() + seconds(time_out)
    while not (value := condition()):
        if time.monotonic() > deadline:
            name = getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"{name} was still {value!r} after {seconds(time_out):g} s")
        time.sleep(PAUSE)
    return value
