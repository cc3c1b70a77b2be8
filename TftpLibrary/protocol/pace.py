"""How fast a window goes out after a time-out, for boards with few receive buffers.

Such a board keeps the head of a window and loses its tail. No later block shows it the gap, so it
waits for a time-out, and each time-out moves one handful of blocks. A sender that sends whole
windows again comes down to a few kilobytes a second, and RFC 7440 has no way to agree on a smaller
window later.

As long as nothing is lost, there is no pace and no cost. Each time-out that may be the fault of the
burst halves the burst, and between two bursts the board gets time to take one. After a period
without such a time-out, as long as one takes, a burst twice as large is tried.
"""

from __future__ import annotations

from math import inf

BLOCK_TIME = 0.0001
"""Seconds that a peer is given for each block of a burst."""
SHORTEST_PAUSE = 0.001
"""Shortest time in seconds between two bursts: a poller cannot wait for less."""
LONGEST_PAUSE = 0.002
"""Longest time in seconds between two bursts: if the wire loses packets, a pause is wasted."""
MOST_BURSTS = 256
"""Bursts of a window at most: even with the longest pauses it leaves in half a second."""
CLEAN_WINDOWS = 8
"""After this many complete windows a time-out is blamed on the network, not on the burst."""
LONGEST_TRIAL = 8
"""A larger burst is tried after at most this many times the cost of the last time-out."""


class Pace:
    """The pace of one sender.

    Args:
        windowsize: blocks of a window, 2 or more.

    Attributes:
        burst: blocks that leave at once; 0 for a whole window.
        pause: seconds from one burst to the next.
    """

    __slots__ = (
        "_clean_since",
        "_cost",
        "_has_risen",
        "_lost_behind",
        "_needed",
        "_smallest",
        "_whole",
        "_windowsize",
        "burst",
        "pause",
    )

    def __init__(self, windowsize: int) -> None:
        self.burst = 0
        self.pause = 0.0
        self._windowsize = windowsize
        self._smallest = max(1, windowsize // MOST_BURSTS)
        self._lost_behind = 0
        self._clean_since = -inf
        self._cost = 0.0
        self._needed = 0.0
        self._has_risen = False
        self._whole = 0

    def report_gap(self, acked: int) -> None:
        """The peer reported that the block behind `acked` is missing, and the sender goes on there.

        The pace stays as it is: a report costs only a round trip, and the wire is to blame as
        often as the burst.
        """
        self._whole += (acked - self._lost_behind) // self._windowsize
        self._lost_behind = acked

    def time_out(self, acked: int, cost: float, now: float) -> bool:
        """The deadline passed without a report of the missing block behind `acked`.

        If many windows arrived whole since the last time-out, the burst fits into the peer's
        buffers: the wire is to blame, and a smaller burst would not help. Bursts must also have
        arrived for as long as a time-out takes: one that fits only now and then fails sooner.

        Args:
            acked: the last block that has arrived.
            cost: seconds of the wait.
            now: monotonic seconds.

        Returns:
            Whether bursts are smaller from now on.
        """
        self.report_gap(acked)
        whole, self._whole = self._whole, 0
        has_risen, self._has_risen = self._has_risen, False
        clean = now - cost - self._clean_since
        self._clean_since = now
        if whole >= CLEAN_WINDOWS and (not self.burst or clean >= self._cost):
            if not self.burst:
                self._cost = self._needed = 0.0
            return False
        self._cost = max(self._cost, cost)
        if has_risen:
            # The larger burst has failed: the next trial waits longer.
            self._needed = min(2 * self._needed, LONGEST_TRIAL * self._cost)
        self._needed = max(self._needed, cost)
        return self._slow_down()

    def arrive(self, acked: int, now: float) -> None:
        """A window that went out in bursts has arrived whole."""
        if now - self._clean_since >= self._needed:
            self._lost_behind = acked
            self._whole = 0
            self._has_risen = True
            self._clean_since = now
            self._speed_up()

    def _slow_down(self) -> bool:
        if 0 < self.burst <= self._smallest:
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
            return False
        self._set_burst((self.burst or self._windowsize) // 2)
        return True

    def _speed_up(self) -> None:
        if self.burst <= self._smallest and self.pause > SHORTEST_PAUSE:
            self.pause /= 2
        elif 2 * self.burst < self._windowsize:
            self._set_burst(2 * self.burst)
        else:
            self.burst, self.pause = 0, 0.0

    def _set_burst(self, burst: int) -> None:
        self.burst = burst
        self.pause = min(max(burst * BLOCK_TIME, SHORTEST_PAUSE), LONGEST_PAUSE)
