"""The client's first exchange: asks a server, and becomes the session that moves the file."""

from __future__ import annotations

import contextlib
import socket
from time import monotonic
from typing import NamedTuple

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.channel import RefusedRoutes, TidChannel
from TftpLibrary.engine.contracts import Driver
from TftpLibrary.engine.framer import Framer
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.receiving import ReceivingSession
from TftpLibrary.engine.sending import SendingSession
from TftpLibrary.engine.session import STOPPING, Context, Session, explain_defect
from TftpLibrary.engine.tap import Observer, tapped, untapped
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.blocks import last_block
from TftpLibrary.protocol.opening import Opening, Phase
from TftpLibrary.protocol.options import Agreement, ask
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.pace import Pace
from TftpLibrary.protocol.packets import HEADER_SIZE, Ack, Direction, Mode, Request
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.retry import RetryTimer
from TftpLibrary.protocol.sender import Sender
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings
from TftpLibrary.store.base import Sink, Source
from TftpLibrary.store.translation import NetasciiSink, NetasciiSource

_LARGEST_DATAGRAM = 65536
_NO_LIMIT = float("inf")


class Order(NamedTuple):
    """What a client wants: one file, from or to one server.

    Attributes:
        name: the name to ask for.
        source: the file to write, or None.
        sink: where the file that is read goes, or None.
        server: the server's request port.
        family: the address family of it.
        settings: how to ask.
        recorder: where the record goes.
    """

    name: str
    source: Source | None
    sink: Sink | None
    server: Address
    family: int
    settings: ClientSettings
    recorder: Recorder

    def request(self) -> Request:
        """Returns the RRQ or WRQ."""
        settings = self.settings
        direction = Direction.write if self.source is not None else Direction.read
        size = self.source.size if self.source is not None else 0
        # RFC 2349 counts octets as they are transferred, which netascii does not know before.
        knows_size = settings.tsize and settings.mode is Mode.octet
        options = ask(
            direction=direction,
            blksize=settings.blksize,
            windowsize=settings.windowsize,
            tsize=size if knows_size else None,
            rollover=settings.rollover,
        )
        # The name of a local file may be octets that are no text.
        name = self.name.encode("utf-8", "surrogateescape")
        return Request(direction, name, settings.mode.value, options)


