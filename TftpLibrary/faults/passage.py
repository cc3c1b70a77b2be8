"""The way of one transfer's datagrams through a plan: which go on now, which later, which never.

The engine puts it in front of a channel, the tests' simulated link and the wire of the emulated
boards use it as it is. It has no clock: `now` is given, and `deadline` says when to come back.
"""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count
from math import inf
from typing import Any, NamedTuple

from TftpLibrary.faults.deliveries import ALL, Delivery, Strike, Then
from TftpLibrary.faults.placed import Placed
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.tracking import Track
from TftpLibrary.protocol.datagrams import LINK
from TftpLibrary.protocol.packets import Request

MOST_LATE = 2000
"""Datagrams of one transfer that may be late at once; one more is lost."""
MOST_LATE_OCTETS = 16 * 1024 * 1024
MOST_LATE_OCTETS_OF_ALL = 64 * 1024 * 1024
"""Octets of the late datagrams of all transfers that have the same plan."""
MOST_STRIKES = 2000
"""Faults that wait for somebody who takes them; the newest are kept."""
TOO_MANY = "lost packets, since too many were late"


STALLED = "let nothing pass"


class _Late(NamedTuple):
    """A delivery that waits; they are sorted by time, and then in the order in which they came."""

    due: float
    number: int
    is_sent: bool
    delivery: Delivery


