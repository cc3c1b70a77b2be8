"""A channel with faults on purpose: it stands before another one, and lets a plan decide.

Every datagram of a transfer passes by the rules of a `Passage`, one by one and both ways. So there
are no windows in one call here, and no waiting in `recv`; the session notices nothing else. Without
a fault for its file and its client a transfer never gets such a channel.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from TftpLibrary.engine import hosts
from TftpLibrary.engine.channel import copy_into
from TftpLibrary.engine.commentary import Commentary
from TftpLibrary.engine.contracts import Alarms, Channel, Runner
from TftpLibrary.engine.evidence import Evidence
from TftpLibrary.engine.foreign import ForeignPort
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.late import Deliver, Late
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.session import Session
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.faults.deliveries import Delivery
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.tracking import Track
from TftpLibrary.protocol.datagrams import Observer
from TftpLibrary.protocol.sender import Sender

LONGEST_LATE = 60.0
"""Seconds that late datagrams may outlive their transfer."""
REFUSED_STRANGER = "the packet from another port was refused by an error"
_LARGEST = 65536
_AT_ONCE = 256
"""Datagrams that are taken before other sessions get their turn."""
_EARLY = 0.00002
"""Seconds by which the system wakes a thread too late. A rate is kept all the same, since each
departure follows from the one before."""
_HANDLING = 0.00015
"""Seconds that this process takes between a datagram and its answer. They are no time of the link:
a datagram counts as so much older, and a rate is kept for the same reason."""
MOMENT = 0.001
"""Seconds after which a datagram is tried again for which the socket had no room."""


class Surroundings(Alarms, Runner, Protocol):
    """The engine as a wire sees it: it has alarms, and late datagrams are sessions there."""

    def stands_still(self, session: Session) -> bool:
        """Whether a session is frozen."""


class Wire:
    """A `Channel` before another one, with the faults of a plan between them.

    Args:
        inner: the channel that carries the datagrams; closed with this one.
        passage: the way of the datagrams through the plan.
        engine: the engine.
        deliver: takes late datagrams that have a place: requests, and answers to them.
        forget: called once, when nothing is late any more and everything is closed.
        commentary: shows the datagrams; None where the channel has sockets of its own.
    """

    def __init__(
        self,
        inner: Channel,
        passage: Passage,
        engine: Surroundings,
        deliver: Deliver,
        forget: Callable[[Wire], None] = lambda _wire: None,
        commentary: Commentary | None = None,
    ) -> None:
        self.passage = passage
        self.peer = inner.peer
        self.segment = inner.segment
        self.is_open = True
        self.may_block = False
        self.armed = float("inf")
        self._inner = inner
        self._engine = engine
        self._deliver_elsewhere = deliver
        self._forget = forget
        self._owner: Session | None = None
        self._came: deque[bytes] = deque()
        self._buffer = memoryview(bytearray(_LARGEST))
        self._foreign = ForeignPort(engine, self._hear_refusal)
        self._commentary = commentary or Commentary(hosts.endpoint(inner.peer))
        self._evidence = Evidence(passage, self._commentary)
        self._late: Late | None = None

    def attach(self, owner: Session) -> None:
        """The session is made: it gets late datagrams, and its record the faults."""
        self._owner = owner
        self._evidence.entry = owner.entry
        self.note(monotonic())

    def arrive(self, datagram: bytes) -> None:
        """Takes a datagram that has passed by the faults already."""
        if self.is_open:
            self._came.append(datagram)
            self._engine.set_alarm(self)

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
            self._engine.set_alarm(self)
        return datagram[:size]

    def receive_into(self, view: memoryview, flags: int) -> tuple[int, int]:
        """Takes the next datagram into a buffer."""
        return copy_into(self.receive(len(view), flags), view)

    def deliver(self, datagram: bytes) -> None:
        """Takes a datagram of the peer that came another way; it passes by the faults too."""
        now = monotonic() - _HANDLING
        going = self.passage.carry(datagram, now, is_sent=False)
        self._came.extend(delivery.octets for delivery in going)
        self.note(now, has_come=True)

    @property
    def local(self) -> Address:
        """This end's address."""
        return self._inner.local

    def descriptors(self, owner: Handler) -> tuple[tuple[int, Handler], ...]:
        """The sockets of the channel behind it."""
        return self._inner.descriptors(owner) if self.is_open else ()

    def send(self, datagram: bytes | memoryview) -> None:
        """Sends a packet, if the faults let it."""
        now = monotonic() - _HANDLING
        going = self.passage.carry(bytes(datagram), now, is_sent=True)
        try:
            for delivery in going:
                self._send(delivery, now)
        finally:
            self.note(now)

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
        self._inner.tap(self._commentary.observer(observe))
        self._foreign.tap(None if observe is None else self._commentary.see_aside)

    def close(self) -> None:
        """The session is over; what is late still leaves. Idempotent."""
        if not self.is_open:
            return
        self.is_open = False
        self._owner = None
        self._came.clear()
        self._engine.drop_alarm(self)
        if self.passage.deadline is None or self.passage.is_closed:
            self._end()
            return
        self._late = Late(
            self.passage,
            self._engine,
            self._deliver,
            self._end,
            until=monotonic() + LONGEST_LATE,
            descriptors=self._inner.descriptors,
            read=self._ignore,
        )
        self._late.begin()

    def cut(self) -> None:
        """Closes everything at once. Idempotent."""
        self.close()
        if self._late is not None:
            self._late.stop()

    # For the engine ------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When something is to be done."""
        if self.passage.is_ended or (self._came and not self._is_frozen):
            return 0.0
        deadline = self.passage.deadline
        return None if deadline is None else deadline - _EARLY

    def handle_timeout(self, now: float) -> None:
        """Delivers what is due, and ends a session whose fault says so."""
        for is_sent, delivery in self.passage.due(now + _EARLY):
            self._deliver(is_sent, delivery, now)
        if self._owner is not None and self.passage.is_ended:
            self._owner.stop(self._evidence.ending)
        for _ in range(len(self._came)):
            if self._owner is not None and self._came and not self._is_frozen:
                self._owner.catch_up()
        if self.is_open:
            self._engine.set_alarm(self)

    def fail(self, error: BaseException) -> None:
        """An exception of our own: the transfer is over."""
        if self._owner is not None:
            self._owner.stop(f"internal error: {error!r}, please report it")
        self.cut()

    # Inside --------------------------------------------------------------------------------

    @property
    def _is_frozen(self) -> bool:
        return self._owner is not None and self._engine.stands_still(self._owner)

    def _read(self) -> None:
        """Takes what came, until something arrives in spite of the faults.

        Raises:
            OSError: nothing is there any more, or the peer closed its port.
        """
        for _ in range(_AT_ONCE):
            size, step = self._inner.receive_into(self._buffer, DONTWAIT)
            now = monotonic() - _HANDLING
            for begin in range(0, max(size, 1), max(step, 1)):
                octets = bytes(self._buffer[begin : min(begin + step, size)])
                going = self.passage.carry(octets, now, is_sent=False)
                self._came.extend(delivery.octets for delivery in going)
                self.note(now, has_come=True)
            if self._came:
                return

    def _deliver(self, is_sent: bool, delivery: Delivery, now: float) -> None:
        """A late datagram is due."""
        if delivery.place is not None:
            self._deliver_elsewhere(is_sent, delivery, now)
        elif not is_sent:
            self._came.append(delivery.octets)
        else:
            with contextlib.suppress(OSError):
                self._send(delivery, now)

    def _send(self, delivery: Delivery, now: float) -> None:
        self._commentary.remark = delivery.remark
        try:
            if delivery.is_foreign:
                self._foreign.send(delivery.octets, self._inner.local, self.peer)
            else:
                self._inner.send(delivery.octets)
        except BlockingIOError:
            # The socket has no room: what the faults let through must not be lost here.
            self.passage.postpone(delivery, now + MOMENT)
        finally:
            self._commentary.remark = ""

    def _hear_refusal(self) -> None:
        if self._owner is not None:
            self._owner.entry.remark(REFUSED_STRANGER)

    def note(self, now: float, *, has_come: bool = False) -> None:
        """Writes the faults that happened into the record and the capture, and sets the alarm."""
        if has_come or self.passage.has_struck:
            self._evidence.note(now, self._inner.local, self.peer, has_come=has_come)
        if self.passage.is_ended or self.passage.late_count:
            self._engine.set_alarm(self)

    def _ignore(self) -> None:
        """The transfer is over, and something came all the same: nothing answers."""
        with contextlib.suppress(OSError):
            for _ in range(_AT_ONCE):
                self._inner.receive_into(self._buffer, DONTWAIT)
        self._commentary.show_rest()

    def _end(self) -> None:
        self._commentary.show_rest()
        self._inner.close()
        self._foreign.close()
        self._forget(self)


