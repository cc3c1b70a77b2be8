"""From a request to a session: the store is asked, the options agreed, the TID opened.

The OACK or first ACK leaves only after the store has opened the file, so that a store error can
still be an ERROR.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from TftpLibrary.engine import udp
from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.channel import RefusedRoutes, SharedChannel, TidChannel
from TftpLibrary.engine.chunks import FrameCache
from TftpLibrary.engine.contracts import Channel, Driver
from TftpLibrary.engine.framer import Framer
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.receiving import ReceivingSession
from TftpLibrary.engine.sending import SendingSession
from TftpLibrary.engine.session import Context, Session
from TftpLibrary.protocol.options import Agreement, Policy, answer, told_size
from TftpLibrary.protocol.packets import (
    HEADER_SIZE,
    Ack,
    Direction,
    ErrorCode,
    Mode,
    Oack,
    Request,
)
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.sender import Sender
from TftpLibrary.recording.entry import Entry
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.base import Sink, Source, Store, StoreError, WritePolicy
from TftpLibrary.store.translation import NetasciiSink, NetasciiSource

_MODES = {mode.value: mode for mode in Mode}
_MANY_TRANSFERS = 16
"""With more transfers than this each one keeps less of its file in memory."""


@dataclass(slots=True)
class Arrival:
    """One request as it came. Not frozen: there is one for each, and freezing costs time.

    Attributes:
        request: decoded.
        peer: who asks, as the socket module writes it.
        local: the address asked, where the request socket is bound to a wildcard.
        client: the peer's address as people write it.
        entry: the record, not yet opened.
    """

    request: Request
    peer: Address
    local: Address | None
    client: str
    entry: Entry

    @property
    def mode(self) -> Mode:
        """The mode asked.

        Raises:
            Refusal: it is neither octet nor netascii.
        """
        mode = _MODES.get(self.request.mode.lower())
        if mode is None:
            raise Refusal(
                ErrorCode.illegal_operation,
                "Unknown mode: use octet or netascii",
                f"mode {self.request.mode!r} is not served; expected octet or netascii",
            )
        return mode


@dataclass(slots=True)
class Serving:
    """What every session of one server is made from.

    Attributes:
        alias: the server's name in the records.
        sock: the request socket.
        store: where files come from and go to.
        settings: how to serve.
        driver: the engine.
        refused_routes: routes without segmentation offload.
        frames: what readers of the same file share.
    """

    alias: str
    sock: socket.socket
    store: Store
    settings: ServerSettings
    driver: Driver
    refused_routes: RefusedRoutes
    frames: FrameCache
    bound: Address = field(init=False)
    family: int = field(init=False)
    policy: Policy = field(init=False)
    write_policy: WritePolicy = field(init=False)

    def __post_init__(self) -> None:
        """Takes what the settings and the socket say for every request."""
        self.bound, self.family = self.sock.getsockname(), self.sock.family
        self.change(self.settings)

    def change(self, settings: ServerSettings) -> None:
        """Takes other settings, for the next request."""
        self.settings = settings
        self.policy = settings.policy()
        self.write_policy = settings.write_policy()

    def start(self, arrival: Arrival, running: int, forget: Callable[[Session], None]) -> Session:
        """Makes the session for a request; its first packet has not left yet.

        Args:
            arrival: the request.
            running: sessions that run already.
            forget: called when the session is over.

        Raises:
            Refusal: the mode is unknown, the store refuses, or there is no port.
        """
        is_netascii = arrival.mode is Mode.netascii
        if arrival.request.direction is Direction.read:
            source = self._open_source(arrival)
            size = None if is_netascii else source.size
            channel, context = self._open_transfer(arrival, size, forget, source.close)
            return self._start_read(context, channel, source, running)
        sink = self._open_sink(arrival)
        channel, context = self._open_transfer(arrival, None, forget, sink.discard)
        sink = NetasciiSink(sink) if is_netascii else sink
        return self._start_write(context, channel, sink, running)

    def _open_transfer(
        self,
        arrival: Arrival,
        size: int | None,
        forget: Callable[[Session], None],
        release: Callable[[], None],
    ) -> tuple[Channel, Context]:
        """Agrees the options and opens the port; the file is released if that fails."""
        try:
            agreement = answer(arrival.request, self.policy, size)
            channel = self._open_channel(arrival, agreement)
        except BaseException:
            release()
            raise
        if arrival.request.direction is Direction.write:
            size = agreement.tsize
        arrival.entry.open(size, agreement.granted)
        context = Context(
            driver=self.driver,
            entry=arrival.entry,
            agreement=agreement,
            max_duration=self.settings.max_duration,
            forget=forget,
        )
        return channel, context

    def _start_read(
        self, context: Context, channel: Channel, source: Source, running: int
    ) -> Session:
        agreement, size = context.agreement, context.entry.transfer.size
        if size is None:
            window = agreement.windowsize * agreement.blksize
            source = NetasciiSource(source, keep=2 * window)
        framer = Framer(
            source,
            agreement.blksize,
            agreement.windowsize,
            agreement.rollover,
            size,
            shared=self.frames,
            is_small=running > _MANY_TRANSFERS,
        )
        machine = Sender(
            agreement,
            self.settings.retry_timer(agreement.timeout),
            context.entry.begun,
            last_block=framer.last_block,
            oack=Oack(agreement.granted).encode() if agreement.granted else None,
            pace=self.settings.pace(agreement.windowsize),
        )
        return SendingSession(context, channel, machine, framer, source)

    def _start_write(self, context: Context, channel: Channel, sink: Sink, running: int) -> Session:
        agreement = context.agreement
        machine = Receiver(
            agreement,
            self.settings.retry_timer(agreement.timeout),
            context.entry.begun,
            answer=Oack(agreement.granted).encode() if agreement.granted else Ack(0).encode(),
        )
        is_small = running > _MANY_TRANSFERS
        return ReceivingSession(context, channel, machine, sink, is_small=is_small)

    def _open_source(self, arrival: Arrival) -> Source:
        try:
            return self.store.open_read(arrival.request.filename, arrival.client)
        except StoreError as error:
            raise Refusal(error.code, error.public, str(error)) from error

    def _open_sink(self, arrival: Arrival) -> Sink:
        told = told_size(arrival.request.options)
        try:
            return self.store.open_write(
                arrival.request.filename, arrival.client, self.write_policy, told
            )
        except StoreError as error:
            raise Refusal(error.code, error.public, str(error)) from error

    def _open_channel(self, arrival: Arrival, agreement: Agreement) -> Channel:
        settings, segment = self.settings, HEADER_SIZE + agreement.blksize
        if settings.single_port:
            return SharedChannel(self.sock, arrival.peer, segment, arrival.local)
        # Without the offload's gain for single blocks, a plain send is cheaper.
        is_windowed = settings.offload and agreement.windowsize > 1
        is_read = arrival.request.direction is Direction.read
        try:
            here = arrival.local or self.bound
            sock = udp.open_tid(here, self.family, settings.port_range)
        except OSError as error:
            raise self._no_port(error) from error
        try:
            refused = self.refused_routes if is_windowed else None
            # Small files are often over at once. Only Linux lets a lone session wait for that.
            is_brief = udp.IS_LINUX and agreement.windowsize == 1 and is_read
            return TidChannel(sock, arrival.peer, segment, refused, is_brief=is_brief)
        except OSError as error:
            sock.close()
            raise self._no_port(error) from error

    def _no_port(self, error: OSError) -> Refusal:
        ports = self.settings.port_range
        if ports is not None and error.errno == errno.EADDRINUSE:
            reason = f"no port of the range {ports[0]}-{ports[1]} is free"
        else:
            reason = f"no port for the transfer: {error.strerror}"
        return Refusal(ErrorCode.not_defined, "Server busy, try again later", reason)
