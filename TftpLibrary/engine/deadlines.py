"""The next deadline of all sessions: a heap that tolerates moving deadlines.

Nearly every deadline moves later before it is reached, since every answer moves it. So a session
has one entry, which is looked at when it comes up and pushed again if its deadline lies later.
"""

from __future__ import annotations

import heapq
from typing import Protocol

_SURPLUS = 64
"""Stale entries that the heap may hold beyond those in use before it is cleaned."""


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
        self._heap: list[tuple[float, int]] = []
        # The heap has numbers only: an ended session must not stay in memory until its deadline.
        self._timed: dict[int, Timed] = {}
        self._numbers: dict[Timed, int] = {}
        self._count = 0

    def arm(self, timed: Timed) -> None:
        """Makes sure that the deadline is seen in time. Cheap when nothing is to be done."""
        deadline = timed.deadline
        if deadline is not None and deadline < timed.armed:
            self.forget(timed)
            timed.armed = deadline
            self._count += 1
            self._timed[self._count] = timed
            self._numbers[timed] = self._count
            heapq.heappush(self._heap, (deadline, self._count))

    def forget(self, timed: Timed) -> None:
        """Drops the deadline of something that is over."""
        number = self._numbers.pop(timed, None)
        if number is None:
            return
        del self._timed[number]
        timed.armed = float("inf")
        if len(self._heap) > 2 * len(self._timed) + _SURPLUS:
            self._heap = [entry for entry in self._heap if entry[1] in self._timed]
            heapq.heapify(self._heap)

    def next(self) -> float | None:
        """Returns when to look again, which may be too early but is never too late."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[Timed]:
        """Returns what has reached its deadline, and forgets it: arm it again afterwards."""
        due: list[Timed] = []
        while self._heap and self._heap[0][0] <= now:
            timed = self._timed.get(heapq.heappop(self._heap)[1])
            if timed is None:
                continue
            self.forget(timed)
            deadline = timed.deadline
            if deadline is not None and deadline <= now:
                due.append(timed)
            else:
                self.arm(timed)
        return due
