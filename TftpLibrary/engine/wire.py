"""A channel with faults on purpose: it stands before another one, and lets a plan decide.

Every datagram of a transfer passes by the rules of a `Passage`, one by one and both ways. So there
are no windows in one call here, and no waiting in `recv`; the session notices nothing else. Without
a fault for its file and its client a transfer never gets such a channel.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Callable
from time import monotonic, time_ns
from typing import Protocol

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.contracts import Alarms, Channel
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.tap import tapped
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.faults.deliveries import Delivery, Strike, Then
from TftpLibrary.faults.passage import Passage
from TftpLibrary.protocol.datagrams import Datagram, Observer, is_request, kind
from TftpLibrary.protocol.packets import Opcode
from TftpLibrary.recording.entry import Entry
from TftpLibrary.recording.records import Transfer

LONGEST_LATE = 60.0
"""Seconds that late datagrams may outlive their transfer."""
_LARGEST = 65536
_AT_ONCE = 256
"""Datagrams that are taken before other sessions get their turn."""
_EARLY = 0.00006
"""Seconds by which the system wakes a thread too late. A rate is kept all the same, since each
departure follows from the one before."""
_MOMENT = 0.001
"""Seconds after which a datagram is tried again for which the socket had no room."""


class Owner(Protocol):
    """The session of a wire."""

    @property
    def entry(self) -> Entry:
        """Its record."""

    def catch_up(self) -> None:
        """Takes a datagram that may have come."""

    def stop(self, reason: str = ...) -> Transfer | None:
        """Ends at once."""


class Wire:
    """A `Channel` before another one, with the faults of a plan between them.

    Args:
        inner: the channel that carries the datagrams; closed with this one.
        passage: the way of the datagrams through the plan.
        alarms: the engine.
        take_request: takes a request of the peer that comes late.
        forget: called once, when nothing is late any more and everything is closed.
    """

    def __init__(
        self,
        inner: Channel,
        passage: Passage,
        alarms: Alarms,
        take_request: Callable[[bytes], None],
        forget: Callable[[Wire], None],
    ) -> None:
        self.passage = passage
        self.peer = inner.peer
        self.segment = inner.segment
        self.is_open = True
        self.may_block = False
        self.armed = float("inf")
        self._inner = inner
        self._alarms = alarms
        self._take_request = take_request
        self._forget = forget
        self._owner: Owner | None = None
        self._came: deque[bytes] = deque()
        self._buffer = memoryview(bytearray(_LARGEST))
        self._foreign: socket.socket | None = None
        self._observe: Observer | None = None
        self._remark = ""
        self._shown: list[Datagram] = []
        self._over_at: float | None = None
        self._ending = ""

    def attach(self, owner: Owner) -> None:
        """The session is made: it gets late datagrams, and its record the faults."""
        self._owner = owner
        self._note(monotonic())

    # As a channel --------------------------------------------------------------------------

    def receive(self, size: int, flags: int) -> bytes:  # noqa: ARG002 - as in `Channel`
        """Takes the next datagram that arrives in spite of the faults."""
        if not self._came:
            self._read()
        if not self._came:
            raise BlockingIOError
        datagram = self._came.popleft()
        if self._came:
            # The socket may have nothing more that would wake the session.
            self._alarms.set_alarm(self)
        return datagram[:size]

    def receive_into(self, view: memoryview, flags: int) -> tuple[int, int]:
        """Takes the next datagram into a buffer."""
        datagram = self.receive(len(view), flags)
        view[: len(datagram)] = datagram
        return len(datagram), len(datagram)

    def deliver(self, datagram: bytes) -> None:
        """Takes a datagram of the peer that came another way; it passes by the faults too."""
        now = monotonic()
        going = self.passage.carry(datagram, now, is_sent=False)
        self._came.extend(delivery.octets for delivery in going)
        self._note(now)

    @property
    def local(self) -> Address:
        """This end's address."""
        return self._inner.local

    def descriptors(self, owner: Handler) -> tuple[tuple[int, Handler], ...]:
        """The sockets of the channel behind it."""
        return self._inner.descriptors(owner) if self.is_open else ()

    def send(self, datagram: bytes | memoryview) -> None:
        """Sends a packet, if the faults let it."""
        now = monotonic()
        going = self.passage.carry(bytes(datagram), now, is_sent=True)
        try:
            for delivery in going:
                self._send(delivery, now)
        finally:
            self._note(now)

    def send_frame(self, frame: memoryview) -> None:
        """Sends one framed DATA."""
        self.send(frame)

    def send_window(self, frames: memoryview) -> bool:  # noqa: ARG002 - as in `Channel`
        """Never works: each datagram has a fate of its own."""
        return False

    def send_frames(self, frames: memoryview) -> int:
        """Sends framed DATA one by one. Returns all its octets."""
        for begin in range(0, len(frames), self.segment):
            self.send(frames[begin : begin + self.segment])
        return len(frames)

    def make_room(self) -> None:
        """Asks for a larger receive buffer."""
        self._inner.make_room()

    def merge(self) -> None:
        """Does nothing: each datagram has a fate of its own."""

    def settle(self) -> list[bytes]:
        """See `Channel.settle`."""
        return self._inner.settle()

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram to an observer, with what was done to it on purpose."""
        self._observe = observe
        self._shown.clear()
        self._inner.tap(None if observe is None else self._show)
        if self._foreign is not None:
            self._foreign = tapped(self._foreign, observe)

    def close(self) -> None:
        """The session is over; what is late still leaves. Idempotent."""
        if not self.is_open:
            return
        self.is_open = False
        self._owner = None
        self._came.clear()
        if self.passage.deadline is None or self.passage.is_ended:
            self.cut()
        else:
            self._over_at = monotonic() + LONGEST_LATE
            # The session's own socket goes on without an answer.
            for descriptor, handler in self._inner.descriptors(self):
                self._alarms.watch(descriptor, handler)
            self._alarms.set_alarm(self)

    def cut(self) -> None:
        """Closes everything at once. Idempotent."""
        self.is_open = False
        self.passage.forget_late()
        self._alarms.drop_alarm(self)
        if self._over_at is not None:
            for descriptor, _ in self._inner.descriptors(self):
                self._alarms.forget(descriptor)
        self._inner.close()
        if self._foreign is not None:
            self._alarms.forget(self._foreign.fileno())
            self._foreign.close()
            self._foreign = None
        self._forget(self)

    # For the engine ------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When something is to be done."""
        if self._came or (self.passage.is_ended and self.is_open):
            return 0.0
        deadline = self.passage.deadline
        return None if deadline is None else deadline - _EARLY

    def handle_timeout(self, now: float) -> None:
        """Delivers what is due, and ends a session whose fault says so."""
        for is_sent, delivery in self.passage.due(now + _EARLY):
            if is_sent:
                with contextlib.suppress(OSError):
                    self._send(delivery, now)
            elif is_request(delivery.octets):
                self._take_request(delivery.octets)
            else:
                self._came.append(delivery.octets)
        owner = self._owner
        if owner is not None and self.passage.is_ended:
            owner.stop(self._ending)
            return
        for _ in range(len(self._came)):
            if self._owner is not None and self._came:
                self._owner.catch_up()
        if self.is_open:
            self._alarms.set_alarm(self)
        elif self.passage.deadline is None or now >= (self._over_at or now):
            self.cut()
        else:
            self._alarms.set_alarm(self)

    def ready(self) -> None:
        """The transfer is over, and something came all the same: nothing answers."""
        for _ in range(_AT_ONCE):
            try:
                self._inner.receive_into(self._buffer, DONTWAIT)
            except OSError:
                return

    def fail(self, error: BaseException) -> None:
        """An exception of our own: the transfer is over."""
        owner = self._owner
        if owner is not None:
            owner.stop(f"internal error: {error!r}, please report it")
        self.cut()

    # Inside --------------------------------------------------------------------------------

    def _read(self) -> None:
        """Takes what came, until something arrives in spite of the faults.

        Raises:
            OSError: nothing is there any more, or the peer closed its port.
        """
        for _ in range(_AT_ONCE):
            size, step = self._inner.receive_into(self._buffer, DONTWAIT)
            now = monotonic()
            for begin in range(0, max(size, 1), max(step, 1)):
                octets = bytes(self._buffer[begin : min(begin + step, size)])
                going = self.passage.carry(octets, now, is_sent=False)
                self._came.extend(delivery.octets for delivery in going)
                self._note(now)
            if self._came:
                return

    def _send(self, delivery: Delivery, now: float) -> None:
        if delivery.is_foreign:
            with contextlib.suppress(OSError):
                self._stranger().sendto(delivery.octets, self.peer)
            return
        self._remark = delivery.remark
        try:
            self._inner.send(delivery.octets)
        except BlockingIOError:
            # The socket has no room: what the faults let through must not be lost here.
            self.passage.postpone(delivery, now + _MOMENT)
        finally:
            self._remark = ""

    def _stranger(self) -> socket.socket:
        """The socket at another port, from which strangers' packets come."""
        if self._foreign is None:
            local = self._inner.local
            family = socket.AF_INET if len(local) == 2 else socket.AF_INET6
            sock = udp.open_tid(local, family)
            self._alarms.watch(sock.fileno(), _Complaints(sock, self))
            self._foreign = tapped(sock, self._observe)
        return self._foreign

    def complained(self) -> None:
        """The peer answered a packet from another port with an ERROR, as it should."""
        if self._owner is not None:
            self._owner.entry.remark("the packet from another port was refused by an error")

    def _note(self, now: float) -> None:
        """Writes the faults that happened into the record and the capture, and sets the alarm."""
        strikes = self.passage.take_strikes()
        for strike in strikes:
            if strike.then is Then.end:
                self._ending = f"{strike.words}, on purpose (fault {strike.fault})"
            if self._owner is not None:
                self._owner.entry.add_fault(strike.fault, strike.words, now)
        if self._observe is not None:
            self._show_faults(self._observe, strikes)
        if self.deadline is not None:
            self._alarms.set_alarm(self)

    def _show(self, datagram: Datagram) -> None:
        """Takes a datagram of the channel behind, to show it with what was done to it."""
        if not datagram.is_sent:
            # It passes by the faults only now.
            self._shown.append(datagram)
        elif self._observe is not None:
            self._observe(_commented(datagram, self._remark))

    def _show_faults(self, observe: Observer, strikes: list[Strike]) -> None:
        remarks = [f"fault {strike.fault}: {strike.words}" for strike in strikes]
        if self._shown:
            observe(_commented(self._shown.pop(0), "; ".join(remarks)))
            return
        here, there = hosts.endpoint(self._inner.local), hosts.endpoint(self.peer)
        for strike, remark in zip(strikes, remarks, strict=True):
            if strike.lost and strike.is_sent:
                octets = strike.lost
                observe(Datagram(time_ns(), here, there, octets, True, remark, is_lost=True))


class _Complaints:
    """Hears what the peer answers to a stranger."""

    def __init__(self, sock: socket.socket, wire: Wire) -> None:
        self._sock = sock
        self._wire = wire

    def ready(self) -> None:
        """An ERROR, if the peer looks at ports."""
        with contextlib.suppress(OSError):
            while True:
                if kind(self._sock.recv(_LARGEST, DONTWAIT)) == Opcode.error.packet:
                    self._wire.complained()

    def fail(self, error: BaseException) -> None:
        """An exception of our own: the transfer goes on without it."""


def _commented(datagram: Datagram, more: str) -> Datagram:
    comment = (
        f"{datagram.comment}; {more}" if datagram.comment and more else datagram.comment or more
    )
    return datagram._replace(comment=comment)
