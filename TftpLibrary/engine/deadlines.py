"""Which session's deadline comes next: a heap that tolerates deadlines which move.

Nearly every deadline moves later before it is reached, since every answer moves it. So a session
has one entry, which is looked at when it comes up and pushed again if its deadline lies later.
"""

from __future__ import annotations

import heapq
from typing import Protocol


class Timed(Protocol):
    """Something with a deadline."""

    armed: float
    """The time of its entry in the heap; infinity without one. Owned by `Deadlines`."""

    @property
    def deadline(self) -> float | None:
        """The instant on the monotonic clock, or None when there is nothing to wait for."""


class Deadlines:
    """The deadlines of all sessions of one engine. Used on the engine's thread only."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed]] = []
        self._count = 0

    def arm(self, timed: Timed) -> None:
        """Makes sure that the deadline is seen in time. Cheap when nothing is to be done."""
        deadline = timed.deadline
        if deadline is not None and deadline < timed.armed:
            timed.armed = deadline
            self._count += 1
            heapq.heappush(self._heap, (deadline, self._count, timed))

    def next(self) -> float | None:
        """Returns when to look again, which may be too early but is never too late."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[Timed]:
        """Returns what has reached its deadline, and forgets it: arm it again afterwards."""
        due: list[Timed] = []
        while self._heap and self._heap[0][0] <= now:
            when, _, timed = heapq.heappop(self._heap)
            if when != timed.armed:
                continue
            timed.armed = float("inf")
            deadline = timed.deadline
            if deadline is not None and deadline <= now:
                due.append(timed)
            else:
                self.arm(timed)
        return due
