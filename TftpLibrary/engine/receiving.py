"""The session that receives a file: a server's write or a client's read.

Its data path is `_take`: datagrams land one behind the other in a buffer, their headers are
compared with what the machine expects, and the payloads of many blocks are written in one call.
In a window the kernel may merge datagrams (UDP_GRO), and the headers of all of them are compared
at once. The machine looks only at unexpected datagrams in full.
"""

from __future__ import annotations

from time import monotonic

from TftpLibrary.engine.chunks import wire_blocks
from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.session import PEER_CLOSED, Context, Session
from TftpLibrary.engine.udp import DONTWAIT, MAX_MERGED
from TftpLibrary.protocol.machine import COMPLETED, Phase
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import HEADER_SIZE, Direction, ErrorCode, Mode, Opcode
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.recording.entry import Tally
from TftpLibrary.store.base import Sink, StoreError

_BUFFER = 256 * 1024
"""Octets of the buffer, which is written when the next datagram might not fit."""
_SMALL_BUFFER = 32 * 1024
"""The same where there are many transfers."""
_DATAGRAMS_AT_ONCE = 128
"""Datagrams taken before other sessions get their turn."""
_DATA_OPCODE = bytes((Opcode.data,))
"""The lower octet of the opcode; the upper one is 0."""


class ReceivingSession(Session):
    """Receives a file: a server's write or a client's read.

    Args:
        context: see `Context`.
        channel: the way to the peer.
        machine: the protocol.
        sink: where the file goes; discarded with the session unless it was committed.
        is_small: whether to keep few octets before they are written, to bound the memory.
    """

    def __init__(
        self,
        context: Context,
        channel: Channel,
        machine: Receiver,
        sink: Sink,
        *,
        is_small: bool = False,
    ) -> None:
        super().__init__(context, channel)
        self.machine: Receiver = machine
        self._sink = sink
        self._octets = 0
        self._pending: list[memoryview] = []
        # One octet more than a full datagram, to see one that is too long.
        self._need = max(machine.full_size + 1, MAX_MERGED if machine.room > 1 else 0)
        size = _SMALL_BUFFER if is_small else _BUFFER
        self._buffer = bytearray(max(size, 2 * self._need))
        self._view = memoryview(self._buffer)
        self._full = len(self._buffer) - self._need
        self._at = 0
        self._is_held = False
        self._slots: list[memoryview] = []
        self._may_merge = machine.windowsize > 1
        channel.make_room()

    def begin(self, now: float) -> None:
        """Sends the first packet, unless the disk has no room for what the server announced."""
        told = self._context.agreement.tsize
        if told and self.entry.transfer.direction is Direction.read:
            try:
                self._sink.expect(told)
            except StoreError as error:
                self._break_off(error)
        super().begin(now)

    def ready(self) -> None:
        """DATA, usually: takes what is there, up to a window."""
        self._take(DONTWAIT)

    def run_alone(self) -> None:
        """Goes on as the only session: waits for each datagram, which saves the poll before it."""
        if self.channel.may_block:
            self._take(0)

    def handle_writable(self) -> None:
        """An ACK that had no room counts as lost: nothing waits."""

    def _take(self, flags: int) -> None:
        receive_into = self.channel.receive_into
        is_refused = False
        for _ in range(_DATAGRAMS_AT_ONCE):
            view = self._view[self._at :]
            try:
                size, step = receive_into(view, flags)
            except ConnectionError:
                # Read on: datagrams that the peer sent before it closed its port follow this news.
                is_refused = True
                continue
            except OSError:
                # Nothing there, or a router reports that the board is out of reach.
                break
            now = monotonic()
            if step >= size:
                is_answered = self._take_one(self._at, size, now)
            else:
                is_answered = self._take_merged(size, step, now)
            if not self._advance(size, now):
                return
            if is_answered and flags:
                # The peer has to answer first.
                break
        self._end_turn(is_refused=is_refused)

    def _end_turn(self, *, is_refused: bool) -> None:
        if self._may_merge and self.machine.received:
            # From here on only DATA comes: two OACKs, merged, would look like one datagram.
            self._may_merge = False
            self.channel.merge()
        if is_refused:
            self.lose(PEER_CLOSED)
        elif self.machine.end is not None:
            # Sending an ACK showed that the peer is gone.
            self.flush(monotonic())
        else:
            self._context.engine.arm(self)

    def _take_one(self, at: int, size: int, now: float) -> bool:
        """Takes one datagram of the buffer. Returns whether an ACK left."""
        machine, payload = self.machine, at + HEADER_SIZE
        if size > machine.full_size or self._buffer[at:payload] != machine.expected:
            # Not the expected one: the machine looks at it in full.
            datagram = self._view[at : at + size]
            if not machine.receive(bytes(datagram), now) or self._keep(datagram, now):
                self.flush(now)
            return False
        ack = machine.accept(size, now)
        self._pending.append(self._view[payload : at + size])
        self._octets += size - HEADER_SIZE
        if ack is not None:
            self._send(ack)
            return True
        if machine.phase is Phase.closing:
            self._complete(now)
        return False

    def _take_merged(self, size: int, step: int, now: float) -> bool:
        """Takes datagrams that the kernel merged, each of `step` octets but perhaps the last one.

        They may be copies of the last block, which is shorter than the others.

        Returns:
            Whether an ACK left.
        """
        machine = self.machine
        begin, at, is_answered = self._at, 0, False
        is_full = step == machine.full_size
        while at < size and self.entry.end is None:
            run = min((size - at) // step, machine.room) if is_full else 1
            if run > 1 and self._is_in_order(begin + at, run):
                ack = machine.accept_run(run, now)
                self._pending += self._payloads(begin + at, run)
                self._octets += run * (step - HEADER_SIZE)
                at += run * step
                if ack is not None:
                    self._send(ack)
                    is_answered = True
            else:
                is_answered |= self._take_one(begin + at, min(step, size - at), now)
                at += step
        return is_answered

    def _payloads(self, begin: int, count: int) -> list[memoryview]:
        """The payloads of full blocks in the buffer; cut once for each place in it."""
        step = self.machine.full_size
        if not self._slots:
            starts = range(HEADER_SIZE, len(self._buffer) - step, step)
            self._slots = [self._view[at : at + step - HEADER_SIZE] for at in starts]
        slot, shift = divmod(begin, step)
        if not shift and slot + count <= len(self._slots):
            return self._slots[slot : slot + count]
        starts = range(begin + HEADER_SIZE, begin + count * step, step)
        return [self._view[at : at + step - HEADER_SIZE] for at in starts]

    def _is_in_order(self, begin: int, count: int) -> bool:
        """Whether the buffer holds these blocks from `begin` on: four comparisons for all."""
        step = self.machine.full_size
        end = begin + count * step
        high, low = wire_blocks(self.machine.rollover)
        wire = int.from_bytes(self.machine.expected[2:], "big")
        octets = self._buffer
        return (
            octets[begin + 3 : end : step] == low[wire : wire + count]
            and octets[begin + 2 : end : step] == high[wire : wire + count]
            and octets[begin + 1 : end : step] == _DATA_OPCODE * count
            and not any(octets[begin:end:step])
        )

    def _keep(self, datagram: memoryview, now: float) -> bool:
        """Keeps a payload, to be written with others. Returns whether the transfer goes on."""
        self._pending.append(datagram[HEADER_SIZE:])
        self._octets += len(datagram) - HEADER_SIZE
        if self.machine.phase is Phase.closing:
            self._complete(now)
            return False
        return True

    def _advance(self, size: int, now: float) -> bool:
        """Goes on behind `size` octets. Returns whether the transfer goes on."""
        if self._pending:
            self._at += size
        return self.entry.end is None and (self._at <= self._full or self._make_room(now))

    def _make_room(self, now: float) -> bool:
        """Writes what is kept, since the buffer is full. Returns whether the transfer goes on."""
        try:
            self._write()
        except StoreError as error:
            self._break_off(error)
            self.flush(now)
            return False
        return True

    def handle_timeout(self, now: float) -> None:
        """The deadline passed."""
        if self._is_held and self.entry.end is None:
            # No more DATA came: the file is complete.
            self._is_held = False
            try:
                self._sink.commit()
            except StoreError as error:
                self._break_off(error)
        super().handle_timeout(now)

    def _complete(self, now: float) -> None:
        try:
            self._write()
            end = self._check_size()
            # A client never keeps a part of a file; a server keeps what came.
            self._is_held = self.machine.is_doubtful and self._is_client
            if not self._is_held:
                self._sink.commit()
        except StoreError as error:
            self._break_off(error)
        else:
            self.machine.confirm(now, end)
        self.flush(now)

    def _check_size(self) -> End:
        """Compares what came with the size that the peer announced: 0 announces nothing.

        Returns:
            The end of the transfer: a server keeps a file that is too short, and says so.

        Raises:
            StoreError: it is too short for our client, which never keeps a part of a file.
        """
        told, came, transfer = self._context.agreement.tsize, self._octets, self.entry.transfer
        # Of text nobody can know whether its size is that on the wire.
        if not told or told == came or transfer.mode != Mode.octet.value:
            return COMPLETED
        if came > told:
            self.entry.remark(f"{came:,} bytes came, and {told:,} were announced")
            return COMPLETED
        text = f"only {came:,} of the {told:,} announced bytes came"
        blksize = self.machine.full_size - HEADER_SIZE
        if self.machine.received == 1:
            # One short block is a file of that size, or the block size of a device that has only
            # one, whatever it agrees to.
            text = f"{text} (blksize: granted {blksize}, sent {came})"
        if self._is_client:
            raise StoreError(ErrorCode.not_defined, "File shorter than tsize", text)
        return End(Outcome.failed, None, text)

    @property
    def _is_client(self) -> bool:
        return self.entry.transfer.direction is Direction.read

    def _write(self) -> None:
        self._sink.write(self._pending)
        self._pending.clear()
        self._at = 0

    def _tally(self) -> Tally:
        machine, size = self.machine, self.entry.transfer.size
        return Tally(size, self._octets, machine.received, machine.retransmits, machine.duplicates)

    def _release(self) -> None:
        self._sink.discard()
