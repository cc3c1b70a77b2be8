"""A socket that shows each datagram to an observer: captures are made from it.

It takes the place of a channel's or a listener's socket while somebody observes, and costs nothing
at other times. Datagrams that leave in one call (segmentation offload) or come in one call (merged
datagrams) are shown one by one, as they are on the wire.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator, Sequence
from time import time_ns
from typing import Any, cast

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.udp import Control
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.datagrams import Datagram, Endpoint, Observer, Repeats

Octets = bytes | bytearray | memoryview
Ends = tuple[Endpoint, Endpoint]
"""This end and the other one."""

_LARGEST = 65536
_MOST_HOSTS = 1024


class TappedSocket:
    """Does what the socket does, and shows what goes through it.

    Each datagram is taken whole, even where the caller takes its beginning only.

    Args:
        sock: bound; it does everything that is not defined here.
        observe: the observer.
    """

    def __init__(self, sock: socket.socket, observe: Observer) -> None:
        self.untapped = sock
        self.observe = observe
        self._repeats = Repeats()
        self._hosts: dict[str, str] = {}
        self._look_at_ends()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the socket's own; of any type, hence Any."""
        return getattr(self.untapped, name)

    def connect(self, address: Address) -> None:
        """As `socket.connect`."""
        self.untapped.connect(address)
        self._look_at_ends()

    # Sending -------------------------------------------------------------------------------

    def send(self, octets: Octets, flags: int = 0) -> int:
        """As `socket.send`. One call may be many datagrams."""
        when = time_ns()
        sent = self.untapped.send(octets, flags)
        self._show_sent(when, octets[:sent], self._ends)
        return sent

    def sendto(self, octets: Octets, *arguments: Any) -> int:
        """As `socket.sendto`: flags, if there are any, and the address."""
        when = time_ns()
        sent = self.untapped.sendto(octets, *arguments)
        self._show_sent(when, octets[:sent], self._ends_with(arguments[-1]))
        return sent

    # Receiving -----------------------------------------------------------------------------

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As `socket.recv`."""
        return self.recvfrom(size, flags)[0]

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Address]:
        """As `socket.recvfrom`."""
        octets, address = self.untapped.recvfrom(_LARGEST, flags)
        self.show_received(octets, address)
        return octets[:size], address

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0, flags: int = 0) -> int:
        """As `socket.recv_into`. One call may be many datagrams."""
        size = nbytes or len(buffer)
        if sys.platform != "win32" and udp.IS_LINUX:
            octets = self.recvmsg(size, udp.CONTROL_SIZE, flags)[0]
        else:
            octets = self.recv(size, flags)
        buffer[: len(octets)] = octets
        return len(octets)

    # With control messages -----------------------------------------------------------------

    if sys.platform != "win32":

        def sendmsg(
            self,
            buffers: Sequence[Octets],
            control: Control = (),
            flags: int = 0,
            address: Address | None = None,
        ) -> int:
            """As `socket.sendmsg`: the control messages may name the source."""
            when = time_ns()
            sent = self.untapped.sendmsg(buffers, control, flags, address)
            ends = self._ends if address is None else self._ends_with(address, control)
            self._show_sent(when, b"".join(buffers), ends)
            return sent

        def recvmsg(
            self, size: int, control_size: int = 0, flags: int = 0
        ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Address]:
            """As `socket.recvmsg`. One call may be many datagrams."""
            octets, control, seen, address = self.untapped.recvmsg(_LARGEST, control_size, flags)
            self.show_received(octets, address, control)
            return octets[:size], control, seen, address

        def recvmsg_into(
            self, buffers: Sequence[bytearray | memoryview], control_size: int = 0, flags: int = 0
        ) -> tuple[int, list[tuple[int, int, bytes]], int, Address]:
            """As `socket.recvmsg_into` with one buffer. One call may be many datagrams."""
            (buffer,) = buffers
            octets, control, seen, address = self.recvmsg(len(buffer), control_size, flags)
            buffer[: len(octets)] = octets
            return len(octets), control, seen, address

    # Shown by others -----------------------------------------------------------------------

    def show_received(self, octets: bytes, address: Address, control: Control = ()) -> None:
        """Shows what one call received, which another one than this may have made."""
        when, ends = time_ns(), self._ends or self._ends_with(address, control)
        for datagram in _pieces(octets, udp.merged_size(control)):
            self._show(when, datagram, ends, is_sent=False)

    # Inside --------------------------------------------------------------------------------

    def _show_sent(self, when: int, octets: Octets, ends: Ends | None) -> None:
        for datagram in _pieces(octets, udp.segment_size(self.untapped)):
            self._show(when, datagram, ends, is_sent=True)

    def _show(self, when: int, octets: bytes, ends: Ends | None, *, is_sent: bool) -> None:
        if ends is not None:
            here, there = ends
            comment = self._repeats.comment(there, octets, is_sent=is_sent)
            source, destination = ends if is_sent else (there, here)
            self.observe(Datagram(when, source, destination, octets, is_sent, comment))

    def _look_at_ends(self) -> None:
        self._local: Address = self.untapped.getsockname()
        self._ends: Ends | None = None
        # An unconnected socket gets the peer with each call.
        with contextlib.suppress(OSError):
            self._ends = self._ends_with(self.untapped.getpeername())

    def _ends_with(self, peer: Address, control: Control = ()) -> Ends:
        """Returns this end and the peer; the control messages may have the local address."""
        there = hosts.endpoint(peer)
        host = udp.local_host(control) or str(self._local[0])
        if hosts.is_wildcard(host):
            host = self._own_host(there[0])
        return hosts.endpoint((host, self._local[1])), there

    def _own_host(self, peer: str) -> str:
        """Returns the local address of the route to a peer."""
        if peer not in self._hosts:
            if len(self._hosts) >= _MOST_HOSTS:
                self._hosts.clear()
            try:
                self._hosts[peer] = hosts.source_address(peer)
            except UsageError:
                # The address is unknown: the peer's own is at least of the same family.
                self._hosts[peer] = peer
        return self._hosts[peer]


def tapped(sock: socket.socket, observe: Observer | None) -> socket.socket:
    """Returns the socket with this observer, or with None, in the place of any other."""
    if observe is None:
        return untapped(sock)
    if isinstance(sock, TappedSocket):
        # It remembers what is a repeat.
        sock.observe = observe
        return cast("socket.socket", sock)
    # It is a socket in all but name: the socket does everything that is not defined here.
    return cast("socket.socket", TappedSocket(sock, observe))


def tapped_like(sock: socket.socket, other: socket.socket) -> socket.socket:
    """Returns the socket with the observer of another one, if that has any."""
    return tapped(sock, other.observe) if isinstance(other, TappedSocket) else sock


def untapped(sock: socket.socket) -> socket.socket:
    """Returns the socket without an observer."""
    return sock.untapped if isinstance(sock, TappedSocket) else sock


def _pieces(octets: Octets, segment: int) -> Iterator[bytes]:
    """Cuts the octets of one call into datagrams; a segment of 0 means one, perhaps empty."""
    step = segment or max(1, len(octets))
    for begin in range(0, max(1, len(octets)), step):
        yield bytes(octets[begin : begin + step])
