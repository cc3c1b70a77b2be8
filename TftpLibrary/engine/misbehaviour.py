"""The faults of one server on its engine: requests, refusals, files and channels on purpose.

A listener has one from its first fault on. Its plan decides; here requests are lost or come late,
files are refused or damaged, and the channels of transfers get a `Wire`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Protocol

from TftpLibrary.engine import hosts
from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.contracts import Alarms, Channel
from TftpLibrary.engine.damaged import DamagedSource
from TftpLibrary.engine.decoding import decode_request
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.session import Session
from TftpLibrary.engine.wire import Wire
from TftpLibrary.errors import PacketError
from TftpLibrary.faults.files import Damage, Damaging, ToldSize
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.tracking import Track
from TftpLibrary.protocol.datagrams import is_request
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from TftpLibrary.protocol.packets import Request, octets_of_text, printable
from TftpLibrary.protocol.sender import Sender
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.store.base import Source

_DENIALS = {
    1: "File not found",
    2: "Access violation",
    3: "Disk full or allocation exceeded",
    6: "File already exists",
}


class Port(Protocol):
    """The listener as its faults see it."""

    def take(
        self,
        datagram: bytes,
        peer: Address,
        local: Address | None,
        came: float,
        passage: Passage | None = None,
    ) -> None:
        """Takes a datagram that arrived."""

    def answer(self, octets: bytes, peer: Address, local: Address | None) -> None:
        """Sends from the port of the server."""

    def find_session(self, peer: Address) -> Session | None:
        """Returns the running transfer of a peer."""

    def make_entry(self, request: Request, peer: Address, client: str, begun: float) -> Entry:
        """Makes the record of a request."""


class Misbehaviour:
    """The faults of one listener. Engine's thread only.

    Args:
        plan: the faults.
        alarms: the engine.
        port: the listener.
    """

    def __init__(self, plan: Plan, alarms: Alarms, port: Port) -> None:
        self._plan = plan
        self._alarms = alarms
        self._port = port
        self._waiting: dict[Passage, _Waiting] = {}
        self._wires: set[Wire] = set()

    # Requests ------------------------------------------------------------------------------

    def take(self, datagram: bytes, peer: Address, local: Address | None, came: float) -> None:
        """Takes a datagram of the request socket; a request passes by the rules first."""
        if self._plan.is_empty or not is_request(datagram):
            self._port.take(datagram, peer, local, came)
            return
        try:
            request = decode_request(datagram)
        except PacketError:
            self._port.take(datagram, peer, local, came)
            return
        client, now = hosts.readable_host(peer), monotonic()
        passage = self._passage(request, peer, client)
        if passage is None:
            self._port.take(datagram, peer, local, came)
            return
        going = passage.carry(datagram, now, is_sent=False)
        for delivery in going:
            self._port.take(delivery.octets, peer, local, came, passage)
        if passage.deadline is not None:
            self._wait(passage, peer, local)
        elif not going:
            self._record_loss(request, peer, client, passage, now)

    def _passage(self, request: Request, peer: Address, client: str) -> Passage | None:
        """Returns the passage of a request; that of its transfer if the peer only repeats it."""
        file, session = printable(request.filename), self._port.find_session(peer)
        if session is not None and isinstance(session.channel, Wire):
            known = session.channel.passage
            if known.track.file == file and session.entry.end is None:
                return known
        for waiting in self._waiting.values():
            if waiting.peer == peer and waiting.passage.track.file == file:
                return waiting.passage
        track = self._plan.begin(file, client)
        return Passage(self._plan, track) if self._plan.concerns(file, client) else None

    def _wait(self, passage: Passage, peer: Address, local: Address | None) -> None:
        if passage not in self._waiting and not self._has_wire(passage):
            waiting = _Waiting(passage, peer, local, self._deliver)
            self._waiting[passage] = waiting
        if passage in self._waiting:
            self._alarms.set_alarm(self._waiting[passage])

    def _has_wire(self, passage: Passage) -> bool:
        return any(wire.passage is passage for wire in self._wires)

    def _deliver(self, waiting: _Waiting, now: float) -> None:
        """Delivers late requests and late refusals."""
        passage, peer, local = waiting.passage, waiting.peer, waiting.local
        for is_sent, delivery in passage.due(now):
            if is_sent:
                self._port.answer(delivery.octets, peer, local)
            else:
                self._port.take(delivery.octets, peer, local, inf, passage)
        if passage not in self._waiting:
            return
        if passage.deadline is None:
            del self._waiting[passage]
        else:
            self._alarms.set_alarm(waiting)

    def _record_loss(
        self, request: Request, peer: Address, client: str, passage: Passage, now: float
    ) -> None:
        """A request that never arrives is a record: a board's first try is not invisible."""
        session = self._port.find_session(peer)
        strikes = passage.take_strikes()
        if session is not None and session.channel.is_open:
            for strike in strikes:
                session.entry.add_fault(strike.fault, strike.words, now)
            return
        entry = self._port.make_entry(request, peer, client, now)
        for strike in strikes:
            entry.add_fault(strike.fault, strike.words, now)
        names = ", ".join(dict.fromkeys(strike.fault for strike in strikes))
        text = f"the request was dropped on purpose (fault {names})"
        entry.finish(End(Outcome.refused, None, text, cause=Cause.on_purpose), Tally(), now)

    # Refusals and files --------------------------------------------------------------------

    def check(self, request: Request, client: str, entry: Entry) -> None:
        """Refuses a request on purpose.

        Raises:
            Refusal: a fault says so.
        """
        now = monotonic()
        found = self._plan.denial(printable(request.filename), client, now)
        if found is not None:
            fault, denial = found
            entry.add_fault(fault, f"refused the request with error {denial.code}", now)
            public = denial.message or _DENIALS.get(denial.code, "Refused on purpose")
            reason = f"{public[0].lower()}{public[1:]}, on purpose (fault {fault})"
            raise Refusal(denial.code, public, reason, Cause.on_purpose)

    def answer(self, octets: bytes, peer: Address, local: Address | None, passage: Passage) -> None:
        """Sends a refusal, if the faults let it."""
        for delivery in passage.carry(octets, monotonic(), is_sent=True):
            self._port.answer(delivery.octets, peer, local)
        if passage.deadline is not None:
            self._wait(passage, peer, local)

    def damage(
        self, source: Source, request: Request, client: str, entry: Entry, open_read: Open
    ) -> tuple[Source, int | None]:
        """Returns the source that is sent instead of a file.

        Args:
            source: the good file; closed with the damaged one, or here.
            request: the request.
            client: who asks.
            entry: its record.
            open_read: opens another file of the store, by its name.

        Returns:
            The source, and the size that is told; None for its own.
        """
        now = monotonic()
        found = self._plan.damage(printable(request.filename), client, now)
        if found is None:
            return source, None
        fault, damage = found
        entry.add_fault(fault, _damage_words(damage), now)
        told = source.size if damage.tsize is ToldSize.original else None
        if damage.how is Damaging.replace:
            try:
                other = open_read(octets_of_text(damage.content))
            finally:
                source.close()
            return other, told
        return DamagedSource(source, damage), told

    # Channels ------------------------------------------------------------------------------

    def wire(
        self, channel: Channel, passage: Passage, peer: Address, local: Address | None
    ) -> Wire:
        """Puts a wire before the channel of a transfer."""
        waiting = self._waiting.pop(passage, None)
        if waiting is not None:
            self._alarms.drop_alarm(waiting)

        def take_request(octets: bytes) -> None:
            self._port.take(octets, peer, local, inf, passage)

        wire = Wire(channel, passage, self._alarms, take_request, self._wires.discard)
        self._wires.add(wire)
        return wire

    def reroute(self, sessions: tuple[Session, ...]) -> None:
        """Puts wires before the channels of running transfers that a fault concerns."""
        for session in sessions:
            transfer = session.entry.transfer
            file, client, machine = transfer.filename, transfer.client, session.machine
            is_wired = isinstance(session.channel, Wire)
            if is_wired or session.entry.end is not None or not self._plan.concerns(file, client):
                continue
            agreement = session.agreement
            track = Track(
                file,
                client,
                blksize=agreement.blksize,
                rollover=agreement.rollover,
                highest=machine.sent if isinstance(machine, Sender) else machine.received,
            )
            passage = Passage(self._plan, track)
            wire = self.wire(session.channel, passage, session.channel.peer, None)
            session.reroute(wire)
            wire.attach(session)

    def stop(self) -> None:
        """Drops what is late."""
        for waiting in self._waiting.values():
            self._alarms.drop_alarm(waiting)
        self._waiting.clear()
        for wire in tuple(self._wires):
            wire.cut()


Open = Callable[[bytes], Source]
"""Opens a file of the store for a board."""


class _Waiting:
    """A request, or a refusal, that is late."""

    def __init__(
        self,
        passage: Passage,
        peer: Address,
        local: Address | None,
        deliver: Callable[[_Waiting, float], None],
    ) -> None:
        self.passage = passage
        self.peer = peer
        self.local = local
        self.armed = inf
        self._deliver = deliver

    @property
    def deadline(self) -> float | None:
        """When the next late datagram is due."""
        return self.passage.deadline

    def handle_timeout(self, now: float) -> None:
        """One is due."""
        self._deliver(self, now)

    def fail(self, error: BaseException) -> None:
        """An exception of our own: the listener tells its own defects."""


def _damage_words(damage: Damage) -> str:
    words = {
        Damaging.flip_bit: "flipped a bit of the file",
        Damaging.truncate: "sent only the beginning of the file",
        Damaging.append: "sent more than the file",
        Damaging.replace: f"sent '{damage.content}' instead",
    }
    return words[damage.how]
