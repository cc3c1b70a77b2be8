"""The faults of one server on its engine: requests, refusals, files and channels on purpose.

A listener has one from its first fault on. Its plan decides; here requests are lost or come late,
files are refused or damaged, and the channels of transfers get a `Wire`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Protocol

from TftpLibrary.engine import hosts
from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.commentary import Commentary
from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.damaged import DamagedSource
from TftpLibrary.engine.decoding import decode_request
from TftpLibrary.engine.evidence import mark
from TftpLibrary.engine.foreign import ForeignPort
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.late import Deliver, Late
from TftpLibrary.engine.session import Session
from TftpLibrary.engine.single_port import SharedChannel
from TftpLibrary.engine.wire import Surroundings, Wire, reroute
from TftpLibrary.errors import PacketError
from TftpLibrary.faults.deliveries import Delivery, Strike
from TftpLibrary.faults.files import Damage, Damaging, ToldSize
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.protocol.datagrams import Observer, is_request
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from TftpLibrary.protocol.packets import Request, octets_of_text, printable
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.store.base import Source

MOST_STALLED = 1000
"""Requests that are remembered since nothing passes from them on."""
MOST_WAITING = 1000
"""Requests that are late, or whose refusals are; one more is lost."""
MOST_LEFT_ALONE = 1000
"""Requests that are remembered as those that no fault concerns."""
MOST_ENDING = 256
"""Transfers that are over and still have late datagrams; of the oldest ones these are dropped."""
_DENIALS = {
    1: "File not found",
    2: "Access violation",
    3: "Disk full or allocation exceeded",
    6: "File already exists",
}

Place = tuple[Address, Address | None]
"""The peer of a request, and the address that was asked."""


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

    @property
    def bound(self) -> Address:
        """The address of the server."""

    def find_session(self, peer: Address) -> Session | None:
        """Returns the running transfer of a peer."""

    def make_entry(self, request: Request, peer: Address, client: str, begun: float) -> Entry:
        """Makes the record of a request."""


class Misbehaviour:
    """The faults of one listener. Engine's thread only.

    Args:
        plan: the faults.
        engine: the engine.
        port: the listener.
    """

    def __init__(self, plan: Plan, engine: Surroundings, port: Port) -> None:
        self._plan = plan
        self._engine = engine
        self._port = port
        self._waiting: dict[Passage, tuple[Address, Late]] = {}
        self._stalled: dict[tuple[Address, str], Passage] = {}
        self._wires: dict[Passage, Wire] = {}
        self._left_alone: dict[tuple[bytes, str], tuple[str, str]] = {}
        self._version = plan.version
        self._foreign = ForeignPort(engine, lambda: None)
        self._commentary = Commentary()
        self._denied = ""

    def observer(self, observe: Observer | None) -> Observer | None:
        """Returns who is to see the datagrams of the port in the place of an observer."""
        self._foreign.tap(None if observe is None else self._commentary.see_aside)
        return self._commentary.observer(observe)

    def show_rest(self) -> None:
        """Shows the observer what came through the port and was not taken."""
        self._commentary.show_rest()

    # Requests ------------------------------------------------------------------------------

    def take(self, datagram: bytes, peer: Address, local: Address | None, came: float) -> None:
        """Takes a datagram of the request socket; a request passes by the rules first."""
        passage = None
        if self._version != self._plan.version:
            self._version = self._plan.version
            self._left_alone.clear()
        left_alone = self._left_alone.get((datagram, peer[0]))
        if left_alone is not None:
            self._plan.count(*left_alone)
        elif not self._plan.is_empty and is_request(datagram):
            with suppress(PacketError):
                request, client = decode_request(datagram), hosts.readable_host(peer)
                passage = self._passage(request, peer, client)
                if passage is None:
                    self._leave_alone(datagram, peer, printable(request.filename), client)
        if passage is None:
            # In single-port mode it may be a packet for a wire, which tells what becomes of it.
            session = self._port.find_session(peer)
            if session is None or not isinstance(session.channel, Wire):
                self._commentary.came()
            self._port.take(datagram, peer, local, came)
            return
        now, late, known = monotonic(), passage.late_count, len(passage.strikes)
        going = passage.carry(datagram, now, is_sent=False, place=(peer, local))
        self._bound(passage)
        self._commentary.came(passage.strikes[known:])
        for delivery in going:
            self._port.take(delivery.octets, peer, local, came, passage)
        if not going and passage.late_count == late:
            self._record_loss(request, peer, client, passage, now)
        if passage.stalled_by(now):
            self._keep_stalled(passage, peer)
        self._wait(passage, peer)

    def _leave_alone(self, datagram: bytes, peer: Address, file: str, client: str) -> None:
        """Remembers a request that the plan as it is leaves alone: boards ask for the same."""
        if len(self._left_alone) >= MOST_LEFT_ALONE:
            self._left_alone.clear()
        self._left_alone[datagram, peer[0]] = file, client

    def _passage(self, request: Request, peer: Address, client: str) -> Passage | None:
        """Returns the passage of a request; that of its transfer if the peer only repeats it."""
        file, session = printable(request.filename), self._port.find_session(peer)
        if session is not None and isinstance(session.channel, Wire):
            known = session.channel.passage
            if known.track.file == file and session.entry.end is None:
                return known
        for passage, (who, _) in self._waiting.items():
            if who == peer and passage.track.file == file:
                return passage
        stalled = self._stalled.pop((peer, file), None)
        if stalled is not None and stalled.stalled_by(monotonic()):
            return stalled
        track = self._plan.begin(file, client)
        return Passage(self._plan, track) if self._plan.concerns(file, client) else None

    def _keep_stalled(self, passage: Passage, peer: Address) -> None:
        """The peer may repeat its request from the same port, which is the same transfer."""
        if len(self._stalled) >= MOST_STALLED:
            del self._stalled[next(iter(self._stalled))]
        self._stalled[peer, passage.track.file] = passage

    def _bound(self, passage: Passage) -> None:
        """Lets no more requests be late than can be remembered."""
        is_new = passage not in self._waiting and passage not in self._wires
        if is_new and len(self._waiting) >= MOST_WAITING:
            passage.lose_late()

    def _wait(self, passage: Passage, peer: Address) -> None:
        """Sees to the late datagrams of a passage."""
        if passage in self._wires:
            self._wires[passage].note(monotonic())
            return
        if passage.deadline is None:
            return
        if passage in self._waiting:
            self._waiting[passage][1].arm()
            return

        def over() -> None:
            self._waiting.pop(passage, None)

        late = Late(passage, self._engine, self._deliver(passage), over)
        self._waiting[passage] = peer, late
        late.begin()

    def _deliver(self, passage: Passage) -> Deliver:
        """Returns what delivers late requests, and late refusals."""

        def deliver(is_sent: bool, delivery: Delivery, _now: float) -> None:
            peer, local = delivery.place
            if is_sent:
                self._send(delivery)
            else:
                self._port.take(delivery.octets, peer, local, inf, passage)

        return deliver

    def _record_loss(
        self, request: Request, peer: Address, client: str, passage: Passage, now: float
    ) -> None:
        """A request that never arrives is a record: a board's first try is not invisible."""
        session = self._port.find_session(peer)
        strikes = passage.take_strikes()
        if session is not None and session.channel.is_open:
            mark(session.entry, strikes, now)
            return
        entry = self._port.make_entry(request, peer, client, now)
        mark(entry, strikes, now)
        # Only what loses it leaves no copy: that is the last one.
        text = f"the request was dropped on purpose ({strikes[-1].cause})"
        entry.finish(End(Outcome.refused, None, text, cause=Cause.on_purpose), Tally(), now)

    # Refusals and files --------------------------------------------------------------------

    @property
    def is_about_files(self) -> bool:
        """Whether there is a fault that refuses a request or damages a file."""
        return self._plan.is_about_files

    def check(self, request: Request, client: str, entry: Entry) -> None:
        """Refuses a request on purpose.

        Raises:
            Refusal: a fault says so.
        """
        now = monotonic()
        found = self._plan.denial(printable(request.filename), client, now)
        if found is not None:
            fault, denial = found
            strike = Strike(fault, f"refused the request with error {denial.code}", is_sent=True)
            mark(entry, [strike], now)
            self._denied = strike.remark
            public = denial.message or _DENIALS.get(denial.code, "Refused on purpose")
            reason = f"{public[0].lower()}{public[1:]}, on purpose ({strike.cause})"
            raise Refusal(denial.code, public, reason, Cause.on_purpose)

    def answer(
        self, octets: bytes, place: Place, passage: Passage | None, entry: Entry | None
    ) -> Callable[[], None]:
        """Decides what becomes of a refusal; its record shows that.

        Returns:
            A function that sends it, if the faults let it.
        """
        now, (peer, local) = monotonic(), place
        denied, self._denied = self._denied, ""
        going, strikes = [Delivery(octets, place=place)], list[Strike]()
        if passage is not None:
            going = passage.carry(octets, now, is_sent=True, place=place)
            self._bound(passage)
            strikes = passage.take_strikes()
        if entry is not None:
            mark(entry, strikes, now)

        def send() -> None:
            for delivery in going:
                self._send(delivery.noted(denied) if denied else delivery)
            self._commentary.kept_back(strikes, local or self._port.bound, peer)
            if passage is not None:
                self._wait(passage, peer)

        return send

    def _send(self, delivery: Delivery) -> None:
        """Sends from the port of the server, or from that of a stranger."""
        peer, local = delivery.place
        self._commentary.remark = delivery.remark
        try:
            if delivery.is_foreign:
                self._foreign.send(delivery.octets, local or self._port.bound, peer)
            else:
                self._port.answer(delivery.octets, peer, local)
        finally:
            self._commentary.remark = ""

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
        found = self._plan.damage(printable(request.filename), client, source.size, now)
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

    def wire(self, channel: Channel, passage: Passage) -> Wire:
        """Puts a wire before the channel of a transfer."""
        if passage in self._waiting:
            # The wire sees to what is late from here on.
            self._waiting.pop(passage)[1].leave()
        ending = [wire for wire in self._wires.values() if not wire.is_open]
        for wire in ending[:-MOST_ENDING]:
            wire.cut()
        deliver = self._deliver(passage)
        seen = self._commentary_of(channel)
        wire = Wire(channel, passage, self._engine, deliver, self._forget, seen)
        self._wires[passage] = wire
        return wire

    def _commentary_of(self, channel: Channel) -> Commentary | None:
        """In single-port mode whatever a wire gets came through the port."""
        return self._commentary if isinstance(channel, SharedChannel) else None

    def _forget(self, wire: Wire) -> None:
        del self._wires[wire.passage]

    def reroute(self, sessions: tuple[Session, ...]) -> None:
        """Puts wires before the channels of running transfers that a fault concerns."""
        for session in sessions:
            client, engine = session.entry.transfer.client, self._engine
            seen = self._commentary_of(session.channel)
            wire = reroute(session, self._plan, client, engine, self._deliver, self._forget, seen)
            if wire is not None:
                self._wires[wire.passage] = wire

    def stop(self) -> None:
        """Drops what is late."""
        for _, late in tuple(self._waiting.values()):
            late.stop()
        for wire in tuple(self._wires.values()):
            wire.cut()
        self._foreign.close()


Open = Callable[[bytes], Source]
"""Opens a file of the store for a board."""


def _damage_words(damage: Damage) -> str:
    words = {
        Damaging.flip_bit: "flipped a bit of the file",
        Damaging.truncate: "sent only the beginning of the file",
        Damaging.append: "sent more than the file",
        Damaging.replace: f"sent '{damage.content}' instead",
    }
    return words[damage.how]
