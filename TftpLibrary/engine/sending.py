"""The session that sends a file: a server's read or a client's write.

Its data path is `ready` and `run_alone`: the datagram is compared with the ACK that the machine
expects, and when they are equal the next window leaves as one slice of framed blocks. The machine
looks at the datagram in full only when they differ.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.framer import Framer
from TftpLibrary.engine.session import PEER_CLOSED, TURNS_ALONE, Context, Session
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.machine import Blocks, Transmit
from TftpLibrary.protocol.sender import Sender
from TftpLibrary.recording.entry import Tally
from TftpLibrary.store.base import Source, StoreError

_CONTROL_SIZE = 448
"""Octets taken of a packet that should be an ACK: small enough for Python's own allocator."""


class SendingSession(Session):
    """Sends a file: a server's read or a client's write.

    Args:
        context: see `Context`.
        channel: the way to the peer.
        machine: the protocol.
        framer: the file as DATA.
        source: the file; closed with the session.
    """

    def __init__(
        self, context: Context, channel: Channel, machine: Sender, framer: Framer, source: Source
    ) -> None:
        super().__init__(context, channel)
        self.machine: Sender = machine
        self._framer = framer
        self._source = source
        # A function, no bound method: a session that refers to itself would outlive its transfer,
        # until the garbage collector finds it.
        self._send_next: SendNext = SendingSession._send_window
        if machine.last_block is None:
            # The end of the file shows only during framing.
            self._send_next = SendingSession._send_blocks
        elif machine.windowsize == 1:
            self._send_next = SendingSession._send_block
        self._send_frame = channel.send_frame
        self._unsent: tuple[int, int] | None = None

    def reroute(self, channel: Channel) -> None:
        """See `Session.reroute`."""
        super().reroute(channel)
        self._send_frame = channel.send_frame

    def ready(self) -> None:
        """An ACK, usually. One datagram for each call: after it the peer has to answer first."""
        try:
            datagram = self.channel.receive(_CONTROL_SIZE, DONTWAIT)
        except ConnectionError:
            self._read_before_losing()
            return
        except OSError:
            # Nothing there, or a router reports the board out of reach: the deadline decides.
            return
        now, machine = monotonic(), self.machine
        if datagram == machine.expected and machine.acknowledge_window(now):
            # The deadline moves on with each window; `sample` sees to one that comes nearer.
            self._send_next(self, machine.acked + 1, machine.sent)
        else:
            self._receive(datagram, now)

    def run_alone(self) -> None:
        """Goes on as the only session: waits in `recv`, which saves the poll before each ACK.

        Returns when the peer was silent for a moment, and now and then to let others in.
        """
        if not self.channel.may_block or self.machine.is_paced:
            return
        receive, machine, send_next = self.channel.receive, self.machine, self._send_next
        try:
            for _ in range(TURNS_ALONE):
                datagram = receive(_CONTROL_SIZE, 0)
                now = monotonic()
                if datagram == machine.expected and machine.acknowledge_window(now):
                    send_next(self, machine.acked + 1, machine.sent)
                else:
                    self._receive(datagram, now)
                if not self.channel.is_open or self._unsent is not None:
                    return
        except ConnectionError:
            self._read_before_losing()
            return
        except OSError:
            # See `ready`.
            pass
        self._context.engine.arm(self)

    def _receive(self, datagram: bytes, now: float) -> None:
        """Takes a datagram off the data path: the last ACK, or an unexpected one."""
        if self.machine.end is None:
            self.machine.receive(datagram, now)
        self.flush(now)

    def handle_writable(self) -> None:
        """Sends what the socket's buffer had no room for."""
        if self._unsent is not None:
            first, last = self._unsent
            self._unsent = None
            self._send_blocks(max(first, self.machine.acked + 1), last)
            self.flush(monotonic())

    def _send(self, transmit: Transmit) -> None:
        if isinstance(transmit, Blocks):
            self._send_next(self, transmit.first, transmit.last)
        else:
            super()._send(transmit)

    def _send_block(self, first: int, last: int) -> None:
        """Sends one block: lock-step needs neither a loop nor slices."""
        try:
            self._send_frame(self._framer.frame(first))
        except (OSError, StoreError):
            # The general way deals with it.
            self._send_blocks(first, last)

    def _send_window(self, first: int, last: int) -> None:
        """Sends a window, in one call where it lies in one chunk and the kernel can cut it."""
        frames = self._framer.window(first, last)
        if frames is None or self._unsent is not None or not self.channel.send_window(frames):
            # The general way finds out why.
            self._send_blocks(first, last)
        self._framer.frame_ahead(last + 1)

    def _send_blocks(self, first: int, last: int) -> None:
        channel = self.channel
        # These blocks follow the last ACK: they replace blocks that waited for room.
        self._unsent = None
        try:
            while first <= last:
                frames, framed = self._framer.frames(first, last)
                if self.machine.last_block is None:
                    last = self._learn_end(last)
                sent = channel.send_frames(frames)
                if sent < len(frames):
                    self._unsent = (first + sent // channel.segment, last)
                    self._context.engine.want_write(self)
                    return
                first = framed + 1
        except StoreError as error:
            self._break_off(error)
            self.flush(monotonic())
        except ConnectionError:
            self._read_before_losing()
        except OSError:
            # It could not leave: the same as lost on the way. The deadline repeats it.
            pass

    def _learn_end(self, last: int) -> int:
        """The end of a netascii file shows when it is framed."""
        end = self._framer.last_block
        if end is None:
            return last
        self.machine.set_last_block(end)
        return min(last, end)

    def _read_before_losing(self) -> None:
        """The peer's port is closed, but its last ACK may have come before that news."""
        now = monotonic()
        while not self.machine.end:
            try:
                self.machine.receive(self.channel.receive(_CONTROL_SIZE, DONTWAIT), now)
            except OSError:
                break
        self.machine.lose(PEER_CLOSED)
        self.flush(now)

    def _tally(self) -> Tally:
        machine, size = self.machine, self._framer.size
        octets = machine.acked * self._framer.blksize
        if size is not None:
            octets = min(octets, size)
        return Tally(size, octets, machine.acked, machine.retransmits, machine.duplicates)

    def _release(self) -> None:
        self._framer.close()
        self._source.close()


SendNext = Callable[[SendingSession, int, int], None]
"""Sends the blocks from the first number to the last one."""
