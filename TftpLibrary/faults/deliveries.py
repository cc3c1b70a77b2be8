"""A delivery: one copy of a datagram, and when and how it goes on."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from TftpLibrary.protocol.datagrams import LINK

ALL = "*"
"""Stands for every option in `Strike.ignored`."""


class Then(Enum):
    """The fate of the transfer behind a packet."""

    go_on = "go on"
    stall = "stall"
    """Nothing goes either way."""
    end = "end"
    """This end is over, without another packet."""
    vanish = "vanish"
    """This end is over, and its port is closed at once."""


class Delivery(NamedTuple):
    """One copy of a datagram.

    Attributes:
        octets: the datagram.
        delay: seconds that it is late.
        remark: what was done to it, for a capture; empty where nothing was.
        is_foreign: whether it comes from another port.
        overtaken_by: how many packets that go the same way pass before it.
        place: where it comes from or goes to, as whoever let it pass wrote it; None where that
            needs no words, since a channel carries it.
    """

    octets: bytes
    delay: float = 0.0
    remark: str = ""
    is_foreign: bool = False
    overtaken_by: int = 0
    place: Any = None  # Any: each end has its own

    def noted(self, remark: str) -> Delivery:
        """Returns the copy with one more remark."""
        return self._replace(remark=f"{self.remark}; {remark}" if self.remark else remark)

    @property
    def is_late(self) -> bool:
        """Whether it does not go at once."""
        return self.delay > 0 or self.overtaken_by > 0


class Strike(NamedTuple):
    """A fault that happened.

    Attributes:
        fault: its id.
        words: what it did: `dropped DATA 3`.
        is_sent: which way the packet went.
        lost: the datagram that does not arrive; empty where one does.
        then: what becomes of the transfer.
        duration: seconds of a stall; None for ever.
        ignored: options that the answer does not know; `ALL` stands for each.
        counted: what the record counts, where each packet by itself would be too much.
        is_new: whether it happened now; False for the packets that an earlier stall holds up.
    """

    fault: str
    words: str
    is_sent: bool
    lost: bytes = b""
    then: Then = Then.go_on
    duration: float | None = None
    ignored: frozenset[str] = frozenset()
    counted: str = ""
    is_new: bool = True

    @property
    def summary(self) -> str:
        """The words of the record: `dropped DATA 3`, and `lost packets` of a link."""
        return self.counted or self.words

    @property
    def cause(self) -> str:
        """The origin in words: `fault drop-1`, or `link`."""
        return LINK if self.fault == LINK else f"fault {self.fault}"

    @property
    def remark(self) -> str:
        """The words of a capture: `fault drop-1: dropped DATA 3`, `link: lost DATA 3`."""
        return f"{self.cause}: {self.words}"
