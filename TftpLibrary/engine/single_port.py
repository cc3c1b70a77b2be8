"""The channel of single-port mode: the server's socket, which all transfers share.

It fulfils `contracts.Channel`, where the methods are described.
"""

from __future__ import annotations

import socket
import sys

from TftpLibrary.engine import udp
from TftpLibrary.engine.channel import copy_into
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.tap import tapped
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.datagrams import Observer


class SharedChannel:
    """The server's own socket, for single-port mode: each send names the peer.

    Args:
        sock: the request socket; it is not closed here.
        peer: the peer's address.
        segment: octets of a full DATA datagram.
        local: the address that was asked, where the socket is bound to a wildcard.
    """

    __slots__ = (
        "_control",
        "_delivered",
        "_sock",
        "is_open",
        "local",
        "may_block",
        "peer",
        "segment",
    )

    def __init__(
        self, sock: socket.socket, peer: Address, segment: int, local: Address | None
    ) -> None:
        self.peer = peer
        self.segment = segment
        self.is_open = True
        self.may_block = False
        self.local: Address = local or sock.getsockname()
        self._sock = sock
        self._delivered: list[bytes] = []
        self._control = udp.pktinfo(sock.family, local) if local and udp.IS_LINUX else []

    def receive(self, size: int, flags: int) -> bytes:  # noqa: ARG002 - as in `Channel`
        """Takes a datagram that the listener delivered: only the listener reads the socket."""
        if not self._delivered:
            raise BlockingIOError
        return self._delivered.pop(0)[:size]

    def receive_into(self, view: memoryview, flags: int) -> tuple[int, int]:
        """Takes a datagram that the listener delivered into a buffer."""
        return copy_into(self.receive(len(view), flags), view)

    def deliver(self, datagram: bytes) -> None:
        """Takes a datagram that came through the server's port; it is received next."""
        self._delivered.append(datagram)

    def descriptors(self, owner: Handler) -> tuple[tuple[int, Handler], ...]:  # noqa: ARG002 - as in `Channel`
        """None: the engine watches the socket for the listener."""
        return ()

    def send(self, datagram: bytes | memoryview) -> None:
        """Sends a control packet. See `TidChannel.send`."""
        if self._control and sys.platform != "win32":
            self._sock.sendmsg([datagram], self._control, DONTWAIT, self.peer)
        else:
            self._sock.sendto(datagram, DONTWAIT, self.peer)

    def send_frame(self, frame: memoryview) -> None:
        """Sends one framed DATA. See `TidChannel.send_frame`."""
        self.send(frame)

    def send_window(self, frames: memoryview) -> bool:  # noqa: ARG002 - as in `Channel`
        """Never works: each datagram names the peer. See `TidChannel.send_window`."""
        return False

    def send_frames(self, frames: memoryview) -> int:
        """Sends framed DATA. See `TidChannel.send_frames`."""
        sent = 0
        for begin in range(0, len(frames), self.segment):
            frame = frames[begin : begin + self.segment]
            try:
                self.send(frame)
            except BlockingIOError:
                break
            sent += len(frame)
        return sent

    def make_room(self) -> None:
        """Does nothing: the socket has a large buffer from the start."""

    def merge(self) -> None:
        """Does nothing: merged datagrams might belong to several transfers."""

    def settle(self) -> list[bytes]:
        """Does nothing: the socket is the server's."""
        return []

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram that leaves here to an observer. See `TidChannel.tap`."""
        self._sock = tapped(self._sock, observe)

    def close(self) -> None:
        """Leaves the socket open, which is the server's. Idempotent."""
        self.is_open = False
