"""A simulated network between two ends, with a virtual clock.

`Link(rule)` carries the datagrams. The rule receives one datagram and returns the delays of its
copies in seconds: `()` is lost, `(0,)` delivered, `(0, 0)` duplicated, `(0.3,)` late and so
overtaken by others. A fault plan has the same form.

Nothing sleeps: when nothing is in flight the clock jumps to the next deadline.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from TftpLibrary.protocol.datagrams import kind, wire_block
from utest.support.transcript import Endpoint, line

LATENCY = 0.001
"""Default seconds that every datagram takes, before the delays of the rule."""

Fate = Sequence[float]
"""The delays of the copies of one datagram."""

LOST: Fate = ()
DELIVERED: Fate = (0.0,)
DUPLICATED: Fate = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Datagram:
    """A datagram that an end has sent.

    Attributes:
        side: `C` or `S`, who sent it.
        octets: its content.
        number: counts the datagrams of its kind from its side, from 1.
        now: when it was sent.
    """

    side: str
    octets: bytes
    number: int
    now: float

    @property
    def kind(self) -> str:
        """RRQ, WRQ, DATA, ACK, ERROR, OACK or a question mark."""
        return kind(self.octets)

    @property
    def wire_block(self) -> int | None:
        """The block of DATA and ACK."""
        return wire_block(self.octets)


Rule = Callable[[Datagram], Fate]


class Link:
    """Joins two ends until neither has anything left to do.

    Args:
        rule: returns the fate of each datagram.
        latency: seconds that every datagram takes, before the delays of the rule.
        max_steps: steps after which it counts as a live-lock.

    Attributes:
        now: the virtual clock, in seconds.
        sent: how many datagrams of each kind were sent, such as `sent["DATA"]`.
        octets: how many octets were sent by each side.
        ended: when each side had its end.
        faults: when a datagram was sent that did not arrive at once.
    """

    def __init__(
        self, rule: Rule | None = None, *, latency: float = LATENCY, max_steps: int = 100_000
    ) -> None:
        self.now = 0.0
        self._latency = latency
        self.sent: Counter[str] = Counter()
        self.octets: Counter[str] = Counter()
        self.ended: dict[str, float] = {}
        self.faults: list[float] = []
        self._rule = rule or deliver
        self._carried: list[tuple[str, bytes, Fate]] = []
        self._max_steps = max_steps
        self._in_flight: list[tuple[float, int, str, bytes]] = []
        self._order = itertools.count()
        self._numbers: Counter[tuple[str, str]] = Counter()

    def __repr__(self) -> str:
        """The last lines of the transcript, which a test that fails shows."""
        return "\n".join(["Link, its last lines:", *self.transcript[-30:]])

    @property
    def transcript(self) -> list[str]:
        """A line for each datagram that was sent, with its fate."""
        return [line(side, octets) + _remark(fate) for side, octets, fate in self._carried]

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
            arrival = self._in_flight[0][0] if self._in_flight else None
            waiting = [end for end in ends.values() if end.deadline is not None]
            waiting.sort(key=lambda end: end.deadline or 0.0)
            deadline = waiting[0].deadline if waiting else None
            if arrival is not None and (deadline is None or arrival <= deadline):
                self.now, _, side, octets = heapq.heappop(self._in_flight)
                other[side].receive(octets, self.now)
            elif deadline is not None:
                self.now = max(self.now, deadline)
                waiting[0].handle_timeout(self.now)
            else:
                return
        raise AssertionError(f"Not done after {self._max_steps} steps. {self!r}")

    def _carry(self, side: str, octets: bytes) -> None:
        name = kind(octets)
        self.sent[name] += 1
        self.octets[side] += len(octets)
        self._numbers[side, name] += 1
        fate = self._rule(Datagram(side, octets, self._numbers[side, name], self.now))
        self._carried.append((side, octets, fate))
        if 0 not in fate:
            self.faults.append(self.now)
        for delay in fate:
            entry = (self.now + self._latency + delay, next(self._order), side, octets)
            heapq.heappush(self._in_flight, entry)


def deliver(_: Datagram) -> Fate:
    """The rule of a network without faults."""
    return DELIVERED


def lose(name: str, *numbers: int) -> Rule:
    """A rule that loses the named datagrams of a kind: the first is number 1."""
    return apply(LOST, name, *numbers)


def apply(fate: Fate, name: str, *numbers: int) -> Rule:
    """A rule that gives a fate to the datagrams of a kind; without numbers to all of them."""

    def rule(datagram: Datagram) -> Fate:
        is_meant = datagram.kind == name and (not numbers or datagram.number in numbers)
        return fate if is_meant else DELIVERED

    return rule


class Ring:
    """The receive buffers of a slow board, as a rule.

    Each DATA takes its time, and DATA that comes while all buffers are full is lost.

    Args:
        places: how many buffers there are.
        block_time: seconds that the board takes for each block.
    """

    def __init__(self, places: int, block_time: float) -> None:
        self._places = places
        self._block_time = block_time
        self._free_at: list[float] = []

    def __call__(self, datagram: Datagram) -> Fate:
        if datagram.kind != "DATA":
            return DELIVERED
        taken = [end for end in self._free_at if end > datagram.now]
        if len(taken) >= self._places:
            return LOST
        end = max([datagram.now, *taken]) + self._block_time
        self._free_at = [*taken, end]
        return (end - datagram.now,)


def schedule(fates: Iterable[Fate]) -> Rule:
    """A rule that gives one fate after the other, and delivers when there are no more."""
    left = iter(fates)
    return lambda _: next(left, DELIVERED)


def forever(fates: Sequence[Fate]) -> Rule:
    """A rule that gives one fate after the other, again and again."""
    return schedule(itertools.cycle(fates))


def _remark(fate: Fate) -> str:
    if not fate:
        return "  (lost)"
    if list(fate) == [0]:
        return ""
    return "  (after " + " and ".join(f"{delay:g} s" for delay in fate) + ")"
