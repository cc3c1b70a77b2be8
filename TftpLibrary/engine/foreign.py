"""A port from which the packets of a stranger come, on purpose."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from TftpLibrary.engine import udp
from TftpLibrary.engine.contracts import Alarms
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.tap import tapped
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.datagrams import Observer, kind
from TftpLibrary.protocol.packets import Opcode

_LARGEST = 65536


class ForeignPort:
    """A socket at another port than that of a transfer; it is opened when it is first needed.

    Args:
        alarms: the engine.
        heard: called when the peer answers with an ERROR, as it should.
    """

    def __init__(self, alarms: Alarms, heard: Callable[[], None]) -> None:
        self._alarms = alarms
        self._heard = heard
        self._sock: socket.socket | None = None
        self._observe: Observer | None = None

    def send(self, octets: bytes, local: Address, peer: Address) -> None:
        """Sends from that port; a packet that cannot leave is lost.

        Args:
            octets: the packet.
            local: the address of the transfer; the port is another one.
            peer: who gets it.
        """
        with contextlib.suppress(OSError):
            if self._sock is None:
                family = socket.AF_INET if len(local) == 2 else socket.AF_INET6
                sock = udp.open_tid(local, family)
                self._alarms.watch(sock.fileno(), self)
                self._sock = tapped(sock, self._observe)
            self._sock.sendto(octets, peer)

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram to an observer."""
        self._observe = observe
        if self._sock is not None:
            self._sock = tapped(self._sock, observe)

    def ready(self) -> None:
        """The peer answers a stranger."""
        with contextlib.suppress(OSError):
            while self._sock is not None:
                if kind(self._sock.recv(_LARGEST, DONTWAIT)) == Opcode.error.packet:
                    self._heard()

    def fail(self, error: BaseException) -> None:
        """An exception of our own: the transfer goes on without it."""

    def close(self) -> None:
        """Closes the port. Idempotent."""
        if self._sock is not None:
            self._alarms.forget(self._sock.fileno())
            self._sock.close()
            self._sock = None
