"""The quality of a link: what a radio or a long cable does to everything between two ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import isfinite

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.chance import share
from TftpLibrary.faults.deliveries import Delivery, Strike
from TftpLibrary.faults.forge import flipped, flips_text
from TftpLibrary.faults.rules import LONGEST, Way
from TftpLibrary.faults.tracking import Passing
from TftpLibrary.networks import parse_network
from TftpLibrary.protocol.datagrams import LINK

_OVERTAKEN_FOR = 0.2
_SHARES = ("loss", "duplicate", "reorder", "corrupt")
MOST_WAITING = 100_000


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """The effect of a link on every packet, each way by itself.

    Attributes:
        loss: the share of packets that are lost, from 0 to 1.
        duplicate: the share that arrives twice.
        reorder: the share that the next packet overtakes.
        corrupt: the share in which one bit changes, in the header too.
        delay: seconds that a packet takes one way.
        jitter: seconds that it takes longer at most; the order stays.
        rate: bytes of packets each second, each way; None for no limit.
        queue: packets that wait at most where the rate makes them wait; one more is lost.
        seed: chooses which packets.
        client: address or network of the board; empty for every one.
        direction: which way the packets go.

    Raises:
        UsageError: a value is out of its bounds.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    queue: int = 1000
    seed: int = 0
    client: str = ""
    direction: Way = Way.any

    def __post_init__(self) -> None:
        """Checks the values."""
        for name in _SHARES:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UsageError(f"{name}= must be from 0 % to 100 %, got {value * 100:g} %.")
        for name in ("delay", "jitter"):
            value = getattr(self, name)
            if not (isfinite(value) and 0 <= value <= LONGEST):
                raise UsageError(f"{name}= must be from 0 to {LONGEST:g} seconds, got {value:g}.")
        if self.rate is not None and not (isfinite(self.rate) and self.rate > 0):
            raise UsageError(f"rate= must be above 0 bytes per second, got {self.rate:g}.")
        if not 1 <= self.queue <= MOST_WAITING:
            raise UsageError(f"queue= must be from 1 to {MOST_WAITING}, got {self.queue}.")
        if self.client:
            parse_network(self.client, "client")

    @property
    def has_chance(self) -> bool:
        """Whether the seed decides anything."""
        return self.jitter > 0 or any(getattr(self, name) for name in _SHARES)

    @property
    def is_perfect(self) -> bool:
        """Whether it changes nothing."""
        return not (self.has_chance or self.delay or self.rate)


class LinkState:
    """A single way of a client's link: its waiting packets, and the time of the next departure."""

    def __init__(self, quality: LinkQuality) -> None:
        self.quality = quality
        self._departures: deque[float] = deque()
        self._departed = float("-inf")
        self._arrived = float("-inf")

    def carry(
        self, passing: Passing, copy: Delivery, now: float
    ) -> tuple[list[Delivery], list[Strike]]:
        """Returns what becomes of one copy of a datagram, and what was done to it on purpose."""
        quality = self.quality
        if self._happens(quality.loss, "loss", passing):
            return [], [_strike(passing, "lost", lost=copy.octets)]
        strikes: list[Strike] = []
        if copy.octets and self._happens(quality.corrupt, "corrupt", passing):
            octets = flipped(copy.octets, 0, 1, quality.seed, *passing.identity)
            strike = _strike(passing, "corrupted")
            remark = f"{strike.remark}{flips_text(copy.octets, octets)}"
            copy = copy.noted(remark)._replace(octets=octets)
            strikes.append(strike)
        copies = [copy]
        if self._happens(quality.duplicate, "duplicate", passing):
            strikes.append(_strike(passing, "duplicated"))
            copies.append(copy.noted(strikes[-1].remark))
        carried: list[Delivery] = []
        for each in copies:
            late = self._late(passing, each, now)
            if late is None:
                strikes.append(_strike(passing, "lost", " in the full queue", lost=each.octets))
            else:
                carried.append(late)
        if carried and self._happens(quality.reorder, "reorder", passing):
            strikes.append(_strike(passing, "reordered"))
            last = carried.pop().noted(strikes[-1].remark)
            carried.append(last._replace(delay=last.delay + _OVERTAKEN_FOR, overtaken_by=1))
        return carried, strikes

    def _late(self, passing: Passing, copy: Delivery, now: float) -> Delivery | None:
        """Gives a copy its delay; None where the queue is full."""
        quality, leaves = self.quality, now
        if copy.delay:
            # A rule made it late: it waits for no other packet, and none waits for it.
            return copy._replace(delay=copy.delay + quality.delay)
        if quality.rate is not None:
            while self._departures and self._departures[0] <= now:
                self._departures.popleft()
            if len(self._departures) >= quality.queue:
                return None
            leaves = max(leaves, self._departed) + len(copy.octets) / quality.rate
            self._departed = leaves
            self._departures.append(leaves)
        arrives = leaves + quality.delay
        if quality.jitter:
            arrives += quality.jitter * share(quality.seed, "jitter", *passing.identity)
        # Only `reorder` reorders.
        arrives = self._arrived = max(arrives, self._arrived)
        return copy._replace(delay=arrives - now)

    def _happens(self, chance: float, what: str, passing: Passing) -> bool:
        return chance > 0 and share(self.quality.seed, what, *passing.identity) < chance


def _strike(passing: Passing, did: str, more: str = "", lost: bytes = b"") -> Strike:
    counted = f"{did} packets{more}"
    return Strike(LINK, f"{did} {passing}{more}", passing.is_sent, lost, counted=counted)