class Asking:
    """Asks until the server answers; then a session of its own takes over.

    Args:
        order: what is wanted; its file is closed when there is no transfer.
        driver: the engine.
        refused_routes: routes without segmentation offload.

    Raises:
        OSError: no socket can be had.
    """

    def __init__(self, order: Order, driver: Driver, refused_routes: RefusedRoutes) -> None:
        settings = order.settings
        any_host = "::" if order.family == socket.AF_INET6 else "0.0.0.0"
        self.sock = udp.open_tid((settings.local_host or any_host, 0), order.family)
        self.armed = _NO_LIMIT
        self.is_over = False
        self.session: Session | None = None
        self._observe: Observer | None = None
        self._order = order
        self._driver = driver
        self._refused_routes = refused_routes
        self._begun = monotonic()
        self._request = order.request()
        timer = RetryTimer(
            settings.timeout, settings.retries, is_adaptive=False, patience=settings.wait
        )
        self._machine = Opening(self._request, timer, self._begun)
        self.entry = self._make_entry()
        self.entry.open(self._tally().size)

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
        self._driver.add(self)
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
        if self._machine.phase is Phase.answered and self._machine.agreement is not None:
            self._become_session(self._machine.agreement, datagram, address)
        else:
            self._flush(address)

    def settle(self) -> None:
        """The server's TID is not known yet."""

    def run_alone(self) -> None:
        """Nothing is gained by waiting for one answer here."""

    def handle_writable(self) -> None:
        """Nothing waits for room."""

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
        """Nothing has arrived yet."""

    def report(self, now: float) -> None:
        """Brings the record up to date."""
        self.entry.progress(self._tally(), now - self._begun, now)

    def stop(self, reason: str = STOPPING) -> Transfer | None:
        """Gives up at once."""
        if self.session is not None:
            return self.session.stop(reason)
        if self.is_over:
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
        elif not self.is_over:
            self.sock = tapped(self.sock, observe)

    def untap(self) -> None:
        """Shows no datagram any more. Idempotent."""
        self._observe = None
        self.sock = untapped(self.sock)
        if self.session is not None:
            self.session.channel.untap()

    # Inside --------------------------------------------------------------------------------

    def _make_entry(self) -> Entry:
        order, client = self._order, self.sock.getsockname()
        server = f"{hosts.url_host(hosts.readable_host(order.server))}:{order.server[1]}"
        tid = (hosts.readable_host(client), int(client[1]))
        return Entry(order.recorder, self._driver, self._request, server, tid, self._begun)

    def _tally(self) -> Tally:
        size = self._order.source.size if self._order.source is not None else None
        machine = self._machine
        return Tally(size, retransmits=machine.retransmits, duplicates=machine.duplicates)

    def _flush(self, answerer: Address | None = None) -> None:
        """Sends, and records the end; an ERROR goes to the TID that answered."""
        for transmit in self._machine.transmits():
            assert isinstance(transmit, bytes)
            with contextlib.suppress(OSError):
                self.sock.sendto(transmit, answerer or self._order.server)
        if self._machine.end is None:
            self._driver.arm(self)
        else:
            self._finish(self._machine.end)

    def _finish(self, end: End, traceback: str = "") -> None:
        if self.is_over:
            return
        self._close()
        self._release()
        self.entry.finish(end, self._tally(), monotonic(), traceback)

    def _close(self) -> None:
        self.is_over = True
        self._driver.remove(self)
        self.sock.close()

    def _release(self) -> None:
        if self._order.source is not None:
            self._order.source.close()
        if self._order.sink is not None:
            self._order.sink.discard()

    def _become_session(self, agreement: Agreement, datagram: bytes, peer: Address) -> None:
        """The server has shown its TID: from here on a session of the usual kind."""
        self._driver.remove(self)
        is_windowed = self._order.settings.offload and agreement.windowsize > 1
        self.sock = untapped(self.sock)
        refused = self._refused_routes if is_windowed else None
        try:
            channel = TidChannel(self.sock, peer, HEADER_SIZE + agreement.blksize, refused)
        except OSError as error:
            text = f"there is no way to the server's port: {error.strerror}"
            self._finish(End(Outcome.failed, None, text))
            return
        if self._observe is not None:
            channel.tap(self._observe)
        waiting = channel.take_early()
        if not agreement.has_oack and self._order.sink is not None:
            waiting.insert(0, datagram)
        try:
            self.session = self._start(channel, agreement)
        except BaseException:
            channel.close()
            raise
        self.is_over = True
        self.session.begin(monotonic())
        for each in waiting:
            self.session.take(each)

    def _start(self, channel: TidChannel, agreement: Agreement) -> Session:
        size = self.entry.transfer.size if agreement.tsize is None else agreement.tsize
        client = hosts.readable_host(self.sock.getsockname())
        self.entry.agree(client, size, agreement.granted)
        context = Context(
            driver=self._driver,
            entry=self.entry,
            agreement=agreement,
            max_duration=_NO_LIMIT,
            forget=_forget,
        )
        if self._order.source is not None:
            return self._start_write(context, channel, agreement, self._order.source)
        assert self._order.sink is not None
        return self._start_read(context, channel, agreement, self._order.sink)

    def _start_read(
        self, context: Context, channel: TidChannel, agreement: Agreement, sink: Sink
    ) -> Session:
        if self._order.settings.mode is Mode.netascii:
            sink = NetasciiSink(sink)
        machine = Receiver(
            agreement,
            self._timer(agreement),
            monotonic(),
            # RFC 2347: the client accepts the options with ACK 0.
            answer=Ack(0).encode() if agreement.has_oack else None,
        )
        return ReceivingSession(context, channel, machine, sink)

    def _start_write(
        self, context: Context, channel: TidChannel, agreement: Agreement, source: Source
    ) -> Session:
        size: int | None = source.size
        if self._order.settings.mode is Mode.netascii:
            window = agreement.windowsize * (agreement.blksize + HEADER_SIZE)
            source, size = NetasciiSource(source, keep=2 * window), None
        framer = Framer(source, agreement.blksize, agreement.windowsize, agreement.rollover, size)
        machine = Sender(
            agreement,
            self._timer(agreement),
            monotonic(),
            last_block=None if size is None else last_block(size, agreement.blksize),
            is_answered=True,
            pace=Pace(agreement.windowsize) if agreement.windowsize > 1 else None,
        )
        return SendingSession(context, channel, machine, framer, source)

    def _timer(self, agreement: Agreement) -> RetryTimer:
        settings = self._order.settings
        timeout = agreement.timeout or settings.timeout
        return RetryTimer(timeout, settings.retries, is_adaptive=agreement.timeout is None)


def _forget(session: Session) -> None:
    """Nobody keeps a list of a client's sessions."""
