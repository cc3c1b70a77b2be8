"""Datagrams that pass by faults, written and shown as lines of a transcript."""

from __future__ import annotations

from TftpLibrary.faults.deliveries import Delivery
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.rules import Rule
from TftpLibrary.faults.tracking import Passing, Track
from utest.support.transcript import datagram, line

BOARD = "192.168.1.50"
OTHER = "192.168.1.51"


def passing(text: str, *, file: str = "f", client: str = BOARD, highest: int = 0) -> Passing:
    """Returns the datagram of a line as the rules of a server see it: `S DATA 3 8` is sent."""
    track = Track(file, client, highest=highest, blksize=8)
    return track.look(datagram(text), is_sent=text.startswith("S"))


class Way:
    """The way of one transfer through a plan.

    Args:
        faults: the rules and the qualities of the link, in their order.
        plan: takes them; by default a new one.
        file: the name that is asked.
        client: who asks.
        side: which end has the faults, `S` or `C`.
        blksize: octets of a block.
    """

    def __init__(
        self,
        *faults: Rule | LinkQuality,
        plan: Plan | None = None,
        file: str = "f",
        client: str = BOARD,
        side: str = "S",
        blksize: int = 8,
    ) -> None:
        self.plan = plan or Plan()
        for fault in faults:
            if isinstance(fault, Rule):
                self.plan.add(fault, 0.0)
            else:
                self.plan.set_link(fault)
        self._side = side
        track = self.plan.begin(file, client, is_server=side == "S")
        track.blksize = blksize
        self.passage = Passage(self.plan, track)

    def carry(self, *lines: str, now: float = 0.0) -> list[str]:
        """Sends datagrams either way, and returns the lines of those that arrive at once."""
        return [shown(way, each) for way, each in self.deliveries(*lines, now=now)]

    def deliveries(self, *lines: str, now: float = 0.0) -> list[tuple[str, Delivery]]:
        """Sends datagrams either way, and returns those that arrive at once."""
        return [
            (text[0], each)
            for text in lines
            for each in self.passage.carry(datagram(text), now, is_sent=text[0] == self._side)
        ]

    def due(self, now: float) -> list[str]:
        """Returns the lines of the late datagrams whose time has come."""
        other = "C" if self._side == "S" else "S"
        due = self.passage.due(now)
        return [shown(self._side if is_sent else other, each) for is_sent, each in due]

    def strikes(self) -> list[str]:
        """Returns what the faults did since the last call."""
        return [f"{strike.fault}: {strike.words}" for strike in self.passage.take_strikes()]


def shown(side: str, delivery: Delivery) -> str:
    """Returns the line of a delivery; a stranger's has another side."""
    return " ".join(line("X" if delivery.is_foreign else side, delivery.octets).split())


def lines(side: str, name: str, first: int, last: int) -> list[str]:
    """Returns the lines of some blocks: DATA of 8 octets, or ACKs."""
    size = " 8" if name == "DATA" else ""
    return [f"{side} {name} {block}{size}" for block in range(first, last + 1)]
