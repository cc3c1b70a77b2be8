"""From a request to a session: the store is asked, the options agreed, the TID opened.

The OACK or first ACK leaves only after the store has opened the file, so that a store error can
still be an ERROR.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import MappingProxyType

from TftpLibrary.engine import udp
from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.channel import Channel, RefusedRoutes, SharedChannel, TidChannel
from TftpLibrary.engine.framer import FrameCache, Framer
from TftpLibrary.engine.live import Driver
from TftpLibrary.engine.receiving import ReceivingSession
from TftpLibrary.engine.sending import SendingSession
from TftpLibrary.engine.session import Context, Session
from TftpLibrary.engine.settings import ServerSettings
from TftpLibrary.engine.text import NetasciiSink, NetasciiSource
from TftpLibrary.engine.udp import Address
from TftpLibrary.protocol.blocks import last_block
from TftpLibrary.protocol.options import Agreement, answer
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
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.store.base import Sink, Source, Store, StoreError

_MANY_TRANSFERS = 16
"""With more transfers than this each frames one window at a time, to bound the memory."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it came.

    Attributes:
        request: decoded.
        mode: checked.
        peer: who asks, as the socket module writes it.
        local: the address asked, where the request socket is bound to a wildcard.
        begun: monotonic seconds.
        transfer: its record, not opened yet.
    """

    request: Request
    mode: Mode
    peer: Address
    local: Address | None
    begun: float
    transfer: Transfer


@dataclass(slots=True)
class Serving:
    """What every session of one server is made from.

    Attributes:
        sock: the request socket.
        store: where files come from and go to.
        recorder: where the records go.
        settings: how to serve.
        driver: the engine.
        refused_routes: routes without segmentation offload.
        frames: what readers of the same file share.
    """

    sock: socket.socket
    store: Store
    recorder: Recorder
    settings: ServerSettings
    driver: Driver
    refused_routes: RefusedRoutes
    frames: FrameCache

    def start(self, arrival: Arrival, running: int, forget: Callable[[Session], None]) -> Session:
        """Makes the session for a request; its first packet has not left yet.

        Args:
            arrival: the request.
            running: sessions that run already.
            forget: called when the session is over.

        Raises:
            Refusal: the store refuses, or there is no port.
        """
        request, client = arrival.request, arrival.transfer.client
        policy = self.settings.policy()
        if request.direction is Direction.read:
            source = self._open_source(request, client)
            with ExitStack() as undo:
                undo.callback(source.close)
                size = None if arrival.mode is Mode.netascii else source.size
                agreement = answer(request, policy, size)
                channel = self._open_channel(arrival, agreement)
                undo.pop_all()
            context = self._context(arrival, agreement, size, forget)
            return self._start_read(context, channel, agreement, source, size, running)
        sink = self._open_sink(request, client)
        with ExitStack() as undo:
            undo.callback(sink.discard)
            agreement = answer(request, policy, None)
            channel = self._open_channel(arrival, agreement)
            undo.pop_all()
        if arrival.mode is Mode.netascii:
            sink = NetasciiSink(sink)
        context = self._context(arrival, agreement, agreement.tsize, forget)
        return self._start_write(context, channel, agreement, sink)

    def _start_read(
        self,
        context: Context,
        channel: Channel,
        agreement: Agreement,
        source: Source,
        size: int | None,
        running: int,
    ) -> Session:
        window = agreement.windowsize * (agreement.blksize + HEADER_SIZE)
        if size is None:
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
            context.begun,
            last_block=None if size is None else last_block(size, agreement.blksize),
            oack=Oack(agreement.granted).encode() if agreement.granted else None,
        )
        return SendingSession(context, channel, machine, framer, source)

    def _start_write(
        self, context: Context, channel: Channel, agreement: Agreement, sink: Sink
    ) -> Session:
        if channel.sock is not None:
            udp.enlarge_buffers(channel.sock, is_sending=False)
        machine = Receiver(
            agreement,
            self.settings.retry_timer(agreement.timeout),
            context.begun,
            answer=Oack(agreement.granted).encode() if agreement.granted else Ack(0).encode(),
        )
        return ReceivingSession(context, channel, machine, sink, agreement.tsize)

    def _context(
        self,
        arrival: Arrival,
        agreement: Agreement,
        size: int | None,
        forget: Callable[[Session], None],
    ) -> Context:
        granted = MappingProxyType(dict(agreement.granted))
        transfer = replace(arrival.transfer, granted=granted, size=size)
        return Context(
            driver=self.driver,
            recorder=self.recorder,
            transfer=replace(transfer, id=self.recorder.opened(transfer)),
            begun=arrival.begun,
            max_duration=self.settings.max_duration,
            forget=forget,
        )

    def _open_source(self, request: Request, client: str) -> Source:
        try:
            return self.store.open_read(request.filename, client)
        except StoreError as error:
            raise Refusal(error.code, error.public, str(error)) from error

    def _open_sink(self, request: Request, client: str) -> Sink:
        values = {name.lower(): value for name, value in request.options}
        size = values.get("tsize", "")
        told = int(size) if size.isascii() and size.isdigit() and len(size) < 20 else None
        try:
            return self.store.open_write(
                request.filename, client, self.settings.write_policy(), told
            )
        except StoreError as error:
            raise Refusal(error.code, error.public, str(error)) from error

    def _open_channel(self, arrival: Arrival, agreement: Agreement) -> Channel:
        settings, segment = self.settings, HEADER_SIZE + agreement.blksize
        if settings.single_port:
            return SharedChannel(self.sock, arrival.peer, segment, arrival.local)
        # Without the offload's gain for single blocks, a plain send is cheaper.
        is_windowed = settings.offload and agreement.windowsize > 1
        here = arrival.local or self.sock.getsockname()
        try:
            sock = udp.open_tid(here, self.sock.family, settings.port_range)
        except OSError as error:
            raise self._no_port(error) from error
        try:
            refused = self.refused_routes if is_windowed else None
            return TidChannel(sock, arrival.peer, segment, refused)
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
