"""The recorder: the only place where the engine's thread hands over records.

The engine writes frozen records, any other thread reads them or waits for them. Memory is
bounded: at the limit the transfers that ended first are dropped, and `is_complete` shows it.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import count, islice
from math import inf
from operator import attrgetter, itemgetter
from threading import Condition, Lock
from typing import Protocol, TypeVar

from TftpLibrary.errors import TftpError
from TftpLibrary.recording.records import Transfer

T = TypeVar("T")

SLICE = 0.2
"""Longest time in seconds that a wait blocks, so that Robot's time-outs and Ctrl-C get through."""

DEFECT_LIMIT = 20
"""Defects that are kept; a fault that repeats must not fill the memory."""

SHORT_LOOK = 0.001
"""Seconds; after a look at the record that took no longer, the next may follow at once."""

LONGEST_PAUSE = 0.04
"""Longest pause in seconds between two longer looks, while requests keep coming."""

_position_of = itemgetter(0)
_id_of = attrgetter("id")


class Reporter(Protocol):
    """An engine as a recorder sees it."""

    def report_progress(self) -> None:
        """Reads its sockets, and brings its records up to date. From any thread.

        Without effect when it is stopped.
        """


class Recorder:
    """Keeps the record of every transfer, and wakes those who wait for one.

    Only an `Entry` calls `reserve`, `opened`, `progressed` and `ended`, on its engine's thread;
    several engines may share a recorder. Every thread may call the rest. A position counts the
    openings and endings so far, and `since` means "after that position". `mark()` returns the one
    that a test begins with.

    Attributes:
        limit: ended transfers that are kept. Running ones are kept always.
        fault_numbers: numbers the faults on purpose of all servers and clients that share it.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self.limit = limit
        # Taken directly where nobody waits: that costs half as much as through the condition.
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._waiting = 0
        self._position = 0
        self._ids = count(1)
        self.fault_numbers: Iterator[int] = count(1)
        self._running: dict[int, Transfer] = {}
        self._reporters: dict[int, Reporter] = {}
        # The engines that may open a record at any time, each as often as it joined.
        self._joined: Counter[Reporter] = Counter()
        self._distant: set[Reporter] = set()
        # In the order in which they ended, each with the position of its end.
        self._ended: deque[tuple[int, Transfer]] = deque()
        # When each of them ended, by its id, on the monotonic clock.
        self._moments: dict[int, float] = {}
        self._ended_count = 0
        self._dropped_position = 0
        self._defects: deque[str] = deque(maxlen=DEFECT_LIMIT)

    # -- written by entries

    def reserve(self) -> int:
        """Returns the id for the record of a request that is about to be opened."""
        # `next` of a count is one step: two threads never get the same number.
        return next(self._ids)

    def opened(self, transfer: Transfer, reporter: Reporter) -> None:
        """Records a request.

        A refused request is opened and then ended.

        Args:
            transfer: the record, with an id from `reserve`.
            reporter: the engine to ask for progress when somebody reads while this transfer runs.
        """
        with self._lock:
            self._running[transfer.id] = transfer
            self._reporters[transfer.id] = reporter
            self._position += 1
            self._wake()

    def progressed(self, transfer: Transfer) -> None:
        """Replaces the record of a running transfer.

        Nobody is woken, since a wait asks for progress itself: it would wake itself for ever.
        """
        with self._lock:
            if transfer.id in self._running:
                self._running[transfer.id] = transfer

    def ended(self, transfer: Transfer, moment: float | None = None) -> None:
        """Replaces the record of a running transfer by its last one.

        A transfer that is not running any more keeps the record of its first end.

        Args:
            transfer: the record.
            moment: monotonic seconds of the end; by default now.
        """
        with self._lock:
            if self._running.pop(transfer.id, None) is None:
                return
            del self._reporters[transfer.id]
            self._position += 1
            self._ended_count += 1
            self._ended.append((self._position, transfer))
            self._moments[transfer.id] = time.monotonic() if moment is None else moment
            if len(self._ended) > self.limit:
                self._dropped_position, dropped = self._ended.popleft()
                del self._moments[dropped.id]
            self._wake()

    def miss(self) -> None:
        """Some transfers were not recorded: from now on the record is not complete."""
        with self._lock:
            self._position += 1
            self._dropped_position = self._position
            self._wake()

    def defect(self, text: str) -> None:
        """Records an unexpected exception that belongs to no transfer. The next wait raises it."""
        with self._lock:
            self._defects.append(text)
            self._wake()

    # -- read by any thread

    def join(self, reporter: Reporter, *, is_distant: bool = False) -> None:
        """A server is about to write records here: its engine is asked at each mark.

        Args:
            reporter: the engine.
            is_distant: whether records come late, so that it is asked at each look, too.
        """
        with self._lock:
            self._joined[reporter] += 1
            if is_distant:
                self._distant.add(reporter)

    def leave(self, reporter: Reporter) -> None:
        """A server has stopped. Each `join` needs one `leave`."""
        with self._lock:
            self._joined[reporter] -= 1
            self._joined = +self._joined
            self._distant &= set(self._joined)

    def mark(self) -> int:
        """Returns the present position, to be given as `since` for transfers from now on.

        Each engine reads its sockets first: so a last ACK or a request that came before the mark
        counts as before it.
        """
        with self._lock:
            reporters = {*self._reporters.values(), *self._joined}
        for reporter in reporters:
            reporter.report_progress()
        return self._position

    @property
    def position(self) -> int:
        """The present position, without asking an engine."""
        return self._position

    def is_complete(self, since: int = 0) -> bool:
        """Returns whether every transfer that ended after `since` is still kept."""
        return self._dropped_position <= since

    def transfers(self, since: int = 0) -> tuple[Transfer, ...]:
        """Returns the transfers opened or ended after `since`, or still running.

        They are in the order of their requests.
        """
        return self.read(since)[1]

    def read(self, since: int = 0) -> tuple[int, tuple[Transfer, ...]]:
        """Returns the present position, and the transfers up to it as `transfers` does.

        With that position as the next `since` no end of a transfer is missed or seen twice. Each
        engine that runs one of the transfers is asked first, so the records are up to date.
        """
        with self._lock:
            reporters = {*self._reporters.values(), *self._distant}
        # Without the lock: they write records meanwhile.
        for reporter in reporters:
            reporter.report_progress()
        with self._lock:
            position = self._position
            running = list(self._running.values())
            # A copy at C speed: the engine's thread must not wait for a filter over a long record.
            ended = list(self._ended)
        first = bisect_right(ended, since, key=_position_of)
        transfers = [transfer for _, transfer in ended[first:]]
        return position, tuple(sorted(transfers + running, key=_id_of))

    def ends(self, told: int = 0) -> tuple[int, tuple[Transfer, ...]]:
        """Returns how many transfers have ended so far, and the records of the new ones.

        For callers that report each end once. It costs the engine next to nothing, since it does
        not ask for running transfers.

        Args:
            told: the number that the last call returned.

        Returns:
            The number of ends, and the transfers after the first `told`, in the order of their
            ends; fewer than the difference when some were dropped meanwhile.
        """
        with self._lock:
            count = self._ended_count
            new = list(islice(reversed(self._ended), count - told))
        return count, tuple(transfer for _, transfer in reversed(new))

    def age(self, transfer: Transfer) -> float:
        """Returns the seconds since a transfer ended; infinity once it was dropped.

        Setting the wall clock does not change them, as it changes the difference to
        `transfer.ended`.
        """
        return time.monotonic() - self._moments.get(transfer.id, -inf)

    def take_defects(self) -> tuple[str, ...]:
        """Returns the defects that nobody took yet, and forgets them."""
        with self._lock:
            defects = tuple(self._defects)
            self._defects.clear()
        return defects

    def wait_for_change(self, since: int, timeout: float) -> bool:
        """Blocks until a transfer is opened or ended after `since`, or a defect comes.

        Args:
            since: the position that the caller has seen.
            timeout: seconds; more than 0.2 count as 0.2, so call it in a loop.

        Returns:
            Whether there is something new.
        """
        with self._lock:
            if not self._has_news(since):
                self._waiting += 1
                try:
                    self._changed.wait(max(0.0, min(timeout, SLICE)))
                finally:
                    self._waiting -= 1
            return self._has_news(since)

    def wait_for(
        self,
        predicate: Callable[[tuple[Transfer, ...]], T | None],
        timeout: float,
        since: int = 0,
    ) -> T:
        """Waits until a predicate over the transfers finds something.

        It looks at once, whenever a transfer is opened or ended, and five times a second.

        Args:
            predicate: gets what `transfers(since)` returns; its result ends the wait, None does
                not.
            timeout: seconds; with 0 it looks once.
            since: a position from `mark()`.

        Returns:
            What the predicate returned.

        Raises:
            TimeoutError: the predicate found nothing in time.
            TftpError: the engine met an unexpected exception.
        """
        deadline = time.monotonic() + timeout
        while True:
            looked = time.monotonic()
            position, transfers = self.read(since)
            found = predicate(transfers)
            if found is not None:
                return found
            self._raise_defects()
            now = time.monotonic()
            if now >= deadline:
                raise TimeoutError(f"nothing was found within {timeout:g} s")
            self._pause(now - looked)
            self.wait_for_change(position, deadline - time.monotonic())

    def _wake(self) -> None:
        """Wakes those who wait; with the lock. Notifying nobody costs more than the check."""
        if self._waiting:
            self._changed.notify_all()

    def _has_news(self, since: int) -> bool:
        return self._position > since or bool(self._defects)

    def _raise_defects(self) -> None:
        defects = self.take_defects()
        if defects:
            raise TftpError(
                "The TFTP engine met an unexpected exception; it goes on, but what this test saw "
                "may be incomplete. Please report it with this text:\n" + "\n".join(defects)
            )

    @staticmethod
    def _pause(cost: float) -> None:
        """Lets the engine work when a look takes long and requests come in a flood."""
        if cost > SHORT_LOOK:
            time.sleep(min(4 * cost, LONGEST_PAUSE))
