"""The usual channel: a socket of the transfer's own.

It fulfils `contracts.Channel`, where the methods are described. Windows leave in one system call
where the route and the kernel can (`udp.enable_offload`); a refusal is remembered for the route,
and plain sends carry the same octets.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from TftpLibrary.engine import udp
from TftpLibrary.engine.contracts import Receive, ReceiveInto
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.strangers import Strangers, turn_away
from TftpLibrary.engine.tap import tapped, tapped_like
from TftpLibrary.engine.udp import CONTROL_SIZE, DONTWAIT
from TftpLibrary.protocol.datagrams import Observer

Send = Callable[[bytes | memoryview, int], int]

_LARGEST_DATAGRAM = 65536
_MOST_EARLY = 64
"""Datagrams that are taken at once as the socket is connected."""
_STRANGERS_AT_ONCE = 16
"""Strangers' datagrams that are turned away in one turn."""

RefusedRoutes = set[tuple[int, str]]
"""Family and local host of the routes on which the kernel refused to segment."""


class TidChannel:
    """A socket at a port of its own: the usual case.

    A connected socket is quicker for each datagram, but it needs a second socket for strangers, and
    both cost seven system calls. So a transfer that may end soon waits for `settle`; until then one
    socket serves the peer and strangers.

    Args:
        sock: bound, not yet connected; closed with the channel.
        peer: the peer's address; the socket is connected to it.
        segment: octets of a full DATA datagram.
        refused: routes without offload; None for no offload at all.
        is_brief: whether to leave connecting to `settle`.
    """

    __slots__ = (
        "_delivered",
        "_is_merging",
        "_is_offloaded",
        "_refused",
        "_send",
        "_sock",
        "_step",
        "_strangers",
        "is_open",
        "is_settled",
        "may_block",
        "peer",
        "receive",
        "receive_into",
        "segment",
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
        self.peer = peer
        self.segment = segment
        self.is_open = True
        self.is_settled = False
        # On other systems a socket has no time-out of its own, and would wait for ever.
        self.may_block = udp.IS_LINUX
        self._sock = sock
        self._strangers: Strangers | None = None
        # Hardly ever used, and then short: an empty deque takes 760 octets in each transfer.
        self._delivered: list[bytes] = []
        self._is_merging = False
        self.receive: Receive
        self.receive_into: ReceiveInto
        self._send: Send
        if is_brief:
            self._bind()
        else:
            self._connect()
        self._refused = refused
        self._use_offload(
            is_on=refused is not None
            and self._route() not in refused
            and udp.enable_offload(sock, segment)
        )

    @property
    def local(self) -> Address:
        """This end's address."""
        address: Address = self._sock.getsockname()
        return address

    def deliver(self, datagram: bytes) -> None:
        """Takes a datagram of the peer that came another way; it is received next."""
        self._delivered.append(datagram)
        self._bind()

    def descriptors(self, owner: Handler) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch; the second one, once there is one, is for strangers."""
        if not self.is_open:
            return ()
        own: tuple[tuple[int, Handler], ...] = ((self._sock.fileno(), owner),)
        if self._strangers is None:
            return own
        return (*own, (self._strangers.sock.fileno(), self._strangers))

    def send(self, datagram: bytes) -> None:
        """Sends a control packet.

        Raises:
            OSError: it could not leave; ConnectionError when the peer closed its port.
        """
        if self._is_offloaded and len(datagram) > self.segment:
            # While the option is set, the kernel would cut this packet into segments too.
            udp.disable_offload(self._sock)
            try:
                self._send(datagram, DONTWAIT)
            finally:
                self._use_offload(is_on=udp.enable_offload(self._sock, self.segment))
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

    def make_room(self) -> None:
        """Asks for a larger receive buffer."""
        udp.enlarge_buffers(self._sock, is_sending=False)

    def merge(self) -> None:
        """Lets one `receive_into` take many datagrams, where the kernel can merge them."""
        self._is_merging = self.is_settled and udp.merge_datagrams(self._sock)
        self._bind()

    def settle(self) -> list[bytes]:
        """Connects the socket, and returns what the peer sent before. Idempotent.

        Raises:
            OSError: there is no way to the peer.
        """
        if self.is_settled or not self.is_open:
            return []
        self._connect()
        return self.take_early()

    def take_early(self) -> list[bytes]:
        """Returns what the peer sent before the socket was connected; turns strangers away.

        Datagrams may lie in both sockets if the peer knew the port already.
        """
        early: list[bytes] = []
        socks = [self._sock]
        if self._strangers is not None:
            socks.append(self._strangers.sock)
        for sock in socks:
            for _ in range(_MOST_EARLY):
                try:
                    datagram, address = sock.recvfrom(_LARGEST_DATAGRAM, DONTWAIT)
                except OSError:
                    break
                if address == self.peer:
                    early.append(datagram)
                else:
                    turn_away(sock, datagram, address)
        return early

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram from now on to an observer; to nobody any more if it is None."""
        if self.is_open:
            self._sock = tapped(self._sock, observe)
            if self._strangers is not None:
                self._strangers.sock = tapped(self._strangers.sock, observe)
            self._bind()

    def close(self) -> None:
        """Closes the sockets. Idempotent."""
        self.is_open = self.may_block = False
        self._sock.close()
        if self._strangers is not None:
            self._strangers.close()
        # No bound methods any more: a channel that refers to itself would outlive its transfer,
        # until the garbage collector finds it.
        self._send = self.receive = self.receive_into = _fail

    def _connect(self) -> None:
        # The strangers' socket first, so that there is always one for a stranger's datagram.
        strangers = Strangers.open(self._sock, self.peer)
        try:
            self._sock.connect(self.peer)
        except OSError:
            if strangers is not None:
                strangers.close()
            raise
        if strangers is not None:
            strangers.sock = tapped_like(strangers.sock, self._sock)
        self._strangers = strangers
        self.is_settled = True
        self._bind()

    def _bind(self) -> None:
        """Chooses what carries each datagram: no call of ours stands before the socket's own."""
        if self.is_settled:
            self._send, self.receive = self._sock.send, self._sock.recv
            self.receive_into = self._receive_merged if self._is_merging else self._receive_one
        else:
            self._send, self.receive = self._send_to_peer, self._receive_from_peer
            self.receive_into = self._receive_from_peer_into
        if self._delivered:
            self.receive = self._receive_delivered
            self.receive_into = self._receive_delivered_into

    def _send_to_peer(self, octets: bytes | memoryview, flags: int) -> int:
        return self._sock.sendto(octets, flags, self.peer)

    def _receive_from_peer(self, size: int, flags: int) -> bytes:
        """As `socket.recv`, for the peer's datagrams alone."""
        sock = self._sock
        datagram, address = sock.recvfrom(size, flags)
        for _ in range(_STRANGERS_AT_ONCE):
            if address == self.peer:
                return datagram
            turn_away(sock, datagram, address)
            datagram, address = sock.recvfrom(size, flags)
        raise BlockingIOError

    def _receive_from_peer_into(self, view: memoryview, flags: int) -> tuple[int, int]:
        return copy_into(self._receive_from_peer(len(view), flags), view)

    def _receive_delivered(self, size: int, flags: int) -> bytes:
        if not self._delivered:
            # The caller looked this method up before the last delivered datagram was taken.
            return self.receive(size, flags)
        datagram = self._delivered.pop(0)
        self._bind()
        return datagram[:size]

    def _receive_delivered_into(self, view: memoryview, flags: int) -> tuple[int, int]:
        if not self._delivered:
            return self.receive_into(view, flags)
        return copy_into(self._receive_delivered(len(view), flags), view)

    def _receive_one(self, view: memoryview, flags: int) -> tuple[int, int]:
        size = self._sock.recv_into(view, 0, flags)
        return size, size

    if sys.platform == "win32":
        _receive_merged = _receive_one
    else:

        def _receive_merged(self, view: memoryview, flags: int) -> tuple[int, int]:
            size, control, _, _ = self._sock.recvmsg_into((view,), CONTROL_SIZE, flags)
            return size, udp.merged_size(control) or size

    def _use_offload(self, *, is_on: bool) -> None:
        self._is_offloaded = is_on
        # Octets that one call may carry.
        self._step = udp.burst_size(self.segment) if is_on else self.segment

    def _refuse_offload(self) -> None:
        self._use_offload(is_on=False)
        udp.disable_offload(self._sock)
        if self._refused is not None and self.is_open:
            self._refused.add(self._route())

    def _route(self) -> tuple[int, str]:
        return self._sock.family, str(self._sock.getsockname()[0])


def _fail(*_: object) -> NoReturn:
    """Stands for the calls of a socket that is closed."""
    raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def copy_into(datagram: bytes, view: memoryview) -> tuple[int, int]:
    """Copies a datagram into a buffer. Returns what `ReceiveInto` does."""
    size = len(datagram)
    view[:size] = datagram
    return size, size
