"""The client's first exchange: calls a server, and hands over to a session that moves the file."""

from __future__ import annotations

import contextlib
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from TftpLibrary.engine import hosts
from TftpLibrary.engine.assembly import Assembly, Cargo
from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.lines import Lines, Place
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.session import STOPPING, Session, explain_defect
from TftpLibrary.protocol.datagrams import Observer, is_request
from TftpLibrary.protocol.options import Agreement, ask
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Direction, Mode, Request, octets_of_text
from TftpLibrary.protocol.roles import Role, make_opening
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings

if TYPE_CHECKING:
    from TftpLibrary.engine.miscalls import Miscall, Miscalls


class Order(NamedTuple):
    """A client's order: one file, from or to one server.

    Attributes:
        name: the name to ask for.
        cargo: the file to write, or the place of the file to read.
        servers: family and address of the server's request port; a name may have several.
        settings: how to ask.
        recorder: where the record goes.
    """

    name: str
    cargo: Cargo
    servers: tuple[tuple[int, Address], ...]
    settings: ClientSettings
    recorder: Recorder

    def request(self) -> Request:
        """Returns the RRQ or WRQ."""
        settings, cargo = self.settings, self.cargo
        direction = Direction.read if cargo.source is None else Direction.write
        # RFC 2349: a read asks with 0. Text has no size to ask for or to announce.
        is_text = cargo.mode is Mode.netascii
        size = cargo.size if direction is Direction.write else 0
        wishes = partial(
            ask,
            direction=direction,
            blksize=settings.blksize,
            windowsize=settings.windowsize,
            rollover=settings.rollover,
        )
        options = wishes()
        # A request without any option is one that every device knows.
        is_size_wished = bool(options) if settings.tsize is None else settings.tsize
        if is_size_wished and not is_text:
            options = wishes(tsize=size)
        # The name of a local file may be octets that are no text.
        name = octets_of_text(self.name)
        return Request(direction, name, cargo.mode.value, options)


