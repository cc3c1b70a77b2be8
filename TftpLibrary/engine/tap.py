"""A socket that shows each datagram to an observer: what a capture is made from.

It takes the place of a channel's or a listener's socket while somebody observes, and costs nothing
at other times. What leaves in one call (segmentation offload) or comes in one call (merged
datagrams) is shown singly, as it is on the wire.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from time import time_ns
from typing import Any, cast

from TftpLibrary.engine import udp
from TftpLibrary.engine.udp import Address, Control
from TftpLibrary.errors import UsageError
from TftpLibrary.recording.datagrams import Datagram, Endpoint, Repeats

Observer = Callable[[Datagram], None]
"""Called on the engine's thread for each datagram. It must not raise, and not take long."""

Octets = bytes | bytearray | memoryview

_CONTROL_SIZE = 128
_LARGEST = 65536
_MOST_HOSTS = 1024
_NO_ENDS: tuple[Endpoint, Endpoint] = (("0.0.0.0", 0), ("0.0.0.0", 0))
"""Of a socket that is not connected: its callers tell the peer each time."""


class TappedSocket:
    """Does what the socket does, and shows what goes through it.

    Each datagram is taken whole, even where the caller takes its beginning only.

    Args:
        sock: bound; everything that is not below is left to it.
        observe: who looks.
    """

    def __init__(self, sock: socket.socket, observe: Observer) -> None:
        self.untapped = sock
        self._observe = observe
        self._repeats = Repeats()
        self._local: Address = sock.getsockname()
        self._hosts: dict[str, str] = {}
        try:
            self._ends = self._ends_with(sock.getpeername())
        except OSError:
            self._ends = _NO_ENDS

    def __getattr__(self, name: str) -> Any:
        """Everything else is the socket's own; of any type, hence Any."""
        return getattr(self.untapped, name)

    # Sending -------------------------------------------------------------------------------

    def send(self, octets: Octets, flags: int = 0) -> int:
        """As `socket.send`. One call may be many datagrams."""
        when = time_ns()
        sent = self.untapped.send(octets, flags)
        segment = udp.segment_size(self.untapped) or sent
        for datagram in _pieces(octets[:sent], segment):
            self._show(when, datagram, self._ends, is_sent=True)
        return sent

    def sendto(self, octets: Octets, *arguments: Any) -> int:
        """As `socket.sendto`: flags, if there are any, and the address."""
        when = time_ns()
        sent = self.untapped.sendto(octets, *arguments)
        self._show(when, bytes(octets), self._ends_with(arguments[-1]), is_sent=True)
        return sent

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
        self._show(when, b"".join(buffers), ends, is_sent=True)
        return sent

    # Receiving -----------------------------------------------------------------------------

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As `socket.recv`."""
        octets = self.untapped.recv(_LARGEST, flags)
        self._show(time_ns(), octets, self._ends, is_sent=False)
        return octets[:size]

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Address]:
        """As `socket.recvfrom`."""
        octets, address = self.untapped.recvfrom(_LARGEST, flags)
        self._show(time_ns(), octets, self._ends_with(address), is_sent=False)
        return octets[:size], address

    def recvmsg(
        self, size: int, control_size: int = 0, flags: int = 0
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Address]:
        """As `socket.recvmsg`."""
        octets, control, seen, address = self.untapped.recvmsg(_LARGEST, control_size, flags)
        self._show(time_ns(), octets, self._ends_with(address, control), is_sent=False)
        return octets[:size], control, seen, address

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0, flags: int = 0) -> int:
        """As `socket.recv_into`. One call may be many datagrams."""
        if udp.IS_LINUX:
            octets, control, _, _ = self.untapped.recvmsg(_LARGEST, _CONTROL_SIZE, flags)
            segment = udp.merged_size(control)
        else:
            octets, segment = self.untapped.recv(_LARGEST, flags), 0
        when = time_ns()
        for datagram in _pieces(octets, segment or len(octets)):
            self._show(when, datagram, self._ends, is_sent=False)
        size = min(len(octets), nbytes or len(buffer))
        buffer[:size] = octets[:size]
        return size

    # Inside --------------------------------------------------------------------------------

    def _show(
        self, when: int, octets: bytes, ends: tuple[Endpoint, Endpoint], *, is_sent: bool
    ) -> None:
        here, there = ends
        comment = self._repeats.comment(there, octets, is_sent=is_sent)
        source, destination = ends if is_sent else (there, here)
        self._observe(Datagram(when, source, destination, octets, is_sent, comment))

    def _ends_with(self, peer: Address, control: Control = ()) -> tuple[Endpoint, Endpoint]:
        """Returns this end and the peer; the control messages may tell the local address."""
        there = _endpoint(peer)
        host = udp.local_host(control) or str(self._local[0])
        if udp.is_wildcard(host):
            host = self._own_host(there[0])
        return _endpoint((host, self._local[1])), there

    def _own_host(self, peer: str) -> str:
        """Returns the local address of the route to a peer."""
        if peer not in self._hosts:
            if len(self._hosts) >= _MOST_HOSTS:
                self._hosts.clear()
            try:
                self._hosts[peer] = udp.source_address(peer)
            except UsageError:
                # Nothing is known of it; at least it is of the same family.
                self._hosts[peer] = peer
        return self._hosts[peer]


def tapped(sock: socket.socket, observe: Observer) -> socket.socket:
    """Returns the socket with an observer, in place of one that it may have."""
    # It is one in all but name: what it does not do itself, the socket does.
    return cast("socket.socket", TappedSocket(untapped(sock), observe))


def untapped(sock: socket.socket) -> socket.socket:
    """Returns the socket without an observer."""
    return sock.untapped if isinstance(sock, TappedSocket) else sock


def _pieces(octets: Octets, segment: int) -> Iterator[bytes]:
    """Cuts what one call carried into datagrams; an empty one counts too."""
    for begin in range(0, max(1, len(octets)), max(1, segment)):
        yield bytes(octets[begin : begin + segment])


def _endpoint(address: Address) -> Endpoint:
    return udp.readable_host(address).partition("%")[0], int(address[1])
