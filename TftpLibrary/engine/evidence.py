"""The effects of faults on a transfer, as its record and a capture show them."""

from __future__ import annotations

from collections.abc import Iterable

from TftpLibrary.engine.commentary import Commentary
from TftpLibrary.engine.hosts import Address
from TftpLibrary.faults.deliveries import Strike, Then
from TftpLibrary.faults.passage import Passage
from TftpLibrary.recording.entry import Entry


class Evidence:
    """Writes what the faults did to one transfer. Engine's thread only.

    Args:
        passage: the way of its datagrams through the faults.
        commentary: shows the datagrams.

    Attributes:
        entry: the record; None before there is one, and the faults wait for it.
        ending: why the transfer is over, where a fault ends it.
        commentary: as given.
    """

    def __init__(self, passage: Passage, commentary: Commentary) -> None:
        self.entry: Entry | None = None
        self.ending = ""
        self.commentary = commentary
        self._passage = passage

    def note(self, now: float, here: Address, there: Address, *, has_come: bool = False) -> None:
        """Writes the faults that happened since the last call.

        Args:
            now: monotonic seconds.
            here: this end's address.
            there: the address of the other end.
            has_come: whether they are those of a datagram that came.
        """
        if self.entry is None:
            return
        strikes = self._passage.take_strikes()
        for strike in strikes:
            if strike.then in (Then.end, Then.vanish):
                self.ending = f"{strike.words}, on purpose ({strike.cause})"
        mark(self.entry, strikes, now)
        if has_come:
            self.commentary.came(strikes)
        self.commentary.kept_back(strikes, here, there)


def mark(entry: Entry, strikes: Iterable[Strike], now: float) -> None:
    """Writes faults that happened into a record."""
    for strike in strikes:
        if strike.is_new:
            entry.add_fault(strike.fault, strike.summary, now)