class Caller:
    """Asks until the server answers; then a session takes over. Engine's thread only.

    Args:
        order: the file and the server; the file is released when there is no transfer.
        engine: what it runs on.

    Attributes:
        entry: the record.
        session: the session that took over; None before.
        observe: who sees its datagrams; None for nobody.

    Raises:
        OSError: no socket can be had.
    """

    def __init__(self, order: Order, engine: Engine) -> None:
        settings = order.settings
        self._lines = Lines(order.servers, settings.local_address, self._send)
        self.armed = float("inf")
        self.session: Session | None = None
        self.observe: Observer | None = None
        self._faults: Miscall | None = None
        self._order = order
        self._engine = engine
        self._assembly = Assembly(Role.client, engine, settings.timing(), settings.offload)
        request, begun = order.request(), monotonic()
        # Each address is asked, however few the tries are.
        timing, servers = settings.timing(), self._lines.servers
        timing = timing._replace(retries=timing.retries + len(servers) - 1)
        self._machine = make_opening(
            request, timing, begun, patience=settings.wait, rollover=settings.rollover
        )
        here, server = self.local, _address_text(servers[0][1])
        client = hosts.readable_host(here), int(here[1])
        self.entry = Entry(order.recorder, engine, request, server, client, begun, is_ours=True)
        self.entry.open(order.cargo.size)

    # For the engine ------------------------------------------------------------------------

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch, one for each family."""
        return tuple((descriptor, self) for descriptor in self._lines.descriptors)

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` is due."""
        return self._machine.deadline

    def begin(self) -> None:
        """Sends the request, and goes on when there is an answer."""
        self._engine.add(self)
        self._flush()

    def ready(self) -> None:
        """An answer, usually."""
        is_any_taken = self._order.settings.any_address
        for datagram, place in self._lines.receive(is_any_taken=is_any_taken):
            if self._faults is None:
                self.take(datagram, place)
            else:
                self._faults.take(datagram, place)
            return

    def settle(self) -> None:
        """Does nothing: the server's TID is not known yet."""

    def run_alone(self) -> None:
        """Does nothing: waiting here for one answer gains nothing."""

    def handle_writable(self) -> None:
        """Does nothing: nothing waits for room."""

    def handle_timeout(self, now: float) -> None:
        """The deadline passed: asks again, or gives up."""
        self._machine.handle_timeout(now)
        self._flush()

    def shift(self, seconds: float) -> None:
        """Does nothing: only a server stands still."""

    def fail(self, error: BaseException) -> None:
        """An exception of our own code: ends this transfer, and nothing else."""
        if self.session is not None:
            self.session.fail(error)
        else:
            message, traceback = explain_defect(error)
            self._finish(End(Outcome.failed, None, message), traceback)

    def sample(self, now: float) -> None:
        """Does nothing: nothing has arrived yet."""

    def report(self, now: float) -> None:
        """Brings the record up to date."""
        self.entry.progress(self._tally(), now - self.entry.begun, now)

    def stop(self, reason: str = STOPPING) -> Transfer | None:
        """Gives up at once.

        Returns:
            The record if a transfer was cut short; None if it had ended.
        """
        if self.session is not None:
            return self.session.stop(reason)
        if self.entry.end is not None:
            return None
        self._machine.abort(0, reason, Outcome.aborted)
        self._flush()
        return self.entry.transfer

    # For the client ------------------------------------------------------------------------

    @property
    def others(self) -> list[str]:
        """Addresses that answered although they were not asked."""
        return self._lines.others

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram from now on to an observer; to nobody any more if it is None."""
        self.observe = observe
        if self.session is not None:
            self.session.channel.tap(observe)
        elif self.entry.end is None:
            self._lines.tap(observe if self._faults is None else self._faults.observer(observe))

    def misbehave(self, faults: Miscalls) -> None:
        """Has faults on purpose from now on."""
        self._faults = faults.begin(self, self._engine)
        self.tap(self.observe)

    # For the faults ------------------------------------------------------------------------

    @property
    def local(self) -> Address:
        """This end's address."""
        return self._lines.local

    def put(self, octets: bytes, place: Place) -> None:
        """Sends a packet that the faults let pass.

        Raises:
            OSError: it could not leave.
        """
        self._lines.send(octets, place)

    def take(self, datagram: bytes, place: Place) -> None:
        """Takes an answer."""
        self._machine.receive(datagram, monotonic())
        agreement = self._machine.agreement
        if agreement is not None:
            self._hand_over(place, agreement, datagram)
            return
        # Whoever refuses the options is asked again, and nobody else.
        self._lines.ask_again(place[1])
        self._flush(place)

    # Inside --------------------------------------------------------------------------------

    def _tally(self) -> Tally:
        machine = self._machine
        return Tally(
            self._order.cargo.size,
            retransmits=machine.retransmits,
            duplicates=machine.duplicates,
        )

    def _send(self, octets: bytes, place: Place) -> None:
        if self._faults is None:
            self._lines.send(octets, place)
        else:
            self._faults.send(octets, place)

    def _flush(self, answerer: Place | None = None) -> None:
        """Sends, and records the end; an ERROR goes to the TID that answered."""
        for transmit in self._machine.transmits():
            assert isinstance(transmit, bytes)
            if answerer is None or is_request(transmit):
                self._lines.ask(transmit)
            else:
                with contextlib.suppress(OSError):
                    self._send(transmit, answerer)
        end = self._machine.end
        if end is None:
            self._engine.arm(self)
        else:
            is_silence = end.outcome is Outcome.timed_out
            self._finish(self._lines.explained(end) if is_silence else end)

    def _finish(self, end: End, traceback: str = "") -> None:
        if self.entry.end is not None:
            return
        self._engine.remove(self)
        if self._faults is None:
            self._lines.close()
        else:
            self._faults.close(self._lines)
        self._order.cargo.release()
        self.entry.remark(*self._machine.remarks)
        self.entry.finish(end, self._tally(), monotonic(), traceback)

    def _hand_over(self, place: Place, agreement: Agreement, datagram: bytes) -> None:
        """The server has shown its TID: a session of the usual kind takes over."""
        cargo, (family, peer) = self._order.cargo, place
        self._engine.remove(self)
        sock = self._lines.keep(family)
        try:
            channel = self._assembly.open_channel(sock, peer, agreement, cargo)
        except OSError as error:
            text = f"there is no way to the server's port: {error.strerror}"
            self._finish(End(Outcome.failed, None, text))
            return
        way: Channel = channel if self._faults is None else self._faults.open_wire(channel)
        if self.observe is not None:
            way.tap(self.observe)
        waiting = channel.take_early()
        now = monotonic()
        client = hosts.readable_host(sock.getsockname())
        self.entry.remark(*self._machine.remarks)
        self.entry.agree(client, _address_text(peer), cargo.size_of(agreement), agreement.granted)
        self.session = session = self._assembly.make_session(cargo, agreement, way, self.entry, now)
        if self._faults is not None:
            self._faults.attach(session)
        session.begin(now)
        if not agreement.has_oack and cargo.sink is not None:
            if self._faults is None:
                session.take(datagram)
            else:
                self._faults.arrive_at(session, datagram)
        for each in waiting:
            session.take(each)


def _address_text(address: Address) -> str:
    return f"{hosts.url_host(hosts.readable_host(address))}:{address[1]}"
