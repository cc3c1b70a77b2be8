"""The faults of our clients on their engine: requests, answers and channels on purpose.

A listener has the same in `misbehaviour`. All clients that share their faults share one `Miscalls`,
and each call of theirs has a `Miscall` from its beginning on: the request and the answers pass by
the plan there, and when the server has answered, a `Wire` takes over.
"""

from __future__ import annotations

import contextlib
from time import monotonic
from typing import Protocol

from TftpLibrary.engine.commentary import Commentary
from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.evidence import Evidence
from TftpLibrary.engine.foreign import ForeignPort
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.late import Late
from TftpLibrary.engine.lines import Lines, Place
from TftpLibrary.engine.session import Session
from TftpLibrary.engine.wire import MOMENT, REFUSED_STRANGER, Surroundings, Wire, reroute
from TftpLibrary.faults.deliveries import Delivery
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.protocol.datagrams import Observer
from TftpLibrary.recording.entry import Entry
from TftpLibrary.recording.records import Transfer

_OURS = ""
"""Stands for the address of our own client."""


class Call(Protocol):
    """A caller as its faults see it."""

    @property
    def entry(self) -> Entry:
        """Its record."""

    @property
    def session(self) -> Session | None:
        """The session that took over; None before."""

    @property
    def observe(self) -> Observer | None:
        """The observer of its datagrams."""

    @property
    def local(self) -> Address:
        """This end's address."""

    def put(self, octets: bytes, place: Place) -> None:
        """Sends a packet."""

    def take(self, datagram: bytes, place: Place) -> None:
        """Takes an answer."""

    def stop(self, reason: str = ...) -> Transfer | None:
        """Gives up at once."""


class Miscalls:
    """The faults of one client, or of several that share them. Engine's thread only.

    Args:
        plan: the faults.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._calls: list[Miscall] = []

    def begin(self, call: Call, engine: Surroundings) -> Miscall:
        """A client calls. Returns the faults of the call."""
        self._calls = [each for each in self._calls if each.is_running]
        self._calls.append(Miscall(self.plan, call, engine))
        return self._calls[-1]

    def reroute(self) -> None:
        """Has the faults in running transfers too."""
        for each in self._calls:
            each.reroute()


class Miscall:
    """The faults of one call, until the server answers; then a wire has them.

    Args:
        plan: the faults.
        call: the caller.
        engine: the engine.
    """

    def __init__(self, plan: Plan, call: Call, engine: Surroundings) -> None:
        self.armed = float("inf")
        self._plan = plan
        self._call = call
        self._engine = engine
        file = call.entry.transfer.filename
        self._passage = Passage(plan, plan.begin(file, _OURS, is_server=False))
        self._commentary = Commentary()
        self._evidence = Evidence(self._passage, self._commentary)
        self._evidence.entry = call.entry
        self._foreign = ForeignPort(engine, lambda: call.entry.remark(REFUSED_STRANGER))
        self._wire: Wire | None = None
        self._there: Address | None = None

    @property
    def is_running(self) -> bool:
        """Whether its transfer has not ended yet."""
        return self._call.entry.end is None

    # For the caller ------------------------------------------------------------------------

    def observer(self, observe: Observer | None) -> Observer | None:
        """Returns who is to see the datagrams of the call in the place of an observer."""
        self._foreign.tap(None if observe is None else self._commentary.see_aside)
        return self._commentary.observer(observe)

    def send(self, octets: bytes, place: Place) -> None:
        """Sends a packet, if the faults let it.

        Raises:
            OSError: it could not leave.
        """
        now = monotonic()
        try:
            for delivery in self._passage.carry(octets, now, is_sent=True, place=place):
                self._send(delivery, now)
        finally:
            self._note(now, place)

    def take(self, datagram: bytes, place: Place) -> None:
        """Takes an answer, if the faults let it arrive."""
        now = monotonic()
        going = self._passage.carry(datagram, now, is_sent=False, place=place)
        self._note(now, place, has_come=True)
        for delivery in going:
            self._arrive(delivery)

    def open_wire(self, channel: Channel) -> Channel:
        """The server has answered. Returns the channel of the session."""
        self._engine.drop_alarm(self)
        self._foreign.close()
        self._there = channel.peer
        is_concerned = self._plan.concerns(self._passage.track.file, _OURS)
        if is_concerned or self._passage.deadline is not None:
            self._wire = Wire(channel, self._passage, self._engine, self._deliver)
            return self._wire
        return channel

    def attach(self, session: Session) -> None:
        """The session is made: its record gets the faults."""
        if self._wire is not None:
            self._wire.attach(session)

    def arrive_at(self, session: Session, datagram: bytes) -> None:
        """A datagram that has passed by the faults arrives at the session."""
        if self._wire is None:
            session.take(datagram)
        else:
            self._wire.arrive(datagram)
            session.catch_up()

    def reroute(self) -> None:
        """Puts a wire before the channel of a running transfer that a fault concerns."""
        session = self._call.session
        if session is None:
            return
        wire = reroute(session, self._plan, _OURS, self._engine, lambda _passage: self._deliver)
        if wire is not None:
            wire.tap(self._call.observe)

    def close(self, lines: Lines) -> None:
        """There is no transfer; what is late still leaves, and then the sockets are closed."""
        self._engine.drop_alarm(self)
        self._commentary.show_rest()
        if self._passage.deadline is None or self._passage.is_closed:
            lines.close()
            self._foreign.close()
            return

        def over() -> None:
            lines.close()
            self._foreign.close()

        Late(self._passage, self._engine, self._deliver, over).begin()

    # For the engine ------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When something is to be done."""
        return 0.0 if self._passage.is_ended else self._passage.deadline

    def handle_timeout(self, now: float) -> None:
        """Delivers what is due, and ends a call whose fault says so."""
        for is_sent, delivery in self._passage.due(now):
            self._deliver(is_sent, delivery, now)
        if self._passage.is_ended:
            self._call.stop(self._evidence.ending)
        elif self._there is None and self.is_running:
            self._engine.set_alarm(self)

    def fail(self, error: BaseException) -> None:
        """An exception of our own: the call is over."""
        self._call.stop(f"internal error: {error!r}, please report it")

    # Inside --------------------------------------------------------------------------------

    def _deliver(self, is_sent: bool, delivery: Delivery, now: float) -> None:
        """A late packet of the call is due."""
        if is_sent:
            with contextlib.suppress(OSError):
                self._send(delivery, now)
        else:
            self._arrive(delivery)

    def _send(self, delivery: Delivery, now: float) -> None:
        place = delivery.place
        self._commentary.remark = delivery.remark
        try:
            if not delivery.is_foreign:
                self._call.put(delivery.octets, place)
            elif self._there is None:
                # When the server has answered, a request from another port comes too late.
                self._foreign.send(delivery.octets, self._call.local, place[1])
        except BlockingIOError:
            # The socket has no room: what the faults let through must not be lost here.
            self._passage.postpone(delivery, now + MOMENT)
        finally:
            self._commentary.remark = ""

    def _arrive(self, delivery: Delivery) -> None:
        session = self._call.session
        if session is None:
            self._call.take(delivery.octets, delivery.place)
        elif delivery.place[1] == self._there:
            self.arrive_at(session, delivery.octets)

    def _note(self, now: float, place: Place, *, has_come: bool = False) -> None:
        self._evidence.note(now, self._call.local, place[1], has_come=has_come)
        if self._there is None and self.deadline is not None:
            self._engine.set_alarm(self)
