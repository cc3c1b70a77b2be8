"""A simulated network between two ends, with a virtual clock and faults on purpose.

`Link(make_rule("drop", "DATA 3"))` carries the datagrams, and they pass by the faults of the
library as they do in the engine. A `Schedule` stands for any network at all: it gives one fate
after the other.

Nothing sleeps: when nothing is in flight the clock jumps to the next deadline.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from math import inf

from TftpLibrary.errors import PacketError
from TftpLibrary.faults.deliveries import Delivery, Strike
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.placed import Placed
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.rules import Rule, make_rule
from TftpLibrary.faults.tracking import Passing
from TftpLibrary.protocol.datagrams import is_request, kind
from TftpLibrary.protocol.packets import Request, decode
from utest.support.transcript import Endpoint, line

LATENCY = 0.001
"""Default seconds that every datagram takes, before the delays of the faults."""

Fate = Sequence[float]
"""The delays of the copies of one datagram: none if it is lost."""

DELIVERED: Fate = (0.0,)


class Schedule(Plan):
    """A plan that gives one fate after the other, and delivers when there are no more."""

    def __init__(self, fates: Iterable[Fate]) -> None:
        super().__init__()
        self._left = iter(fates)

    def pass_by(
        self,
        rules: Sequence[Placed],  # noqa: ARG002 - as in `Plan`
        passing: Passing,
        now: float,  # noqa: ARG002
    ) -> tuple[list[Delivery], list[Strike]]:
        fate = next(self._left, DELIVERED)
        copies = [Delivery(passing.octets, delay) for delay in fate]
        words = " and ".join(f"after {delay:g} s" for delay in fate) or "lost"
        strike = Strike("fate", words, passing.is_sent)
        return copies, [] if tuple(fate) == DELIVERED else [strike]


Fault = Rule | LinkQuality | Schedule


class Link:
    """Joins two ends until neither has anything left to do.

    Args:
        faults: the rules and the quality of the link, or a schedule.
        side: the end that has them: `S` or `C`.
        latency: seconds that every datagram takes, before the delays of the faults.
        max_steps: steps after which it counts as a live-lock.

    Attributes:
        now: the virtual clock, in seconds.
        sent: how many datagrams of each kind were sent, such as `sent["DATA"]`.
        ended: when each side had its end.
        passage: the way through the faults.
        faults: when a datagram was sent that did not arrive at once.
        strikes: the faults that happened.
    """

    def __init__(
        self, *faults: Fault, side: str = "S", latency: float = LATENCY, max_steps: int = 100_000
    ) -> None:
        self.now = 0.0
        self.sent: Counter[str] = Counter()
        self.ended: dict[str, float] = {}
        self.passage = _passage(faults, side)
        self.faults: list[float] = []
        self.strikes: list[Strike] = []
        self._side = side
        self._latency = latency
        self._carried: list[tuple[str, bytes, str]] = []
        self._max_steps = max_steps
        self._in_flight: list[tuple[float, int, str, bytes]] = []
        self._order = itertools.count()

    def __repr__(self) -> str:
        """The last lines of the transcript, which a test that fails shows."""
        return "\n".join(["Link, its last lines:", *self.transcript[-30:]])

    @property
    def transcript(self) -> list[str]:
        """A line for each datagram that was sent, with what was done to it."""
        return [line(side, octets) + remark for side, octets, remark in self._carried]

    def join(self, client: Endpoint, server: Endpoint) -> None:
        """Runs both ends to their end.

        Raises:
            AssertionError: they are not done after `max_steps`: a live-lock.
        """
        ends = {client.side: client, server.side: server}
        other = {client.side: server, server.side: client}
        for _ in range(self._max_steps):
            for end in ends.values():
                if end.end is not None:
                    self.ended.setdefault(end.side, self.now)
                for octets in end.take(self.now):
                    self._carry(end.side, octets)
            arrival = self._in_flight[0][0] if self._in_flight else inf
            late = self.passage.deadline
            waiting = [end for end in ends.values() if end.deadline is not None]
            waiting.sort(key=lambda end: end.deadline or 0.0)
            deadline = waiting[0].deadline or 0.0 if waiting else inf
            if late is not None and late <= min(arrival, deadline):
                self.now = max(self.now, late)
                for is_sent, delivery in self.passage.due(self.now):
                    self._let_go(self._side if is_sent else _other(self._side), delivery)
            elif arrival <= deadline and self._in_flight:
                self.now, _, side, octets = heapq.heappop(self._in_flight)
                other[side].receive(octets, self.now)
            elif waiting:
                self.now = max(self.now, deadline)
                waiting[0].handle_timeout(self.now)
            else:
                return
        raise AssertionError(f"Not done after {self._max_steps} steps. {self!r}")

    def _carry(self, side: str, octets: bytes) -> None:
        self.sent[kind(octets)] += 1
        going = self.passage.carry(octets, self.now, is_sent=side == self._side)
        if not going:
            self.faults.append(self.now)
        for delivery in going:
            self._let_go(side, delivery)
        strikes = self.passage.take_strikes()
        self.strikes += strikes
        done = "; ".join(strike.remark for strike in strikes) or ("" if going else "lost")
        self._carried.append((side, octets, f"  ({done})" if done else ""))

    def _let_go(self, side: str, delivery: Delivery) -> None:
        if delivery.is_foreign:
            # Each end looks at the port, so a stranger's packet reaches no machine.
            return
        octets = self._known(delivery.octets)
        arrival = self.now + self._latency
        heapq.heappush(self._in_flight, (arrival, next(self._order), side, octets))

    def _known(self, octets: bytes) -> bytes:
        """Takes the options out of a request that a fault has the server ignore."""
        if self.passage.ignored and is_request(octets):
            with suppress(PacketError):
                request = decode(octets)
                assert isinstance(request, Request)
                return self.passage.known_options(request).encode()
        return octets


def lose(packet: str, number: int = 1, times: int = 1) -> Rule:
    """A rule that loses a packet: the first that comes by, or the one of that number."""
    return make_rule("drop", packet, after=number - 1, times=times)


def ring(places: int, block_time: float, blksize: int = 8) -> LinkQuality:
    """The receive buffers of a slow board, as a link.

    Each packet takes its time, and one that comes while all buffers are full is lost.

    Args:
        places: how many buffers there are.
        block_time: seconds that the board takes for each block.
        blksize: octets of a block.
    """
    return LinkQuality(rate=(blksize + 4) / block_time, queue=places)


def forever(fates: Sequence[Fate]) -> Schedule:
    """A schedule that gives one fate after the other, again and again."""
    return Schedule(itertools.cycle(fates))


def _passage(faults: Iterable[Fault], side: str) -> Passage:
    plan = Plan()
    for fault in faults:
        if isinstance(fault, Rule):
            plan.add(fault, 0.0)
        elif isinstance(fault, LinkQuality):
            plan.set_link(fault)
        else:
            plan = fault
    client = "192.168.1.50" if side == "S" else ""
    return Passage(plan, plan.begin("boot.img", client, is_server=side == "S"))


def _other(side: str) -> str:
    return "C" if side == "S" else "S"
