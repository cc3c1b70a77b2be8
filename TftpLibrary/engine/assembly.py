"""Makes the session of a transfer: for servers and for clients, for reads and for writes.

Only here do machine, channel, file and record come together. The options are agreed before: a
`Listener` grants those that its server allows, a `Caller` takes those that the other server
granted.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

from TftpLibrary.engine import udp
from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.framer import Framer
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.receiving import ReceivingSession
from TftpLibrary.engine.sending import SendingSession
from TftpLibrary.engine.session import Context, Session
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.packets import HEADER_SIZE, Mode
from TftpLibrary.protocol.roles import Role, Timing, make_receiver, make_sender
from TftpLibrary.recording.entry import Entry
from TftpLibrary.store.base import Sink, Source
from TftpLibrary.store.translation import NetasciiSink, NetasciiSource


class Cargo(NamedTuple):
    """The file of a transfer: a source to send, or a sink to fill.

    Attributes:
        mode: `octet` or `netascii`.
        source: the file that this end sends; None where it receives.
        sink: the file that this end receives; None where it sends.
        size: octets of the source as they are transferred; None where they are unknown at first.
        told: the size that the peer is told; it is another one on purpose only.
    """

    mode: Mode
    source: Source | None
    sink: Sink | None
    size: int | None
    told: int | None

    @classmethod
    def to_send(cls, source: Source, mode: Mode, told: int | None = None) -> Cargo:
        """Makes one of a source; `told` is the size to tell where it is not the true one."""
        # RFC 2349: the size of text shows only at the end.
        size = None if mode is Mode.netascii else source.size
        return cls(mode, source, None, size, size if told is None or size is None else told)

    @classmethod
    def to_fill(cls, sink: Sink, mode: Mode) -> Cargo:
        """Makes one of a sink."""
        return cls(mode, None, sink, None, None)

    def size_of(self, agreement: Agreement) -> int | None:
        """Returns the octets of the file: those of the source, or those that the peer announced."""
        return agreement.tsize if self.source is None else self.size

    def release(self) -> None:
        """Closes the source, or discards the sink."""
        if self.source is not None:
            self.source.close()
        if self.sink is not None:
            self.sink.discard()


class Assembly(NamedTuple):
    """The common part of all sessions of one server, or of one client.

    Attributes:
        role: which end of the transfer they are.
        engine: runs them.
        timing: how they wait for their peer.
        offload: whether a window may leave in one system call.
        max_duration: seconds that a transfer may take.
    """

    role: Role
    engine: Engine
    timing: Timing
    offload: bool = True
    max_duration: float = float("inf")

    def open_channel(
        self, sock: socket.socket, peer: Address, agreement: Agreement, cargo: Cargo
    ) -> TidChannel:
        """Makes the channel of a transfer that has a port of its own.

        Args:
            sock: bound; closed with the channel.
            peer: the other end.
            agreement: the options.
            cargo: the file.

        Raises:
            OSError: there is no way to the peer; the socket stays open.
        """
        is_lockstep = agreement.windowsize == 1
        # For single blocks offload gains nothing, and a plain send is cheaper.
        refused = self.engine.refused_routes if self.offload and not is_lockstep else None
        # Small files are often over at once. Only Linux lets a lone session wait for that.
        is_read = cargo.source is not None and self.role is Role.server
        is_brief = udp.IS_LINUX and is_lockstep and is_read
        return TidChannel(sock, peer, HEADER_SIZE + agreement.blksize, refused, is_brief=is_brief)

    def make_session(
        self,
        cargo: Cargo,
        agreement: Agreement,
        channel: Channel,
        entry: Entry,
        now: float,
        *,
        forget: Callable[[Session], None] | None = None,
        is_small: bool = False,
    ) -> Session:
        """Makes a session; its first packet has not left yet.

        Args:
            cargo: the file; it is released with the session.
            agreement: the options.
            channel: the way to the peer; closed with the session, and if making that fails.
            entry: the record, opened.
            now: monotonic seconds.
            forget: called once, when the session is over.
            is_small: whether to keep few octets of the file, to bound the memory.
        """
        context = Context(self.engine, entry, agreement, self.max_duration, forget)
        is_text = cargo.mode is Mode.netascii
        try:
            if cargo.sink is not None:
                sink = NetasciiSink(cargo.sink) if is_text else cargo.sink
                receiver = make_receiver(self.role, agreement, self.timing, now)
                return ReceivingSession(context, channel, receiver, sink, is_small=is_small)
            assert cargo.source is not None
            source, size = cargo.source, cargo.size
            if is_text:
                window = agreement.windowsize * agreement.blksize
                source = NetasciiSource(source, keep=2 * window)
            sender = make_sender(self.role, agreement, self.timing, now, size=size)
            framer = Framer(
                source,
                agreement.blksize,
                agreement.windowsize,
                agreement.rollover,
                size,
                shared=self.engine.frames,
                is_small=is_small,
            )
            return SendingSession(context, channel, sender, framer, source)
        except BaseException:
            channel.close()
            raise
