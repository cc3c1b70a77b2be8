"""The way to one peer: a socket of the transfer's own, or the server's socket shared by all.

A channel sends; it knows nothing of TFTP. Windows leave in one system call where the route and
the kernel can (`udp.enable_offload`); a refusal is remembered for the route, and plain sends
carry the same octets.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import cast

from TftpLibrary.engine import udp
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.strangers import Strangers, turn_away
from TftpLibrary.engine.tap import Observer, tapped, untapped
from TftpLibrary.engine.udp import DONTWAIT

Send = Callable[[bytes | memoryview, int], int]
Receive = Callable[..., bytes]
"""As `socket.recv`: octets to take, and flags."""

_LARGEST_DATAGRAM = 65536
_MOST_EARLY = 64
"""Datagrams that are taken at once as the socket is connected."""
_STRANGERS_AT_ONCE = 16
"""Datagrams of others that are turned away before it is somebody else's turn."""

RefusedRoutes = set[tuple[int, str]]
"""Family and local host of the routes on which the kernel refused to segment."""


class TidChannel:
    """A socket at a port of its own: the usual case.

    A connected socket is quicker for each datagram, but it costs seven system calls, with the
    second socket that strangers need then. So one that may be done soon waits for `settle`; until
    then one socket does for the peer and for strangers.

    Args:
        sock: bound, not yet connected; closed with the channel.
        peer: the peer's address; the socket is connected to it.
        segment: octets of a full DATA datagram.
        refused: routes without offload; None for no offload at all.
        is_brief: whether to leave connecting to `settle`.
    """

    __slots__ = (
        "_is_offloaded",
        "_refused",
        "_send",
        "_step",
        "early",
        "is_settled",
        "peer",
        "recv",
        "segment",
        "sock",
        "strangers",
    )

    def __init__(
        self,
        sock: socket.socket,
        peer: Address,
        segment: int,
        refused: RefusedRoutes | None,
        *,
        is_brief: bool = False,
    ) -> None:
        self.strangers: Strangers | None = None
        self.sock: socket.socket | None = sock
        self.peer = peer
        self.segment = segment
        self.is_settled = False
        self.early: list[bytes] = []
        """What the peer sent before the socket was connected, and nobody took yet."""
        self.recv: Receive = self._recv_from_peer
        self._send: Send = self._send_to_peer
        if not is_brief:
            self._connect(sock)
        self._refused = refused
        self._use_offload(
            is_on=refused is not None
            and self._route(sock) not in refused
            and udp.enable_offload(sock, segment)
        )

    def send(self, datagram: bytes) -> None:
        """Sends a control packet.

        Raises:
            OSError: it could not leave; ConnectionError when the peer closed its port.
        """
        if self._is_offloaded and len(datagram) > self.segment and self.sock is not None:
            # While the option is set, the kernel would cut this packet into segments too.
            udp.disable_offload(self.sock)
            try:
                self._send(datagram, DONTWAIT)
            finally:
                self._use_offload(is_on=udp.enable_offload(self.sock, self.segment))
        else:
            self._send(datagram, DONTWAIT)

    def send_frame(self, frame: memoryview) -> None:
        """Sends one framed DATA: the data path of lock-step. Errors are those of `socket.send`."""
        self._send(frame, DONTWAIT)

    def send_window(self, frames: memoryview) -> bool:
        """Sends framed DATA in one call: the data path of windows. Returns whether that worked."""
        if len(frames) > self._step:
            return False
        try:
            self._send(frames, DONTWAIT)
        except OSError:
            return False
        return True

    def send_frames(self, frames: memoryview) -> int:
        """Sends framed DATA, one datagram for each segment.

        Returns:
            The octets that left: fewer than given when the socket's buffer is full.

        Raises:
            OSError: it could not leave; ConnectionError when the peer closed its port.
        """
        sent = 0
        while sent < len(frames):
            try:
                sent += self._send(frames[sent : sent + self._step], DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionError:
                raise
            except OSError:
                if not self._is_offloaded:
                    raise
                self._refuse_offload()
        return sent

    def settle(self) -> None:
        """Connects the socket: the transfer lasts. Idempotent.

        Raises:
            OSError: there is no way to the peer.
        """
        if self.is_settled or self.sock is None:
            return
        self._connect(self.sock)
        self.early = self.take_early()
        self._use(self.sock)

    def take_early(self) -> list[bytes]:
        """Returns what the peer sent before the socket was connected; turns strangers away.

        It may lie in both sockets, for a port whose peer knew it already.
        """
        early: list[bytes] = []
        socks = [self.sock, None if self.strangers is None else self.strangers.sock]
        for sock in socks:
            for _ in range(_MOST_EARLY if sock is not None else 0):
                assert sock is not None
                try:
                    datagram, address = sock.recvfrom(_LARGEST_DATAGRAM, DONTWAIT)
                except OSError:
                    break
                if address == self.peer:
                    early.append(datagram)
                else:
                    turn_away(sock, datagram, address)
        return early

    def tap(self, observe: Observer) -> None:
        """Shows each datagram from now on to an observer."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.settle()
            self._use(tapped(self.sock, observe))
            if self.strangers is not None:
                self.strangers.sock = tapped(self.strangers.sock, observe)

    def untap(self) -> None:
        """Shows no datagram any more. Idempotent."""
        if self.sock is not None:
            self._use(untapped(self.sock))
            if self.strangers is not None:
                self.strangers.sock = untapped(self.strangers.sock)

    def close(self) -> None:
        """Closes the socket. Idempotent."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None
            self._close_strangers()

    def _connect(self, sock: socket.socket) -> None:
        # First the other socket: there is always one for a stranger's datagram.
        self.strangers = Strangers.open(sock, self.peer)
        try:
            sock.connect(self.peer)
        except OSError:
            self._close_strangers()
            self.strangers = None
            raise
        self.is_settled = True
        self._use(sock)

    def _use(self, sock: socket.socket) -> None:
        self.sock = sock
        if self.is_settled:
            self._send = sock.send
            self.recv = self._recv_early if self.early else sock.recv

    def _send_to_peer(self, octets: bytes | memoryview, flags: int) -> int:
        assert self.sock is not None
        return self.sock.sendto(octets, flags, self.peer)

    def _recv_early(self, size: int, flags: int = 0) -> bytes:
        """As `socket.recv`, first for what came before the socket was connected."""
        assert self.sock is not None
        if self.early:
            return self.early.pop(0)[:size]
        self.recv = self.sock.recv
        return self.recv(size, flags)

    def _recv_from_peer(self, size: int, flags: int = 0) -> bytes:
        """As `socket.recv`, for the peer's datagrams alone."""
        sock = cast("socket.socket", self.sock)
        datagram, address = sock.recvfrom(size, flags)
        for _ in range(_STRANGERS_AT_ONCE):
            if address == self.peer:
                return datagram
            turn_away(sock, datagram, address)
            datagram, address = sock.recvfrom(size, flags)
        raise BlockingIOError

    def _close_strangers(self) -> None:
        if self.strangers is not None:
            self.strangers.close()

    def _use_offload(self, *, is_on: bool) -> None:
        self._is_offloaded = is_on
        # Octets that one call may carry.
        self._step = udp.burst_size(self.segment) if is_on else self.segment

    def _refuse_offload(self) -> None:
        self._use_offload(is_on=False)
        if self.sock is not None:
            udp.disable_offload(self.sock)
            if self._refused is not None:
                self._refused.add(self._route(self.sock))

    @staticmethod
    def _route(sock: socket.socket) -> tuple[int, str]:
        return sock.family, str(sock.getsockname()[0])


class SharedChannel:
    """The server's own socket, for single-port mode: each send names the peer.

    Args:
        sock: the request socket; it is not closed here.
        peer: the peer's address.
        segment: octets of a full DATA datagram.
        local: the address that was asked, where the socket is bound to a wildcard.
    """

    __slots__ = ("_control", "_shared", "early", "peer", "segment", "sock", "strangers")

    def __init__(
        self, sock: socket.socket, peer: Address, segment: int, local: Address | None
    ) -> None:
        self.sock: socket.socket | None = None
        """No socket of its own: the listener hands the datagrams over."""
        self.strangers: Strangers | None = None
        self.early: list[bytes] = []
        self._shared = sock
        self.peer = peer
        self.segment = segment
        self._control = udp.pktinfo(sock.family, local) if local and udp.IS_LINUX else []

    def settle(self) -> None:
        """Does nothing: the socket is the server's."""

    def recv(self, size: int, flags: int = 0) -> bytes:  # noqa: ARG002 - as TidChannel
        """Nothing comes this way: the listener hands the datagrams over."""
        raise BlockingIOError

    def send(self, datagram: bytes | memoryview) -> None:
        """Sends a control packet. See `TidChannel.send`."""
        if udp.IS_LINUX:
            self._shared.sendmsg([datagram], self._control, DONTWAIT, self.peer)
        else:
            self._shared.sendto(datagram, self.peer)

    def send_frame(self, frame: memoryview) -> None:
        """Sends one framed DATA. See `TidChannel.send_frame`."""
        self.send(frame)

    def send_window(self, frames: memoryview) -> bool:  # noqa: ARG002 - as TidChannel
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

    def tap(self, observe: Observer) -> None:
        """Shows each datagram that leaves here to an observer. See `TidChannel.tap`."""
        self._shared = tapped(self._shared, observe)

    def untap(self) -> None:
        """Shows no datagram any more. Idempotent."""
        self._shared = untapped(self._shared)

    def close(self) -> None:
        """Does nothing: the socket is the server's."""


Channel = TidChannel | SharedChannel
