"""The comments of a capture: what faults on purpose did to each datagram."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from time import time_ns

from TftpLibrary.engine import hosts
from TftpLibrary.engine.hosts import Address
from TftpLibrary.errors import UsageError
from TftpLibrary.faults.deliveries import Strike
from TftpLibrary.protocol.datagrams import Datagram, Endpoint, Observer


class Commentary:
    """Shows datagrams to an observer, with what was done to them. Engine's thread only.

    A datagram passes by the faults after it was read. So one that came is held until `came` says
    what became of it, and one that nobody speaks about is shown as it is.

    Args:
        peer: whose datagrams are held; None for everybody's, one at a time.

    Attributes:
        remark: what was done to the datagram that leaves next.
    """

    def __init__(self, peer: Endpoint | None = None) -> None:
        self.remark = ""
        self._peer = peer
        self._observe: Observer | None = None
        self._held: list[Datagram] = []

    def observer(self, observe: Observer | None) -> Observer | None:
        """Returns who is to see the datagrams in the place of an observer, and tells it more."""
        self.show_rest()
        self._observe = observe
        return None if observe is None else self.see

    def see(self, datagram: Datagram) -> None:
        """A datagram came, or left with the remark."""
        if datagram.is_sent:
            if self._peer is None:
                self.show_rest()
            self._show(datagram, self.remark)
        elif self._peer in (None, datagram.source):
            self._held.append(datagram)
        else:
            self._show(datagram)

    def see_aside(self, datagram: Datagram) -> None:
        """A datagram came that passes by no faults, or left with the remark."""
        self._show(datagram, self.remark if datagram.is_sent else "")

    def came(self, strikes: Iterable[Strike] = ()) -> None:
        """Tells what was done to the datagram that came first of those that are held."""
        if self._held:
            self._show(self._held.pop(0), "; ".join(strike.remark for strike in strikes))

    def kept_back(self, strikes: Iterable[Strike], here: Address, there: Address) -> None:
        """Shows the datagrams that this end was kept from sending.

        Args:
            strikes: what was done; those with such a datagram count.
            here: this end's address.
            there: the address of the other end.
        """
        lost = [strike for strike in strikes if strike.lost and strike.is_sent]
        if not lost or self._observe is None:
            return
        if hosts.is_wildcard(str(here[0])):
            with suppress(UsageError):
                here = (hosts.source_address(str(there[0])), *here[1:])
        ends = hosts.endpoint(here), hosts.endpoint(there)
        for strike in lost:
            self._observe(
                Datagram(time_ns(), *ends, strike.lost, True, strike.remark, is_lost=True)
            )

    def show_rest(self) -> None:
        """Shows what is held as it is."""
        held, self._held = self._held, []
        for datagram in held:
            self._show(datagram)

    def _show(self, datagram: Datagram, more: str = "") -> None:
        if self._observe is not None:
            comments = [comment for comment in (datagram.comment, more) if comment]
            self._observe(datagram._replace(comment="; ".join(comments)))
