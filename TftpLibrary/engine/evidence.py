"""What faults on purpose did to a transfer, as its record and a capture show it."""

from __future__ import annotations

from contextlib import suppress
from time import time_ns

from TftpLibrary.engine import hosts
from TftpLibrary.engine.hosts import Address
from TftpLibrary.errors import UsageError
from TftpLibrary.faults.deliveries import Strike, Then
from TftpLibrary.faults.passage import Passage
from TftpLibrary.protocol.datagrams import Datagram, Observer
from TftpLibrary.recording.entry import Entry


class Evidence:
    """Writes what the faults did to one transfer. Engine's thread only.

    Args:
        passage: the way of its datagrams through the faults.

    Attributes:
        entry: the record; None before there is one, and the faults wait for it.
        ending: why the transfer is over, where a fault ends it.
        remark: what was done to the datagram that leaves next.
    """

    def __init__(self, passage: Passage) -> None:
        self.entry: Entry | None = None
        self.ending = ""
        self.remark = ""
        self._passage = passage
        self._observe: Observer | None = None
        self._shown: list[Datagram] = []

    def observer(self, observe: Observer | None) -> Observer | None:
        """Returns who is to see the datagrams in the place of an observer, and tells it more."""
        self._observe = observe
        self._shown.clear()
        return None if observe is None else self.see

    def see(self, datagram: Datagram) -> None:
        """A datagram came, or left with the remark."""
        if not datagram.is_sent:
            # It passes by the faults only now.
            self._shown.append(datagram)
        elif self._observe is not None:
            self._observe(_commented(datagram, self.remark))

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
            self.entry.add_fault(strike.fault, strike.summary, now)
        if self._observe is None:
            return
        if has_come and self._shown:
            remark = "; ".join(strike.remark for strike in strikes)
            self._observe(_commented(self._shown.pop(0), remark))
        for strike in strikes:
            if strike.lost and strike.is_sent:
                self._observe(_lost(strike, here, there))


def _lost(strike: Strike, here: Address, there: Address) -> Datagram:
    """Returns a datagram that this end was kept from sending."""
    if hosts.is_wildcard(str(here[0])):
        with suppress(UsageError):
            here = (hosts.source_address(str(there[0])), *here[1:])
    ends = hosts.endpoint(here), hosts.endpoint(there)
    return Datagram(time_ns(), *ends, strike.lost, True, strike.remark, is_lost=True)


def _commented(datagram: Datagram, more: str) -> Datagram:
    comments = (comment for comment in (datagram.comment, more) if comment)
    return datagram._replace(comment="; ".join(comments))
