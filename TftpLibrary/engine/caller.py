"""The client's first exchange: calls a server, and hands over to a session that moves the file."""

from __future__ import annotations

import contextlib
import socket
from functools import partial
from time import monotonic
from typing import NamedTuple

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.assembly import Assembly, Cargo
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.session import STOPPING, Session, explain_defect
from TftpLibrary.engine.tap import Observer, tapped, untapped
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.options import Agreement, ask
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Direction, Mode, Request, octets_of_text
from TftpLibrary.protocol.roles import Role, make_opening
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings

_LARGEST_DATAGRAM = 65536


class Order(NamedTuple):
    """A client's order: one file, from or to one server.

    Attributes:
        name: the name to ask for.
        cargo: the file to write, or the place of the file to read.
        server: the server's request port.
        family: its address family.
        settings: how to ask.
        recorder: where the record goes.
    """

    name: str
    cargo: Cargo
    server: Address
    family: int
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

    Raises:
        OSError: no socket can be had.
    """

    def __init__(self, order: Order, engine: Engine) -> None:
        settings = order.settings
        any_host = "::" if order.family == socket.AF_INET6 else "0.0.0.0"
        self.sock = udp.open_tid((settings.local_address or any_host, 0), order.family)
        self.armed = float("inf")
        self.session: Session | None = None
        self._observe: Observer | None = None
        self._order = order
        self._engine = engine
        self._assembly = Assembly(Role.client, engine, settings.timing(), settings.offload)
        request, begun = order.request(), monotonic()
        self._machine = make_opening(
            request,
            settings.timing(),
            begun,
            patience=settings.wait,
            rollover=settings.rollover,
        )
        here = self.sock.getsockname()
        server = f"{hosts.url_host(hosts.readable_host(order.server))}:{order.server[1]}"
        client = hosts.readable_host(here), int(here[1])
        self.entry = Entry(order.recorder, engine, request, server, client, begun)
        self.entry.open(order.cargo.size)

    # For the engine ------------------------------------------------------------------------

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        """The socket to watch."""
        return ((self.sock.fileno(), self),)

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
        try:
            datagram, address = self.sock.recvfrom(_LARGEST_DATAGRAM, DONTWAIT)
        except OSError:
            return
        # Only the host is known: the server answers from a port of its own choice.
        if address[0] != self._order.server[0]:
            return
        self._machine.receive(datagram, monotonic())
        agreement = self._machine.agreement
        if agreement is not None:
            self._hand_over(agreement, datagram, address)
        else:
            self._flush(address)

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

    def tap(self, observe: Observer) -> None:
        """Shows each datagram from now on to an observer; see `TidChannel.tap`."""
        self._observe = observe
        if self.session is not None:
            self.session.channel.tap(observe)
        elif self.entry.end is None:
            self.sock = tapped(self.sock, observe)

    def untap(self) -> None:
        """Shows no datagram any more. Idempotent."""
        self._observe = None
        self.sock = untapped(self.sock)
        if self.session is not None:
            self.session.channel.untap()

    # Inside --------------------------------------------------------------------------------

    def _tally(self) -> Tally:
        machine = self._machine
        return Tally(
            self._order.cargo.size,
            retransmits=machine.retransmits,
            duplicates=machine.duplicates,
        )

    def _flush(self, answerer: Address | None = None) -> None:
        """Sends, and records the end; an ERROR goes to the TID that answered."""
        for transmit in self._machine.transmits():
            assert isinstance(transmit, bytes)
            with contextlib.suppress(OSError):
                self.sock.sendto(transmit, answerer or self._order.server)
        if self._machine.end is None:
            self._engine.arm(self)
        else:
            self._finish(self._machine.end)

    def _finish(self, end: End, traceback: str = "") -> None:
        if self.entry.end is not None:
            return
        self._engine.remove(self)
        self.sock.close()
        self._order.cargo.release()
        self.entry.remark(*self._machine.remarks)
        self.entry.finish(end, self._tally(), monotonic(), traceback)

    def _hand_over(self, agreement: Agreement, datagram: bytes, peer: Address) -> None:
        """The server has shown its TID: a session of the usual kind takes over."""
        cargo = self._order.cargo
        self._engine.remove(self)
        self.sock = untapped(self.sock)
        try:
            channel = self._assembly.open_channel(self.sock, peer, agreement, cargo)
        except OSError as error:
            text = f"there is no way to the server's port: {error.strerror}"
            self._finish(End(Outcome.failed, None, text))
            return
        if self._observe is not None:
            channel.tap(self._observe)
        waiting = channel.take_early()
        if not agreement.has_oack and cargo.sink is not None:
            waiting.insert(0, datagram)
        now = monotonic()
        client = hosts.readable_host(self.sock.getsockname())
        self.entry.remark(*self._machine.remarks)
        self.entry.agree(client, cargo.size_of(agreement), agreement.granted)
        self.session = self._assembly.make_session(cargo, agreement, channel, self.entry, now)
        self.session.begin(now)
        for each in waiting:
            self.session.take(each)
