"""Makes the session of a transfer: for servers and for clients, for reads and for writes.

The one place where machine, channel, file and record come together. Who agrees the options differs:
a `Listener` grants what its server allows, a `Caller` takes what the other server granted. From
there on both come here.
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
    """What a transfer carries: a source to send, or a sink to fill; it has exactly one of them.

    Attributes:
        mode: `octet` or `netascii`.
        source: the file that this end sends.
        sink: where the file goes that this end receives.
    """

    mode: Mode
    source: Source | None = None
    sink: Sink | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is translated on its way."""
        return self.mode is Mode.netascii

    @property
    def size(self) -> int | None:
        """Octets as they are transferred; None where that is not known before."""
        # RFC 2349: with netascii the size shows only at the end.
        if self.source is None or self.is_text:
            return None
        return self.source.size

    def size_of(self, agreement: Agreement) -> int | None:
        """Returns the octets that a record shows: those of the source, or those that were told."""
        return agreement.tsize if self.size is None else self.size

    def release(self) -> None:
        """Closes the source, or discards the sink."""
        if self.source is not None:
            self.source.close()
        if self.sink is not None:
            self.sink.discard()


class Assembly(NamedTuple):
    """What the sessions of one server, or of one client, have in common.

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
        # Without the offload's gain for single blocks, a plain send is cheaper.
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
            channel: the way to the peer; it is closed with the session, and if that fails.
            entry: the record, opened.
            now: monotonic seconds.
            forget: called once, when the session is over.
            is_small: whether to keep few octets of the file, to bound the memory.
        """
        context = Context(self.engine, entry, agreement, self.max_duration, forget)
        try:
            if cargo.source is not None:
                machine = make_sender(self.role, agreement, self.timing, now, size=cargo.size)
                source, framer = self._frame(cargo, cargo.source, agreement, is_small=is_small)
                return SendingSession(context, channel, machine, framer, source)
            assert cargo.sink is not None
            sink = NetasciiSink(cargo.sink) if cargo.is_text else cargo.sink
            receiver = make_receiver(self.role, agreement, self.timing, now)
            return ReceivingSession(context, channel, receiver, sink, is_small=is_small)
        except BaseException:
            channel.close()
            raise

    def _frame(
        self, cargo: Cargo, source: Source, agreement: Agreement, *, is_small: bool
    ) -> tuple[Source, Framer]:
        if cargo.is_text:
            window = agreement.windowsize * agreement.blksize
            source = NetasciiSource(source, keep=2 * window)
        framer = Framer(
            source,
            agreement.blksize,
            agreement.windowsize,
            agreement.rollover,
            cargo.size,
            shared=self.engine.frames,
            is_small=is_small,
        )
        return source, framer