def reroute(
    session: Session,
    plan: Plan,
    client: str,
    engine: Surroundings,
    deliver: Callable[[Passage], Deliver],
    forget: Callable[[Wire], None] = lambda _wire: None,
    commentary: Commentary | None = None,
) -> Wire | None:
    """Puts a wire before the channel of a running transfer, if a fault concerns it.

    Args:
        session: the transfer.
        plan: the faults.
        client: the client's address; empty for our own client.
        engine: the engine.
        deliver: makes what the wire of a passage gets, see there.
        forget: see `Wire`.
        commentary: see `Wire`.

    Returns:
        The wire; None where the transfer has one, or needs none.
    """
    file, machine, agreement = session.entry.transfer.filename, session.machine, session.agreement
    is_running = session.entry.end is None and session.channel.is_open
    if not is_running or isinstance(session.channel, Wire) or not plan.concerns(file, client):
        return None
    track = Track(
        file,
        client,
        is_server=bool(client),
        blksize=agreement.blksize,
        rollover=agreement.rollover,
        highest=machine.sent if isinstance(machine, Sender) else machine.received,
    )
    passage = Passage(plan, track)
    wire = Wire(session.channel, passage, engine, deliver(passage), forget, commentary)
    session.reroute(wire)
    wire.attach(session)
    return wire