class Passage:
    """The way of the datagrams of one transfer.

    Args:
        plan: the faults.
        track: the transfer.

    Attributes:
        ignored: options that the answer must not know; a `*` stands for all.
        is_ended: whether this end is over, without another packet.
        is_closed: whether its port is to be closed at once.
    """

    def __init__(self, plan: Plan, track: Track) -> None:
        self.track = track
        self.ignored: frozenset[str] = frozenset()
        self.is_ended = self.is_closed = False
        self._plan = plan
        self._version = -1
        self._rules: tuple[Placed, ...] = ()
        self._strikes: deque[Strike] = deque(maxlen=MOST_STRIKES)
        self._stalled_until = -inf
        self._stalled_by = ""
        self._late: list[_Late] = []
        self._late_octets = 0
        self._numbers = count()
        # Those that others overtake, each with the number of packets that still pass before it.
        self._overtaken: list[tuple[_Late, int]] = []

    def carry(
        self,
        octets: bytes,
        now: float,
        *,
        is_sent: bool,
        place: Any = None,  # Any: see `Delivery`
    ) -> list[Delivery]:
        """A datagram goes one way.

        Args:
            octets: the datagram.
            now: monotonic seconds.
            is_sent: whether this end sent it.
            place: where it comes from or goes to; each delivery of it has the same.

        Returns:
            The datagrams that arrive now, in their order: late ones that were due before, and the
            copies of this one that are not late.
        """
        if self._version != self._plan.version:
            self._look_again()
        if self.is_ended:
            return []
        if now < self._stalled_until:
            self._strikes.append(Strike(self._stalled_by, STALLED, is_sent, octets, is_new=False))
            return []
        passing = self.track.look(octets, is_sent=is_sent)
        copies, strikes = self._plan.pass_by(self._rules, passing, now)
        for strike in strikes:
            self._note(strike, now)
        # Nobody may have asked for late ones in time, and they must not be overtaken by that.
        going: list[Delivery] = []
        if self._late or self._overtaken:
            going += [delivery for _, delivery in self._take_due(now, (is_sent,))]
        for copy in copies:
            if place is not None:
                copy = copy._replace(place=place)  # noqa: PLW2901 - the same copy
            if copy.is_late:
                self._keep(copy, now, is_sent=is_sent)
            else:
                going.append(copy)
                if self._overtaken:
                    going += self._overtake(next(self._numbers), is_sent=is_sent)
        return going

    def known_options(self, request: Request) -> Request:
        """Returns a request without the options that a fault makes this end ignore."""
        if ALL in self.ignored:
            return request._replace(options=())
        kept = tuple(pair for pair in request.options if pair[0].lower() not in self.ignored)
        return request._replace(options=kept)

    @property
    def deadline(self) -> float | None:
        """When the next late datagram is due; None where none is."""
        moments = [late.due for late, _ in self._overtaken]
        if self._late:
            moments.append(self._late[0].due)
        return min(moments, default=None)

    def due(self, now: float) -> list[tuple[bool, Delivery]]:
        """Returns the late datagrams whose time has come, in their order: sent or not, and each."""
        return self._take_due(now, (True, False))

    def _take_due(self, now: float, ways: tuple[bool, ...]) -> list[tuple[bool, Delivery]]:
        came = [late for late, _ in self._overtaken if late.due <= now and late.is_sent in ways]
        self._overtaken = [each for each in self._overtaken if each[0] not in came]
        others: list[_Late] = []
        while self._late and self._late[0].due <= now:
            late = heapq.heappop(self._late)
            (came if late.is_sent in ways else others).append(late)
        for late in others:
            heapq.heappush(self._late, late)
        # A packet that is late when a stall begins or the port vanishes is on the wire: it arrives.
        arrived: list[tuple[bool, Delivery]] = []
        for late in sorted(came):
            self._weigh(-len(late.delivery.octets))
            arrived.append((late.is_sent, late.delivery))
            freed = self._overtake(late.number, is_sent=late.is_sent)
            arrived += [(late.is_sent, delivery) for delivery in freed]
        return arrived

    def postpone(self, delivery: Delivery, due: float) -> None:
        """Takes a datagram back that could not leave: it is late until then."""
        self._weigh(len(delivery.octets))
        heapq.heappush(self._late, _Late(due, next(self._numbers), True, delivery))

    @property
    def strikes(self) -> tuple[Strike, ...]:
        """The faults that happened since they were last taken."""
        return tuple(self._strikes)

    @property
    def has_struck(self) -> bool:
        """Whether there are such faults."""
        return bool(self._strikes)

    @property
    def late_count(self) -> int:
        """How many datagrams are late."""
        return len(self._late) + len(self._overtaken)

    def stalled_by(self, now: float) -> str:
        """Returns the id of the fault that lets nothing pass now; empty without one."""
        if self._version != self._plan.version:
            self._look_again()
        return self._stalled_by if now < self._stalled_until else ""

    def take_strikes(self) -> list[Strike]:
        """Returns the faults that happened since the last call."""
        strikes = list(self._strikes)
        self._strikes.clear()
        return strikes

    def forget_late(self) -> None:
        """Drops every late datagram: this end stops."""
        self._late.clear()
        self._overtaken.clear()
        self._weigh(-self._late_octets)

    def lose_late(self) -> None:
        """Drops every late datagram, since the server has too many transfers that have some."""
        for late in (*self._late, *(late for late, _ in self._overtaken)):
            self._strikes.append(Strike(LINK, TOO_MANY, late.is_sent, late.delivery.octets))
        self.forget_late()

    def _look_again(self) -> None:
        """Faults came or went; a stall ends with its fault."""
        self._version = self._plan.version
        self._rules = self._plan.rules_for(self.track.file, self.track.client)
        self.track.is_counting = self._plan.has_chance
        if all(placed.id != self._stalled_by for placed in self._rules):
            self._stalled_until = -inf

    def _note(self, strike: Strike, now: float) -> None:
        self._strikes.append(strike)
        self.ignored |= strike.ignored
        if strike.then is Then.stall:
            self._stalled_until = inf if strike.duration is None else now + strike.duration
            self._stalled_by = strike.fault
        elif strike.then is not Then.go_on:
            self.is_ended = True
            self.is_closed = strike.then is Then.vanish

    def _weigh(self, octets: int) -> None:
        """Adds to the octets that are late, or takes from them."""
        self._late_octets += octets
        self._plan.late_octets += octets

    def _keep(self, copy: Delivery, now: float, *, is_sent: bool) -> None:
        size = len(copy.octets)
        if (
            self.late_count >= MOST_LATE
            or self._late_octets + size > MOST_LATE_OCTETS
            or self._plan.late_octets + size > MOST_LATE_OCTETS_OF_ALL
        ):
            self._strikes.append(Strike(LINK, TOO_MANY, is_sent, copy.octets))
            return
        self._weigh(size)
        late = _Late(now + copy.delay, next(self._numbers), is_sent, copy)
        if copy.overtaken_by:
            self._overtaken.append((late, copy.overtaken_by))
        else:
            heapq.heappush(self._late, late)

    def _overtake(self, passed: int, *, is_sent: bool) -> list[Delivery]:
        """A packet has passed: returns those before it that waited for it."""
        freed: list[Delivery] = []
        left: list[tuple[_Late, int]] = []
        for late, number in self._overtaken:
            if late.is_sent is not is_sent or late.number > passed:
                left.append((late, number))
            elif number > 1:
                left.append((late, number - 1))
            else:
                self._weigh(-len(late.delivery.octets))
                freed.append(late.delivery)
        self._overtaken = left
        return freed
